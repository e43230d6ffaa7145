"""How it stands with the repository that a site follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.snapshot import CommitId


@dataclass(frozen=True, slots=True)
class UpstreamStanding:
    """What is known of ``branch`` of the repository at ``url``; None and empty texts mean never, or nothing.

    It was asked at ``asked_at``, and answered at ``fetched_at`` that the branch is at ``head``. So many ``failures``
    came in a row since ``failing_since``, the last one for the reason ``error``.

    ``refused`` is a head that is not followed to, from ``refused_onto``, which our branch was at (None: there was no
    such branch), for the reason ``refusal``. ``accepted`` is one that somebody wants to have, whatever it does to our
    branch. ``taken`` is one that our branch is just being moved to, and that the audit has already.
    """

    url: str
    branch: str
    asked_at: datetime | None = None
    fetched_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    error: str = ""
    head: CommitId | None = None
    refused: CommitId | None = None
    refused_onto: CommitId | None = None
    refused_at: datetime | None = None
    refusal: str = ""
    accepted: CommitId | None = None
    accepted_by: str = ""
    taken: CommitId | None = None

    @property
    def trouble(self) -> str | None:
        """What somebody should look at, None if all is as it should be."""
        if self.failures:
            return f"{self.url} can't be fetched: {self.error}"
        return self.refusal or None
