"""Whether the clock of the machine can be right: certificates, deployments and what is missing depend on it."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import gitupd
from gitupd.core.search import Search
from gitupd.errors import GitupdError
from gitupd.service.checkup.finding import SiteFinding
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_TOLERATED = timedelta(minutes=5)
_WHERE = "clock"
_CURE = "set the clock, and have it kept by NTP: timedatectl set-ntp true"
_TIME_ERROR = 5
_LARGEST_TIMEX = 512  # bytes; what the kernel fills in has 208


def clock_is_plausible(site: Site, live: Live | None, now: datetime) -> Iterator[SiteFinding]:
    """Yield what was written down with a time that has yet to come: the clock is behind, or was ahead."""
    for what, at in _witnesses(site, live):
        if at > now + _TOLERATED:
            yield SiteFinding(
                _WHERE,
                f"{what} of {at:%Y-%m-%d %H:%M} UTC, and it is {now:%Y-%m-%d %H:%M} UTC here: the clock is behind, "
                "or was ahead then",
                _CURE,
            )
    if is_synchronised() is False:
        what = "as far as the kernel knows, nobody keeps it exact"
        yield SiteFinding(_WHERE, what, f"{_CURE}; in a container, that is the host's business", mend=False)


def _witnesses(site: Site, live: Live | None) -> Iterator[tuple[str, datetime]]:
    program = Path(gitupd.__file__)
    yield "this program is", datetime.fromtimestamp(program.stat().st_mtime, UTC)
    yield from _newest_commit(site, live)
    if live is not None:
        yield "the last deployment is", live.deployment.at
    newest = Fleet(site, live, datetime.max.replace(tzinfo=UTC)).find(
        Search(), sort="last_seen", descending=True, limit=1
    )
    for device in newest.devices:
        if device.last_seen is not None:
            yield f"the last call, of {device.serial}, is", device.last_seen
    for entry in site.audit.entries(1):
        yield "the last entry of the audit is", entry.at


def _newest_commit(site: Site, live: Live | None) -> Iterator[tuple[str, datetime]]:
    branch = live.snapshot.policy.deploy.branch if live is not None else "main"
    try:
        with site.open_config() as repository:
            commit = repository.describe(repository.head(branch))
    except GitupdError:
        return  # told elsewhere
    yield f"commit {commit.id[:12]}, the newest of branch {branch}, is", commit.at


def is_synchronised() -> bool | None:
    """Whether the kernel's clock is kept by NTP or the like, None if that can't be told here."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_LARGEST_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR
