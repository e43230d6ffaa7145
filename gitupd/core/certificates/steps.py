"""A roll-out as steps that people can follow: what is done, where it stands, and what is to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from gitupd.core.certificates.rollout import Stage

if TYPE_CHECKING:
    from gitupd.core.certificates.rollout import Rollout

Progress = Literal["done", "now", "to come", "failed", "held up"]
"""How a step stands, in the words that pages show beside its shape."""

_REPORT, _REQUEST, _UPLOAD, _SIGNATURE, _INSTALLATION, _GOOD = range(6)
_TITLES = (
    "It reports its certificates",
    "It makes a key and a request",
    "It uploads the request",
    "The request is signed",
    "It installs the certificate",
    "It reports the new certificate",
)
_HELD_UP = frozenset({Stage.OLD_FIRMWARE, Stage.NAMELESS, Stage.NOT_YET_VALID})
_FAILED = frozenset({Stage.FAILED, Stage.REJECTED})


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step of a roll-out, and how it stands."""

    title: str
    progress: Progress

    @property
    def is_current(self) -> bool:
        """Whether the roll-out stands here."""
        return self.progress in ("now", "failed", "held up")


def steps(stage: Stage, rollout: Rollout) -> tuple[RolloutStep, ...]:
    """Return the steps of a roll-out at *stage*; none for a device that is to have no certificate."""
    if stage is Stage.ABSENT:
        return ()
    if stage is Stage.GOOD:
        return tuple(RolloutStep(title, "done") for title in _TITLES)
    at = _position(stage, rollout)
    return tuple(RolloutStep(title, _progress(number, at, stage)) for number, title in enumerate(_TITLES))


def _progress(number: int, at: int, stage: Stage) -> Progress:
    if number != at:
        return "done" if number < at else "to come"
    if stage in _FAILED:
        return "failed"
    return "held up" if stage in _HELD_UP else "now"


def _position(stage: Stage, rollout: Rollout) -> int:
    match stage:
        case Stage.UNKNOWN | Stage.START_OVER:
            return _REPORT
        case Stage.REQUEST | Stage.BUSY | Stage.NAMELESS | Stage.OLD_FIRMWARE:
            return _REQUEST
        case Stage.FETCH:
            return _UPLOAD
        case Stage.SIGNING | Stage.REJECTED:
            return _SIGNATURE
        case Stage.INSTALL:
            return _INSTALLATION
        case Stage.CLEAN_UP | Stage.NOT_YET_VALID | Stage.GOOD | Stage.ABSENT:
            return _GOOD
        case Stage.FAILED | Stage.LOOK_AGAIN:
            return _tried_last(rollout, stage)
        case _:
            assert_never(stage)


def _tried_last(rollout: Rollout, stage: Stage) -> int:
    """Return the step that was tried last; what fails is a request at the least."""
    if rollout.installed is not None:
        return _INSTALLATION
    has_asked = rollout.requested is not None or rollout.request is not None
    return _REQUEST if has_asked or stage is Stage.FAILED else _REPORT
