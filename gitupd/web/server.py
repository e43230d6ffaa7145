"""The processes of ``gitupd serve``: workers that answer, and the keeper."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
import uvloop
from a2wsgi import WSGIMiddleware

from gitupd.service.admission.codes import Redeeming
from gitupd.service.admission.door import Door
from gitupd.service.backups.intake import BackupIntake
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.certificates.enrolling import Enrolling
from gitupd.service.certificates.requests import RequestUploads
from gitupd.service.certificates.revoked_lists import PublishedLists
from gitupd.service.certificates.trusting import Trusting
from gitupd.service.clock import now
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.health import Health
from gitupd.service.keeper import Keeper
from gitupd.service.poll import Poll
from gitupd.service.query_answers import Uploads
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Sightings
from gitupd.service.site import Site
from gitupd.service.stories.recorder import Recorder
from gitupd.store.certificates.account import AcmeFolder
from gitupd.store.wheel import own_wheel
from gitupd.web.app import SAFE_HEADERS, create_app, static_folders
from gitupd.web.asgi.complete import Complete
from gitupd.web.asgi.connections import Connections, most_for_files
from gitupd.web.asgi.counters import Counting
from gitupd.web.asgi.log import RequestLog, configure_log
from gitupd.web.asgi.protocol import Clocks, bounded
from gitupd.web.asgi.request import Requests
from gitupd.web.asgi.static import StaticEndpoint
from gitupd.web.context import Served
from gitupd.web.device.backup_upload import BackupUpload
from gitupd.web.device.endpoint import DeviceEndpoint
from gitupd.web.device.firmware import FirmwareEndpoint
from gitupd.web.device.gate import UploadGate
from gitupd.web.device.proofs import ProofEndpoint
from gitupd.web.device.query_upload import UploadEndpoint
from gitupd.web.device.recording import DeviceRecording
from gitupd.web.device.restores import RestoreEndpoint
from gitupd.web.device.revoked import RevokedEndpoint
from gitupd.web.device.trust import Trust
from gitupd.web.git.endpoint import GitEndpoint
from gitupd.web.git.webhook import WebhookEndpoint
from gitupd.web.listening import BACKLOG
from gitupd.web.router import Logged, Router
from gitupd.web.tls.connection import TlsConnection
from gitupd.web.tls.contexts import TlsContext
from gitupd.web.tls.files import TlsFiles
from gitupd.web.tls.prelude import PreludeBounds
from gitupd.web.tls.proxied import ProxiedConnection
from gitupd.web.wheel import WheelEndpoint

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from gitupd.settings import Settings
    from gitupd.web.asgi.counters import Counters, Sheet
    from gitupd.web.listening import Listening

_PAGE_THREADS = 8
_GRACEFUL_SECONDS = 10
_IDLE_SECONDS = 15.0
_LOOK_TICKS = 20
_SWITCH_SECONDS = 0.0005

log = structlog.get_logger()


class Worker:
    """All parts of a process that answers, and what runs in its background."""

    def __init__(self, path: Path, started: datetime, counters: Counters, sheet: Sheet, *, uses_tls: bool) -> None:
        """Put together what answers for the site at *path*; count on *sheet*, which is one of *counters*."""
        self.site = site = Site(path)
        site.inbox_folder.mkdir(exist_ok=True)
        self.settings = site.settings
        configure_log(self.settings.log_format)
        follower = Follower(site)
        left_out = partial(sheet.add, ("devices-left-out",))
        sightings = Sightings(site.inventory, site.restores, site.reserve, lambda: follower.most_unknown, left_out)
        uploads = Uploads(follower, site.answers)
        intake = BackupIntake(follower, site.backup_inbox, site.inventory, site.inbox_folder)
        self._computing = Computing(self.settings, site)
        self.files = TlsFiles(self.settings.tls, path) if uses_tls else None
        cautions = [self.files] if self.files is not None else []
        health = Health(site, follower, sightings, started, uploads, intake, cautions=cautions)
        self._enrolling = Enrolling(site.rollouts, site.answers)
        app = create_app(Served(site, follower, health, Snapshots(site), self._computing, counters))
        pages: Any = WSGIMiddleware(app, workers=_PAGE_THREADS)  # type: ignore[arg-type] # Flask is a WSGI application
        trusting, requests = Trusting(site.trust), Requests(self.settings)
        trust = Trust(trusting, requests, follower)
        upload = UploadEndpoint(
            uploads,
            BackupUpload(intake, requests, self.settings, site.reserve, trust),
            RequestUploads(site.rollouts),
            self.settings,
            reserve=site.reserve,
            trust=trust,
            gate=UploadGate(Door(follower, site.inventory), requests, trust),
        )
        poll = Poll(follower, sightings, self._computing, Redeeming(site), self._enrolling)
        router = Router(
            device=DeviceEndpoint(poll, upload, self.settings, trust),
            firmware=FirmwareEndpoint(site.firmware),
            restore=RestoreEndpoint(SiteRestores(site), follower, trust),
            revoked=RevokedEndpoint(PublishedLists(site)),
            proof=ProofEndpoint(AcmeFolder(path) if self.settings.signing.acme else None),
            git=GitEndpoint(site, requests),
            webhook=WebhookEndpoint(site),
            static=StaticEndpoint(static_folders(app), SAFE_HEADERS),
            wheel=WheelEndpoint(own_wheel, SAFE_HEADERS),
            pages=Complete(pages, self.settings.request_seconds),
            health=health,
            requests=requests,
        )
        request_log = RequestLog(self.settings.log_format, dropped=lambda: sheet.add(("log-dropped",)))
        counting = Counting(sheet, lambda: sightings.waiting)
        secret_headers = filter(None, (self.settings.client_certificate_header, "client-cert-chain"))
        recorder = Recorder(site.recordings, secret_headers, partial(sheet.add, ("requests-not-recorded",)))
        recording = DeviceRecording(recorder, requests, trust, lambda: follower.live)
        self.application = Logged(router, request_log, counting, recording)
        # In the order in which they start; they stop the other way round, so that what is noted down last is written.
        self._background = (sightings, intake, uploads, trusting, follower, counting, request_log, recorder)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have the background work while the block runs."""
        with ExitStack() as stack:
            stack.callback(self.site.close)
            stack.callback(self._computing.stop)
            stack.callback(self._enrolling.stop)
            for part in self._background:
                part.start()
                stack.callback(part.stop)
            yield


