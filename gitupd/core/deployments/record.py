"""What is remembered of a commit of the followed branch: from when it was seen to what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitupd.core.deployments.state import CommitState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.snapshot import CommitId

OPEN_STATES = frozenset(
    {CommitState.SEEN, CommitState.WAITING, CommitState.FROZEN, CommitState.BRAKED, CommitState.APPROVED}
)
"""Those of commits that go with a later one, once that is there."""


@dataclass(frozen=True, slots=True)
class Makers:
    """Who made a commit: ``author`` and ``committer`` as it says, and who has pushed it, empty if nobody knows."""

    author: str = ""
    committer: str = ""
    pusher: str = ""


@dataclass(frozen=True, slots=True)
class CommitArrival:
    """A commit that is seen for the first time, ``came_with`` the head of the branch, which may be itself."""

    commit: CommitId
    branch: str
    subject: str
    makers: Makers
    came_with: CommitId


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """A commit of a branch that is or was followed; ``id`` counts in the order in which they arrived.

    Its grace counts ``since`` then, None if it has to be counted anew. It is in its ``state`` for a ``reason`` since
    ``at``, because of ``who``, empty if that is the server. ``checks`` and ``signature`` say what was found; empty if
    nobody has looked yet. ``plan`` are its numbers for the fleet, None if there are none yet.
    """

    id: int
    arrival: CommitArrival
    arrived: datetime
    since: datetime | None
    state: CommitState
    reason: str
    who: str
    at: datetime
    checks: str = ""
    signature: str = ""
    plan: Mapping[str, Any] | None = None

    @property
    def commit(self) -> CommitId:
        """Which commit it is."""
        return self.arrival.commit


@dataclass(frozen=True, slots=True)
class CommitApproval:
    """That somebody has approved a commit, who and when."""

    commit: CommitId
    who: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Freeze:
    """That somebody has frozen deployments, for a ``reason``, until an end or, None, until it is lifted."""

    at: datetime
    who: str
    reason: str
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it holds *now*."""
        return self.until is None or now < self.until
