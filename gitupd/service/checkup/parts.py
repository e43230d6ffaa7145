"""The parts of a site: its database, its repositories, their hooks, and the disk that they lie on."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from gitupd.service.backups.troubles import backup_troubles
from gitupd.service.checkup.finding import SiteFinding
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.waiting import stall
from gitupd.service.health import repository_trouble
from gitupd.store.places import BACKUPS, CONFIG, DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_FEW_INODES = 100  # one in so many
_SAMPLE = ".sample"


def database_is_there(site: Site) -> Iterator[SiteFinding]:
    """Yield why the database can't be asked; without any finding, all its tables are there."""
    path = site.path / DATABASE
    if not site.settings.database and not path.exists():
        cure = f"restore a copy; or gitupd deploy main --site {shlex.quote(str(site.path))}, which makes a new one"
        yield SiteFinding(str(path), "there is no database: who may log in, and what is deployed, is not known", cure)
        return
    where = site.settings.database.partition(":")[0] or str(path)
    revision, wanted = site.database.revisions()
    if revision != wanted:
        is_newer = revision is not None and revision > wanted
        cure = (
            "install the gitupd that was here before, or restore a copy of the site from before"
            if is_newer
            else "make a copy of the site; any other command, and the server's start, brings the tables up to date"
        )
        what = f"its tables are of revision {revision or 'none'}, and this gitupd has {wanted}"
        yield SiteFinding(where, what, cure)
    for damage in site.database.damages():
        yield SiteFinding(
            where, f"it is damaged: {damage}", "restore a copy; see: Keep copies, in Install as a service"
        )


def disk_has_room(site: Site) -> Iterator[SiteFinding]:
    """Yield that the disk is full, or nearly."""
    if (trouble := site.reserve.trouble) is not None:
        yield SiteFinding(str(site.path), trouble, "remove what is not needed, or lower disk_reserve in gitupd.toml")
    disk = os.statvfs(site.path)
    if disk.f_files and disk.f_favail * _FEW_INODES < disk.f_files:
        what = f"only {disk.f_favail:,} files more can be made on this disk"
        yield SiteFinding(
            str(site.path), what, "remove files that are not needed: there are too many, whatever their size"
        )


def repositories_are_whole(site: Site, live: Live | None, now: datetime) -> Iterator[SiteFinding]:
    """Yield what keeps commits from being read or deployed, and backups from becoming history."""
    config = site.path / CONFIG
    if (trouble := repository_trouble(site)) is not None:
        cure = (
            "gitupd deploy main"
            if live is None
            else f"restore {config} from a copy; devices are served from the kept one"
        )
        yield SiteFinding(CONFIG, trouble, cure)
    if (stalled := stall(site, live, Verdicts(site))) is not None:
        cure = "push the branch again, or name another in policies/deploy.yaml; mend the commit, or gitupd deploy it"
        yield SiteFinding(CONFIG, stalled, cure)
    troubles, warnings = backup_troubles(site, now)
    for each in (*troubles, *warnings):
        yield SiteFinding(
            BACKUPS, each, "gitupd backups verify tells more; the keeper of a running server goes on by itself"
        )


def hooks_are_run(site: Site) -> Iterator[SiteFinding]:
    """Yield hooks of the configuration repository that Git passes over."""
    folder = site.path / CONFIG / "hooks"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix != _SAMPLE and path.is_file() and not os.access(path, os.X_OK):
            what = "Git does not run this hook, for it is not executable"
            yield SiteFinding(str(path), what, f"chmod +x {shlex.quote(str(path))}, or remove it")
