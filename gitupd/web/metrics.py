"""``/metrics``: what all processes of the server have counted, and the fleet as it is now, for Prometheus."""

from __future__ import annotations

import platform
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from gitupd import __version__
from gitupd.core.deployments.convergence import QUORUMS, WORDS
from gitupd.errors import GitupdError, UnreadableRepository
from gitupd.service.backups.mirror import lag
from gitupd.service.backups.overdue import OverdueBackups
from gitupd.service.certificates.server import server_certificates
from gitupd.service.clock import now
from gitupd.service.deployments.telling import freezes_now
from gitupd.service.health import repository_trouble
from gitupd.service.sightings import Outcome
from gitupd.web.asgi.conclusion import HandshakeEnd, RequestKind, UploadMode, UploadOutcome
from gitupd.web.asgi.connections import Shed
from gitupd.web.asgi.counters import BOUNDS, KEEPER, STATUSES
from gitupd.web.certificate_metrics import certificate_families
from gitupd.web.upstream_metrics import upstream_families

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flask import Flask
    from prometheus_client.metrics_core import Metric

    from gitupd.core.deployments.convergence import Convergence
    from gitupd.service.deployments.live import Live
    from gitupd.service.fleet import Share, Summary
    from gitupd.service.site import Site
    from gitupd.store.fleet import Strangers
    from gitupd.web.asgi.counters import Counters
    from gitupd.web.context import Served

SUMMARY_SECONDS = 5.0
MOST_VALUES = 20
OTHER, UNKNOWN = "other", "unknown"
_METRICS = "GITUPD_METRICS"

bp = Blueprint("metrics", __name__)


def serve_metrics(app: Flask, parts: Served) -> None:
    """Have *app* answer ``/metrics`` from *parts*."""
    app.config[_METRICS] = Metrics(parts)
    app.register_blueprint(bp)


@bp.get("/metrics")
def metrics() -> Response:
    """Answer a scrape."""
    text = generate_latest(current_app.config[_METRICS])
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})