def run_worker(path: Path, listening: Sequence[Listening], started: datetime, counters: Counters, sheet: Sheet) -> None:
    """Answer requests on all sockets of *listening* for the site at *path* until told to stop by SIGTERM.

    Count them on *sheet*, which is one of *counters*.
    """
    # A background thread may hold up the loop that answers for this long each time; the default is 5 ms.
    sys.setswitchinterval(_SWITCH_SECONDS)
    uses_tls = any(each.listener.tls for each in listening)
    worker = Worker(path, started, counters, sheet, uses_tls=uses_tls)
    # What is here now stays: whoever looks for garbage need not look through it again and again.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        worker.application,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )
    with worker.running():
        uvloop.run(_serve(ListeningServer(config, worker.settings, listening, worker.files, sheet)))


class ListeningServer(uvicorn.Server):
    """uvicorn's server, on sockets of which each has its own way to be served."""

    def __init__(
        self,
        config: uvicorn.Config,
        settings: Settings,
        listening: Sequence[Listening],
        files: TlsFiles | None,
        sheet: Sheet,
    ) -> None:
        """Serve all of *listening*, as *settings* say; *files* are for TLS, and None where there is none.

        Count on *sheet*.
        """
        super().__init__(config)
        self._clocks, self._connections = _bounds(settings, sheet)
        self.listening, self._proxies = listening, settings.trusted_proxies
        self._files, self._sheet = files, sheet
        self._contexts = {
            each: TlsContext(each.listener, settings.tls, each.sessions, files.material)
            for each in listening
            if each.sessions is not None and files is not None
        }

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's
        """Listen at what is known already; uvicorn would serve all *sockets* alike."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(self._protocol(each), sock=each.socket, backlog=BACKLOG) for each in self.listening
        ]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """See that files are left, and now and then whether those for TLS have changed.

        uvicorn calls this ten times a second.
        """
        self._connections.free_files()
        if counter % _LOOK_TICKS == 0 and self._files is not None:
            if self._files.has_changed():
                for context in self._contexts.values():
                    context.take_over(self._files.material)
            self._sheet.set(("tls-trouble",), self._files.trouble is not None)
        return await super().on_tick(counter)

    def _protocol(self, listening: Listening) -> Callable[[], asyncio.Protocol]:
        """Return what makes the protocol of a connection that comes by *listening*."""
        plain = partial(
            bounded(self._clocks, self._connections, listening.listener),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        bounds = PreludeBounds(
            self._clocks.head,
            self._connections,
            self.server_state,
            lambda ended: self._sheet.add(("handshakes", ended)),
        )
        make: Callable[[], asyncio.Protocol] = plain
        if (context := self._contexts.get(listening)) is not None:
            make = lambda: TlsConnection(bounds, plain, context.connection(), listening.chains)  # noqa: E731 - as the one below
        if not listening.listener.proxy_protocol:
            return make
        return lambda: ProxiedConnection(bounds, make, self._proxies)


def _bounds(settings: Settings, sheet: Sheet) -> tuple[Clocks, Connections]:
    """Return how much time clients have, and how many of them there is room for, as *settings* say."""
    seconds = settings.request_seconds
    clocks = Clocks(head=seconds, idle=min(_IDLE_SECONDS, seconds), reading=seconds)
    most = most_for_files(settings.connections)
    per_address = max(1, min(settings.connections_per_address, most // 2))
    return clocks, Connections(most, per_address, settings.trusted_proxies, lambda why: sheet.add(("shed", why)))


async def _serve(server: ListeningServer) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)  # noqa: FBT003 - setattr has no names
    await server._serve([each.socket for each in server.listening])  # noqa: SLF001 - serve() would put its own signal handlers in place of ours


def run_keeper(path: Path, sheet: Sheet) -> None:
    """Do what happens by itself for the site at *path* until told to stop by SIGTERM; *sheet* says that it goes on."""
    site = Site(path)
    configure_log(site.settings.log_format)
    keeper = Keeper(site, beat=sheet.beat)
    sheet.begin()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(keeper, "stopping", True))
    log.info("keeper started", site=str(path), at=now().isoformat(timespec="seconds"))
    keeper.run()
    sheet.end()
    site.close()
