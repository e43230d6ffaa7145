"""A roll-out as steps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitupd.core.certificates.rollout import Rollout, Stage
from gitupd.core.certificates.steps import steps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(stage: Stage, rollout: Rollout | None = None) -> str:
    return " ".join(step.progress.replace(" ", "-") for step in steps(stage, rollout or Rollout()))


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.UNKNOWN, "now to-come to-come to-come to-come to-come"),
        (Stage.START_OVER, "now to-come to-come to-come to-come to-come"),
        (Stage.REQUEST, "done now to-come to-come to-come to-come"),
        (Stage.BUSY, "done now to-come to-come to-come to-come"),
        (Stage.NAMELESS, "done held-up to-come to-come to-come to-come"),
        (Stage.OLD_FIRMWARE, "done held-up to-come to-come to-come to-come"),
        (Stage.FETCH, "done done now to-come to-come to-come"),
        (Stage.SIGNING, "done done done now to-come to-come"),
        (Stage.REJECTED, "done done done failed to-come to-come"),
        (Stage.INSTALL, "done done done done now to-come"),
        (Stage.CLEAN_UP, "done done done done done now"),
        (Stage.NOT_YET_VALID, "done done done done done held-up"),
        (Stage.GOOD, "done done done done done done"),
        (Stage.ABSENT, ""),
        (Stage.FAILED, "done failed to-come to-come to-come to-come"),
        (Stage.LOOK_AGAIN, "now to-come to-come to-come to-come to-come"),
    ],
)
def test_every_stage_is_a_step(stage: Stage, expected: str) -> None:
    assert told(stage) == expected
    assert sum(step.is_current for step in steps(stage, Rollout())) == (stage not in {Stage.GOOD, Stage.ABSENT})


@pytest.mark.parametrize(
    ("rollout", "expected"),
    [
        (Rollout(requested=NOW), "done failed to-come to-come to-come to-come"),
        (Rollout(b"request", NOW), "done failed to-come to-come to-come to-come"),
        (Rollout(b"request", NOW, installed=NOW), "done done done done failed to-come"),
    ],
)
def test_what_was_tried_last_has_failed(rollout: Rollout, expected: str) -> None:
    assert told(Stage.FAILED, rollout) == expected
    assert told(Stage.LOOK_AGAIN, rollout) == expected.replace("failed", "now")
