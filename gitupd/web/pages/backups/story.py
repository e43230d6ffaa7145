"""What else happened while configurations changed: what was deployed, by whom, and what devices were put back to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from gitupd.web.context import served
from gitupd.web.revisions import describe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.backups.restore import Restore
    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId

MOST = 50
"""How many deployments a page lists at the most."""

_APART = 3
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment, and what its commit says of itself, None if that can't be read any more."""

    deployment: Deployment
    info: CommitInfo | None

    @property
    def at(self) -> datetime:
        """When it was decided."""
        return self.deployment.at


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore of the device, from when it was asked for."""

    restore: Restore

    @property
    def at(self) -> datetime:
        """When it was asked for."""
        return self.restore.asked


@dataclass(frozen=True, slots=True)
class Changed:
    """A change in a list; ``number`` is that of the index, ``name`` what the device is called now, if that is told."""

    version: BackupVersion
    number: int | None = None
    name: str | None = None

    @property
    def at(self) -> datetime:
        """When it came."""
        return self.version.received


@dataclass(frozen=True, slots=True)
class ChangedAlike:
    """What ``count`` devices changed alike after a deployment, and the newest of these changes."""

    newest: Changed
    count: int
    commit: str

    @property
    def at(self) -> datetime:
        """When the newest of them came."""
        return self.newest.at


@dataclass(frozen=True, slots=True)
class Several:
    """Deployments with no change between them, the newest first: too many to stand in a list each."""

    deployments: tuple[Deployed, ...]

    @property
    def at(self) -> datetime:
        """When the newest of them was decided."""
        return self.deployments[0].at


Happening = Changed | ChangedAlike | Deployed | Several | Restored


def happenings_of(changes: Iterable[Changed | ChangedAlike], others: Iterable[Deployed | Restored]) -> list[Happening]:
    """Return all of it in one list, the newest first, with long rows of deployments taken together."""
    # Of the same time, a change is told above what may have led to it.
    oldest_first = [*reversed(list(others)), *reversed(list(changes))]
    ordered = sorted(oldest_first, key=lambda each: each.at)[::-1]
    happenings: list[Happening] = []
    for are_deployments, group in groupby(ordered, lambda each: isinstance(each, Deployed)):
        some = list(group)
        if are_deployments and len(some) > _APART:
            happenings.append(Several(tuple(each for each in some if isinstance(each, Deployed))))
        else:
            happenings += some
    return happenings


def deployments_between(start: datetime | None, end: datetime | None) -> list[Deployed]:
    """Return what was deployed from *start* on and before *end*, the newest first; None leaves that side open."""
    deployments = served().site.deployments.between(start, end, MOST)
    commits = describe(*(deployment.commit for deployment in deployments))
    return [Deployed(deployment, commits.get(deployment.commit)) for deployment in deployments]


def restores_between(serial: Serial, start: datetime | None, end: datetime | None) -> list[Restored]:
    """Return which restores of a device were asked for from *start* on and before *end*, the newest first."""
    return [
        Restored(restore)
        for restore in served().site.restores.of(serial)
        if (start is None or restore.asked >= start) and restore.asked < (end or _NEVER)
    ]


def deployment_behind(version: BackupVersion) -> Deployed | None:
    """Return how that came to be deployed which a device had got when it uploaded *version*, None if nobody knows."""
    commit: CommitId | None = version.facts.get("delivered") or version.facts.get("deployed")
    deployment = served().site.deployments.last_of(commit, version.received) if commit else None
    if deployment is None:
        return None
    return Deployed(deployment, describe(deployment.commit).get(deployment.commit))