class Metrics(Collector):
    """All metrics of a server; any of its workers gives the same."""

    def __init__(self, parts: Served) -> None:
        """Make them from *parts*."""
        self._parts = parts
        self._lock = threading.Lock()
        self._summary: tuple[float, Live | None, tuple[Summary, Convergence | None]] | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield all families of metrics; those about the fleet only while the database answers."""
        build = {"version": __version__, "python": platform.python_version()}
        yield InfoMetricFamily("gitupd_build", "The program that runs.", build)
        yield from _of_requests(self._parts.counters)
        yield from _of_processes(self._parts.counters)
        yield from _of_tls(self._parts.site, self._parts.counters)
        live = self._parts.live
        yield from _of_deployment(live)
        yield from self._of_site(live)

    def _of_site(self, live: Live | None) -> Iterator[Metric]:
        try:
            readable = repository_trouble(self._parts.site, thorough=False) is None
            ready = bool(self._parts.health.report()["ready"])
            stalled = self._parts.health.stall() is not None
            summary, convergence = self._fleet(live)
            trust = [*_of_trust(self._parts.site), *certificate_families(self._parts.site, live, now())]
            commits = list(_of_commits(self._parts.site, live))
            backups = [*_of_backups(self._parts.site, live), *upstream_families(self._parts.site, live)]
        except GitupdError:
            yield GaugeMetricFamily("gitupd_database_up", _DATABASE_UP, 0)
            return
        yield GaugeMetricFamily("gitupd_database_up", _DATABASE_UP, 1)
        yield GaugeMetricFamily("gitupd_ready", "Whether /readyz finds everything as it should be.", ready)
        commit = GaugeMetricFamily(
            "gitupd_deployed_commit_readable", "Whether the repository can give the deployed commit."
        )
        if live is not None:
            commit.add_metric((), readable)
        yield commit
        yield GaugeMetricFamily("gitupd_deployment_stalled", _STALLED, stalled)
        yield from commits
        yield from backups
        yield from trust
        yield from _of_fleet(summary)
        yield from _of_convergence(convergence)
        yield from _of_strangers(summary.strangers, self._parts.follower.most_unknown)

    def _fleet(self, live: Live | None) -> tuple[Summary, Convergence | None]:
        """Return fleet and deployment in numbers, counted a few seconds ago at the most; one thread counts."""
        with self._lock:
            moment = time.monotonic()
            kept = self._summary
            if kept is None or kept[1] is not live or moment - kept[0] > SUMMARY_SECONDS:
                figures = self._parts.fleet().summary(), self._parts.measures().live()
                kept = self._summary = (moment, live, figures)
            return kept[2]


_UNKNOWN = "Devices that neither the configuration, nor a rule, nor a person knows."
_MOST_UNKNOWN = "How many unproved devices are remembered at a time."
_MIRROR_BEHIND = "Versions of backups that the mirror lacks, 0 if there is none."
_WITHOUT_BACKUP = "Devices that call and are overdue with a backup, or never uploaded one; 0 while backups are off."
_STALLED = "Whether commits are no longer deployed as the policy says: the branch is missing, or its head can't be."
_TLS_STALE = "Whether TLS goes on with other certificates than those in the files, which can't be used."
_TRUST_EXPIRY = "When an authority expires by which devices are identified; of several in a file, the first."
_NEXT_UPDATE = "When a list of revoked certificates should be replaced."
_ALARMED = "Devices whose hardware id or key has changed within a day, where a client certificate is required."
_REACHED = "Devices by what they have reached in the deployment that is live."
_SECONDS = "Seconds from the deployment that is live until so many percent of its devices had confirmed."
_SEEN = "The latest 1,000 commits that were seen, by what became of them."
_DATABASE_UP = "Whether the database answers."


def _of_requests(counters: Counters) -> Iterator[Metric]:
    """Yield what all workers, those that have ended included, have counted together."""
    requests = CounterMetricFamily("gitupd_http_requests", "Requests answered.", labels=("kind", "status"))
    times = HistogramMetricFamily(
        "gitupd_http_request_duration_seconds", "How long answers took to make.", labels=("kind",)
    )
    for kind in RequestKind:
        for status in STATUSES:
            requests.add_metric((kind, status), counters.total(("requests", kind, status)))
        counts = [counters.total(("bucket", kind, str(number))) for number in range(len(BOUNDS) + 1)]
        bounds = (*map(str, BOUNDS), "+Inf")
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        times.add_metric((kind,), buckets, counters.total(("seconds", kind)))
    yield from (requests, times)
    polls = CounterMetricFamily("gitupd_polls", "Polls of devices.", labels=("outcome",))
    for outcome in Outcome:
        polls.add_metric((outcome,), counters.total(("polls", outcome)))
    yield polls
    uploads = CounterMetricFamily("gitupd_uploads", "Uploads of devices.", labels=("mode", "outcome"))
    for mode in UploadMode:
        for end in UploadOutcome:
            uploads.add_metric((mode, end), counters.total(("uploads", mode, end)))
    yield uploads
    handshakes = CounterMetricFamily("gitupd_tls_handshakes", "TLS handshakes of clients.", labels=("outcome",))
    for ended in HandshakeEnd:
        handshakes.add_metric((ended,), counters.total(("handshakes", ended)))
    yield handshakes
    shed = CounterMetricFamily("gitupd_connections_shed", "Connections closed for want of something.", labels=("want",))
    for want in Shed:
        shed.add_metric((want,), counters.total(("shed", want)))
    yield shed
    sent, dropped = counters.total(("firmware-bytes",)), counters.total(("log-dropped",))
    yield CounterMetricFamily("gitupd_firmware_sent_bytes", "Bytes of firmware files sent.", sent)
    yield CounterMetricFamily(
        "gitupd_devices_left_out",
        "Sightings of unknown devices that were not written down, for there were too many.",
        counters.total(("devices-left-out",)),
    )
    yield CounterMetricFamily(
        "gitupd_requests_not_recorded",
        "Requests of watched devices that could not be written down.",
        counters.total(("requests-not-recorded",)),
    )
    yield CounterMetricFamily("gitupd_log_lines_dropped", "Lines of the log that nobody took in time.", dropped)


def _of_strangers(strangers: Strangers, most: int) -> Iterator[Metric]:
    unknown = GaugeMetricFamily("gitupd_devices_unknown", _UNKNOWN, labels=("admission",))
    for name in ("unknown", "outside", "unproved"):
        unknown.add_metric((name,), getattr(strangers, name))
    yield unknown
    yield GaugeMetricFamily("gitupd_devices_unknown_limit", _MOST_UNKNOWN, most)


def _of_processes(counters: Counters) -> Iterator[Metric]:
    """Yield what the processes that are alive say of themselves."""
    living = counters.living(time.monotonic())
    workers = {number: sheet for number, sheet in living.items() if number != KEEPER}
    yield GaugeMetricFamily("gitupd_workers", "Processes that answer requests.", len(workers))
    waiting = sum(sheet[("sightings-waiting",)] for sheet in workers.values())
    yield GaugeMetricFamily("gitupd_sightings_waiting", "Sightings of devices that have yet to be written.", waiting)
    labels = ("process",)
    cpu = CounterMetricFamily("gitupd_process_cpu_seconds", "Processor time of a process.", labels=labels)
    memory = GaugeMetricFamily("gitupd_process_resident_memory_bytes", "Memory that a process holds.", labels=labels)
    started = GaugeMetricFamily("gitupd_process_start_time_seconds", "When a process started.", labels=labels)
    for number, sheet in living.items():
        name = ("keeper" if number == KEEPER else f"worker-{number}",)
        cpu.add_metric(name, sheet[("cpu",)])
        memory.add_metric(name, sheet[("memory",)])
        started.add_metric(name, sheet[("started",)])
    yield from (cpu, memory, started)
    ticked = GaugeMetricFamily("gitupd_keeper_last_tick_timestamp_seconds", "When the keeper last did what was due.")
    if (last := counters.last_beat(KEEPER)) is not None:
        ticked.add_metric((), time.time() - (time.monotonic() - last))
    yield ticked


def _of_tls(site: Site, counters: Counters) -> Iterator[Metric]:
    """Yield until when the server's certificates are valid, those of its settings, and whether they are used."""
    workers = [sheet for number, sheet in counters.living(time.monotonic()).items() if number != KEEPER]
    stale = any(sheet[("tls-trouble",)] for sheet in workers)
    yield GaugeMetricFamily("gitupd_tls_files_stale", _TLS_STALE, stale)
    expiry = GaugeMetricFamily(
        "gitupd_tls_certificate_expiry_timestamp_seconds", "When a certificate of the server expires.", labels=("file",)
    )
    for file, certificate in server_certificates(site):
        expiry.add_metric((file,), certificate.not_after.timestamp())
    yield expiry


def _of_trust(site: Site) -> Iterator[Metric]:
    """Yield until when authorities identify devices, and when lists of revoked certificates are late."""
    labels = ("file",)
    expiry = GaugeMetricFamily("gitupd_trust_expiry_timestamp_seconds", _TRUST_EXPIRY, labels=labels)
    update = GaugeMetricFamily("gitupd_revocation_list_next_update_timestamp_seconds", _NEXT_UPDATE, labels=labels)
    store = site.trust.read()
    ends: dict[str, float] = {}
    for authority in store.authorities:
        end = authority.reading.certificate.not_after.timestamp()
        ends[authority.file] = min(end, ends.get(authority.file, end))
    for file, end in ends.items():
        expiry.add_metric((file,), end)
    for listed in store.lists:
        if listed.list.next_update is not None:
            update.add_metric((listed.file,), listed.list.next_update.timestamp())
    yield from (expiry, update)


def _of_deployment(live: Live | None) -> Iterator[Metric]:
    deployed = InfoMetricFamily("gitupd_deployed_commit", "The commit that is delivered.", labels=("commit", "branch"))
    since = GaugeMetricFamily("gitupd_deployed_timestamp_seconds", "When it was deployed.")
    if live is not None:
        labels = {"commit": live.deployment.commit, "branch": live.snapshot.policy.deploy.branch}
        deployed.add_metric((), labels)
        since.add_metric((), live.deployment.at.timestamp())
    yield from (deployed, since)


