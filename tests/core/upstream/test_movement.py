"""Which movement of a branch elsewhere is followed."""

from __future__ import annotations

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.core.upstream.movement import Relation, refusal

HEAD = CommitId("12" * 20)


@pytest.mark.parametrize(
    ("relation", "lost", "words"),
    [
        (Relation.SAME, 0, None),
        (Relation.FORWARD, 0, None),
        (Relation.REWOUND, 1, "was rewound: it lacks 1 commit that is here"),
        (Relation.REWRITTEN, 2, "was rewritten: it lacks 2 commits that are here"),
        (Relation.UNRELATED, 0, "has nothing in common with what is here"),
    ],
)
def test_forward_by_itself_and_any_other_way_if_somebody_agrees(
    relation: Relation, lost: int, words: str | None
) -> None:
    said = refusal(relation, "main", HEAD, lost)
    assert said == (words and f"branch main of the upstream, 121212121212, {words}")
