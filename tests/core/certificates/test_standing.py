"""What certificates are at, in the words by which people look for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.certificates.rollout import Stage
from gitupd.core.certificates.standing import SOON, WORDS, CertificateStanding

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("stage", list(Stage))
def test_a_stage_is_its_own_word(stage: Stage) -> None:
    standing = CertificateStanding(stage)
    assert [word for word in WORDS if standing.meets(word, NOW)] == [stage.value]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=-1), {"expired"}),
        (timedelta(microseconds=-1), {"expired"}),
        (timedelta(), {"expiring"}),
        (SOON - timedelta(microseconds=1), {"expiring"}),
        (SOON, set()),
    ],
)
def test_the_end_is_near_or_past_or_far(left: timedelta, words: set[str]) -> None:
    standing = CertificateStanding(Stage.GOOD, NOW + left)
    assert {word for word in WORDS if standing.meets(word, NOW)} == {"good", *words}
