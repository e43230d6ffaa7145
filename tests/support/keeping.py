"""A keeper of backups at work, and what becomes of a history in its hands."""

from __future__ import annotations

import re
import time
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.service.backups.keeper import BackupKeeper
from gitupd.service.backups.troubles import backup_troubles
from gitupd.service.backups.upkeep import verify
from gitupd.service.clock import now
from gitupd.service.deployments.live import Follower
from gitupd.service.site import Site
from support.offices import LINES, SERIAL, Office, dump
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.caller import Serial
    from gitupd.store.ages import Ages

WHOLE = re.compile(r"\d+ versions?, every object is whole")


def commit_of(office: Office, *lines: str, serial: Serial = SERIAL) -> str:
    """Upload, commit, and return the commit."""
    assert office.upload(dump(*LINES, *lines), serial) == "kept"
    assert office.commit() == 1
    return office.history().version(serial).commit


def all_is_well(office: Office) -> None:
    assert WHOLE.fullmatch(list(verify(office.site))[-1])
    assert office.site.backup_inbox.count() == 0


@contextmanager
def running_keeper(office: Office, ages: Ages | None = None) -> Iterator[None]:
    """Commit in the background while the block runs."""
    with closing(Site(office.site.path)) as site:
        follower = Follower(site)
        follower.follow()
        keeper = BackupKeeper(site, follower, idle=0.02, upkeep=0.05, ages=ages)
        keeper.start()
        try:
            yield
        finally:
            keeper.stop()


def settled(office: Office) -> None:
    """Wait until nothing is in the inbox any more, and the keeper has begun."""
    locks = office.site.backups.path.glob
    until(lambda: not office.site.backup_inbox.count() and not list(locks("**/*.lock")), "uploads stay in the inbox")
    time.sleep(0.1)


def told(office: Office, *, later: timedelta = timedelta(0)) -> tuple[list[str], list[str]]:
    """Return what is wrong with the backups of a site so much later: troubles, and warnings."""
    with closing(Site(office.site.path)) as site:
        return backup_troubles(site, now() + later)
