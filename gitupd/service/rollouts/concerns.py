"""What somebody should look at before certificates fail: told by /readyz, by gitupd status and on pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.certificates.rollout import Stage
from gitupd.core.search import InState, Search
from gitupd.core.words import counted
from gitupd.service.certificates.own_authority import own_troubles
from gitupd.service.certificates.server import server_certificates
from gitupd.service.rollouts.overview import ENDED, CertificateOverview

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

PATIENCE = timedelta(days=3)
"""How long a request may wait for a signature before that is worth a warning."""

_SERVERS = timedelta(days=14)
_PRESENT = Search("present", (InState("present"),))


def certificate_concerns(site: Site, live: Live | None, now: datetime) -> list[str]:
    """Return what somebody should look at, as sentences without their full stops."""
    return [*site_concerns(site, now), *_of_devices(site, live, now)]


def site_concerns(site: Site, now: datetime) -> list[str]:
    """Return those of them that are about the server's own certificate, and the authority of the site."""
    return [*_of_the_server(site, now), *own_troubles(site, now)]


def _of_the_server(site: Site, now: datetime) -> Iterator[str]:
    for file, certificate in server_certificates(site):
        if certificate.not_after < now:
            yield f"{file}: the server's certificate has ended on {certificate.not_after:%Y-%m-%d}"
        elif certificate.not_after < now + _SERVERS:
            yield f"{file}: the server's certificate ends on {certificate.not_after:%Y-%m-%d}"


def _of_devices(site: Site, live: Live | None, now: datetime) -> Iterator[str]:
    if live is None or not live.snapshot.policy.certificates.enabled:
        return
    overview = CertificateOverview(site, live, now)
    summary = overview.summary()
    if failed := summary.at(Stage.FAILED):
        yield (
            f"{counted(failed, 'roll-out of a certificate has', 'roll-outs of certificates have')} failed; "
            "see: gitupd certificates list --stage failed"
        )
    if summary.oldest_request is not None and summary.oldest_request < now - PATIENCE:
        waiting = counted(summary.at(Stage.SIGNING), "signing request waits", "signing requests wait")
        yield f"{waiting}, the first since {summary.oldest_request:%Y-%m-%d}"
    _, ended = overview.listed(overview.choice(week=ENDED, search=_PRESENT), 1) if summary.ended else ([], 0)
    if ended:
        calls = counted(ended, "device calls whose certificate has", "devices call whose certificates have")
        yield f"{calls} ended; see: gitupd devices certificate:expired present"
