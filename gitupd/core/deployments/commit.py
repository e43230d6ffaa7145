"""What a commit says of itself, and which files it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.snapshot import CommitId


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What a commit says of itself; ``at`` is the committer's time, aware, or 1970 as for Git if that can't be told.

    ``committer`` is empty where nobody needs it.
    """

    id: CommitId
    author: str
    at: datetime
    subject: str
    committer: str = ""


@dataclass(frozen=True, slots=True)
class CommitText:
    """All that a commit says: its ``message`` with the subject, and the ``parents`` it was made from."""

    info: CommitInfo
    message: str
    parents: tuple[CommitId, ...]


@dataclass(frozen=True, slots=True)
class FileSide:
    """A file before or after a change: its ``size`` in bytes, and its ``content``, None if it was too large to read."""

    size: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs between two commits; a side is None where there is no such file."""

    path: str
    before: FileSide | None
    after: FileSide | None
