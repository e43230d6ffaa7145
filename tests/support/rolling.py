"""A hundred emulated devices that are given certificates by a real server, behind nginx or not."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.emulator.clock import running_clock
from gitupd.emulator.drive import drive_fleet
from gitupd.emulator.factory import Factory, read_authority
from gitupd.emulator.fleet import Fleet, FleetPlan, build_fleet
from gitupd.emulator.signing import RequestKeys
from gitupd.emulator.state import Habits
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from support.authorities import Authority
from support.proxies import proxying
from support.serving import Server, serving
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from gitupd.core.caller import Serial
    from gitupd.emulator.misbehaviour import Misbehaviour
    from gitupd.emulator.phone import Phone
    from gitupd.service.site import Site

SPEED = 600
MOST_POLLS = 24
REFUSED = "upload status 403"  # what devices report by HTTP, which is asked for all the same (recording 129)
LISTENERS = """
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"
"""
PROXIED = """
trusted_proxies = ["127.0.0.1"]
client_certificate_header = "X-Client-Certificate"
"""
TRANSPORT = """\
https: required
https_port: {port}
client_certificate: required
"""


@dataclass
class Roll:
    """A site with its server, and the devices that poll it."""

    site: Site
    server: Server
    http: int
    https: int
    files: dict[str, bytes]
    phones: list[Phone] = field(default_factory=list)
    told: dict[str, set[str]] = field(default_factory=dict)
    """By serial number, which secrets a device was ever told."""
    secrets: tuple[str, ...] = ()

    def commit(self, files: Mapping[str, bytes]) -> None:
        """Deploy what was deployed last, changed."""
        self.files |= files
        made = self.site.config.commit_files(self.files, "Change", "Test <test@localhost>")
        self.server.ready(deploy(self.site, made, who="test", now=now(), force=True, reason="meant")[0].commit)

    def deliver(self, secret: str) -> None:
        """Have all who may know it told a secret."""
        self.secrets += (secret,)
        self.commit({"snippets/all-all-all.txt": f"config add PHONE /pw {secret}\n".encode()})

    def add(self, count: int, factory: Factory, *misbehaviours: Misbehaviour) -> list[Phone]:
        """Unbox devices, which poll by HTTP first."""
        plan = FleetPlan(
            f"http://127.0.0.1:{self.http}/update.php",
            types=("IP222", "IP232", "IP240"),
            count=count,
            first_serial=f"00-90-33-00-{len(self.phones) >> 8:02x}-{(len(self.phones) & 255) + 1:02x}",
            speed=SPEED,
            factory=factory,
            request_keys=RequestKeys.ECDSA,
            habits=Habits(frozenset(misbehaviours), interval=30, restart_seconds=5, key_seconds=5),
        )
        made = build_fleet(plan, running_clock(None, SPEED)).phones
        for phone in made:
            phone.after_poll = self._note
        self.phones += made
        return made

    def _note(self, phone: Phone) -> None:
        script = "\n".join(phone.last_lines)
        self.told.setdefault(phone.serial, set()).update(secret for secret in self.secrets if secret in script)

    def polls(self, times: int, phones: Iterable[Phone] | None = None) -> None:
        """Have devices poll so many times more."""
        polling = list(self.phones if phones is None else phones)
        for phone in polling:
            habits = phone.device.habits
            phone.device.habits = replace(habits, polls=phone.rounds + times, first_poll_after=0.0)
        plan = FleetPlan("http://127.0.0.1/", count=len(polling), speed=SPEED)
        summary = drive_fleet(Fleet(plan, polling[0].device.clock, polling))
        assert set(summary.errors) <= {REFUSED}, summary.errors

    def polls_until(self, condition: Callable[[Phone], object], phones: Iterable[Phone] | None = None) -> None:
        """Have devices poll until *condition* holds for all of them."""
        polling = list(self.phones if phones is None else phones)
        for _ in range(0, MOST_POLLS, 2):
            self.polls(2, polling)
            if all(map(condition, polling)):
                return
        counts = {str(stage): count for stage, count in self.site.rollouts.counts().items()}
        raise AssertionError(f"they stay at {counts}: {self._reasons()}")

    def wait_for_signatures(self) -> None:
        """Wait until all that is waiting is signed, which takes as long as it takes."""
        waiting = [Stage.SIGNING]
        until(lambda: all(record.rollout.signed for record in self.site.rollouts.at(waiting)), self._reasons)

    def _reasons(self) -> str:
        return repr(sorted({record.reason for record in self.site.rollouts.at(Stage)})[:5])

    def stage(self, phone: Phone) -> Stage | None:
        record = self.site.rollouts.of(serial_of(phone))
        return record.stage if record else None


def serial_of(phone: Phone) -> Serial:
    return parse_serial(phone.serial)


@contextmanager
def rolling(folder: Path, *, proxied: bool, settings: str = "") -> Iterator[Roll]:
    """Serve a site that requires certificates by HTTPS, behind nginx if *proxied*."""
    site, _ = create_site(folder / "site", who="test", now=now())
    with (site.path / "gitupd.toml").open("a") as file:
        file.write(settings + (PROXIED if proxied else LISTENERS))
    files = {
        "policies/backup.yaml": b"enabled: false\n",
        "policies/firmware.yaml": b"firmware: none\nbootcode: none\n",
    }
    try:
        with serving(site.path, options=None if proxied else [], workers=2) as server:
            if not proxied:
                yield _started(Roll(site, server, server.ports[0], server.ports[1], files))
                return
            shown = Authority.root().server("upd.example")
            with proxying("nginx.conf", folder, shown, {"8080": server.port}) as proxy:
                yield _started(Roll(site, server, proxy.http, proxy.mtls, files))
    finally:
        site.close()


def _started(roll: Roll) -> Roll:
    roll.commit({"policies/transport.yaml": TRANSPORT.format(port=roll.https).encode()})
    return roll


def factory_in(site: Site) -> Factory:
    """Make up the authority of the factory, which the site trusts."""
    trust = site.path / "trust"
    trust.mkdir(exist_ok=True)
    return Factory(read_authority(trust / "factory.pem", site.path / "factory.key"))
