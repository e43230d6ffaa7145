"""A whole site examined: every check does what it can, and one that fails is a finding itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.errors import GitupdError
from gitupd.service.checkup.expiry import (
    chain_ends,
    devices_end,
    own_authority_ends,
    server_certificates_end,
    trust_ends,
)
from gitupd.service.checkup.files import open_files
from gitupd.service.checkup.finding import SiteFinding
from gitupd.service.checkup.parts import database_is_there, disk_has_room, hooks_are_run, repositories_are_whole
from gitupd.service.checkup.plausible_time import clock_is_plausible
from gitupd.service.checkup.upstream import upstream_is_followed
from gitupd.service.deployments.live import live_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from gitupd.service.site import Site


def examine(site: Site, now: datetime) -> tuple[SiteFinding, ...]:
    """Return what there is to mend or to know at *site* at the time *now*; nothing is changed."""
    return (*_without_database(site, now), *_with_database(site, now))


def _without_database(site: Site, now: datetime) -> Iterator[SiteFinding]:
    yield from _tried("files", lambda: open_files(site))
    yield from _tried("disk", lambda: disk_has_room(site))
    yield from _tried("hooks", lambda: hooks_are_run(site))
    yield from _tried("tls", lambda: server_certificates_end(site, now))
    yield from _tried("trust", lambda: trust_ends(site, now))


def _with_database(site: Site, now: datetime) -> Iterator[SiteFinding]:
    unusable = list(_tried("database", lambda: database_is_there(site)))
    yield from unusable
    if unusable:
        return  # whatever else is asked would be answered with that
    try:
        live = live_now(site)
    except GitupdError as error:
        live = None
        yield SiteFinding(
            "deployed commit", str(error), "restore config.git from a copy, or gitupd deploy another commit"
        )
    yield from _tried("clock", lambda: clock_is_plausible(site, live, now))
    yield from _tried("repositories", lambda: repositories_are_whole(site, live, now))
    yield from _tried("upstream", lambda: upstream_is_followed(site, live, now))
    yield from _tried("certificates", lambda: chain_ends(live, now))
    yield from _tried("authority", lambda: own_authority_ends(site, now))
    yield from _tried("devices", lambda: devices_end(site, now))


def _tried(name: str, check: Callable[[], Iterable[SiteFinding]]) -> Iterator[SiteFinding]:
    try:
        yield from check()
    except (GitupdError, OSError) as error:
        yield SiteFinding(name, f"this could not be looked at: {error}", "mend that first, and look again")
