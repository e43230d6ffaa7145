"""A deployment: somebody, or the server by itself, decided what is delivered from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.snapshot import CommitId


@dataclass(frozen=True, slots=True)
class Deployment:
    """A decision: from ``at`` on, ``commit`` is delivered.

    ``kind`` is deploy, rollback or automatic, ``replaced`` the commit before, None for the first.
    """

    id: int
    commit: CommitId
    at: datetime
    who: str
    kind: str
    replaced: CommitId | None
    reason: str


@dataclass(frozen=True, slots=True)
class Block:
    """Who has kept a commit from being deployed, when, and why; ``reason`` may be empty."""

    at: datetime
    who: str
    reason: str