def _of_commits(site: Site, live: Live | None) -> Iterator[Metric]:
    """Yield what became of the commits that are remembered, and whether deployments are frozen."""
    states = GaugeMetricFamily("gitupd_commits", _SEEN, labels=("state",))
    for state, count in site.commits.counts().items():
        states.add_metric((state.value,), count)
    yield states
    frozen = bool(freezes_now(site, live, now()))
    yield GaugeMetricFamily("gitupd_deployments_frozen", "Whether deployments are frozen.", frozen)


def _of_backups(site: Site, live: Live | None) -> Iterator[Metric]:
    waiting = site.backup_inbox.count()
    yield GaugeMetricFamily("gitupd_backups_waiting", "Backups that have yet to become commits.", waiting)
    behind = GaugeMetricFamily("gitupd_backup_mirror_behind_versions", _MIRROR_BEHIND)
    with suppress(UnreadableRepository):
        missing = lag(site)
        behind.add_metric((), missing.versions if missing is not None else 0)
    yield behind
    yield GaugeMetricFamily("gitupd_backup_history_bytes", "Disk that the backup history takes.", site.backups.size())
    overdue = OverdueBackups(site, live, now()).count()
    yield GaugeMetricFamily("gitupd_devices_without_backup", _WITHOUT_BACKUP, overdue.late + overdue.never)


def _of_fleet(summary: Summary) -> Iterator[Metric]:
    devices = GaugeMetricFamily("gitupd_devices", "Devices by how they stand.", labels=("state",))
    for state, count in (("current", summary.current), ("waiting", summary.waiting), ("missing", summary.missing)):
        devices.add_metric((state,), count)
    yield devices
    yield GaugeMetricFamily("gitupd_devices_warned", "Devices with something odd about them.", summary.warned)
    yield GaugeMetricFamily("gitupd_devices_alarmed", _ALARMED, summary.alarmed)
    ratio = GaugeMetricFamily(
        "gitupd_convergence_ratio", "Share of the present devices that have executed the deployed commit."
    )
    if summary.present:
        ratio.add_metric((), summary.current / summary.present)
    yield ratio
    for name, shares in (("phase", summary.phases), ("firmware", summary.firmware)):
        family = GaugeMetricFamily(f"gitupd_devices_by_{name}", f"Devices by {name}.", labels=(name,))
        for value, count in _bounded(shares).items():
            family.add_metric((value,), count)
        yield family


def _of_convergence(convergence: Convergence | None) -> Iterator[Metric]:
    """Yield how far the deployment has come that is live; nothing that is not known, such as times not reached yet."""
    devices = GaugeMetricFamily("gitupd_deployment_devices", _REACHED, labels=("reached",))
    times = GaugeMetricFamily("gitupd_deployment_convergence_seconds", _SECONDS, labels=("percent",))
    if convergence is not None:
        for word in WORDS:
            if (count := getattr(convergence, word.replace("-", "_"))) is not None:
                devices.add_metric((word,), count)
        for percent, seconds in zip(QUORUMS, convergence.seconds, strict=True):
            if seconds is not None:
                times.add_metric((str(percent),), seconds)
    yield from (devices, times)


def _bounded(shares: Sequence[Share]) -> dict[str, int]:
    """Return the largest shares, and the others summed up: no device can make endless series, nor one that is there."""
    counts = Counter({OTHER: sum(share.count for share in shares[MOST_VALUES:])})
    for share in shares[:MOST_VALUES]:
        counts[share.value or UNKNOWN] += share.count
    return {value: count for value, count in counts.items() if count}
