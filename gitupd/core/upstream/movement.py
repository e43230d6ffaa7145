"""Whether a branch may follow the one at the upstream: forward by itself, and in any other way if a person agrees."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from gitupd.core.words import counted

if TYPE_CHECKING:
    from gitupd.core.snapshot import CommitId


class Relation(StrEnum):
    """How the upstream's branch stands to ours."""

    SAME = "same"
    FORWARD = "forward"  # all of ours is in it, and more; or there is nothing of ours yet
    REWOUND = "rewound"  # it is something that we had before
    REWRITTEN = "rewritten"  # both have commits that the other lacks
    UNRELATED = "unrelated"


def refusal(relation: Relation, branch: str, head: CommitId, lost: int) -> str | None:
    """Return why *branch* does not follow to *head*, None if it does; *lost* commits of ours would be gone."""
    what = f"branch {branch} of the upstream, {head[:12]},"
    match relation:
        case Relation.SAME | Relation.FORWARD:
            return None
        case Relation.REWOUND:
            return f"{what} was rewound: it lacks {counted(lost, 'commit')} that {_are(lost)} here"
        case Relation.REWRITTEN:
            return f"{what} was rewritten: it lacks {counted(lost, 'commit')} that {_are(lost)} here"
        case Relation.UNRELATED:
            return f"{what} has nothing in common with what is here"
        case _:
            assert_never(relation)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
