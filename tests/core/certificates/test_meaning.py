"""What errors in a roll-out mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitupd.core.certificates.meaning import meaning
from gitupd.core.certificates.rollout import MOST_INSTALLATIONS, Rollout, Stage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONCE, OFTEN = (Rollout(installed=NOW, installations=count) for count in (1, MOST_INSTALLATIONS))


@pytest.mark.parametrize(
    ("stage", "rollout", "error", "begins"),
    [
        (Stage.REJECTED, Rollout(), "", "Somebody has decided"),
        (Stage.FAILED, Rollout(), "", "The device could not make its request"),
        (Stage.FAILED, OFTEN, "no match", "The device could not make its request"),
        (Stage.FAILED, OFTEN, "", "The device was sent its certificate 3 times"),
        (Stage.FAILED, ONCE, "", "The certificate that it was given is not good by"),
        (Stage.SIGNING, OFTEN, "", ""),
    ],
)
def test_an_error_is_explained(stage: Stage, rollout: Rollout, error: str, begins: str) -> None:
    said = meaning(stage, rollout, error)
    assert said.startswith(begins)
    assert bool(said) == bool(begins)
