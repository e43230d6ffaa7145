"""What happens to a device next, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.actions import BootcodeRequested, Confirmed, Deliver, FirmwareRequested, InPhase, Restoring
from gitupd.core.admission.admittance import Admittance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitupd.core.actions import Action
    from gitupd.core.policy import Policy, Window


def outlook(policy: Policy, expected: Sequence[Action]) -> str:
    """Return what happens at the next poll, which is answered with *expected*: one or two sentences."""
    phase = next((action.phase for action in expected if isinstance(action, InPhase)), policy.phases[0])
    staging = phase != policy.staged_phases[-1]
    call = f"It polls {_rhythm(policy, staging=staging)}."
    steps = list(_steps(expected, phase))
    if not steps:
        return f"{call} It has executed everything, so nothing else happens."
    return f"{call} Then it {_enumerated(steps)}{_when(policy, staging=staging)}."


def waiting_outside(verdict: Admittance) -> str:
    """Return what happens to a device that is not let in, by that *verdict*: one or two sentences."""
    if verdict is Admittance.REFUSED:
        return "It is refused: it gets nothing, and nothing of it is taken, unless somebody accepts it."
    return "It is in quarantine: it gets nothing, and nothing of it is taken, until somebody accepts it."


def _rhythm(policy: Policy, *, staging: bool) -> str:
    if staging and policy.delivery.fast_poll:
        return f"every {policy.delivery.fast_poll} s while phases remain"
    interval = policy.delivery.interval
    return "every minute" if interval == 1 else f"every {interval} min"


def _steps(expected: Sequence[Action], phase: str) -> Iterator[str]:
    loads = [f"firmware {action.build}" for action in expected if isinstance(action, FirmwareRequested)]
    loads += [f"boot code {action.build}" for action in expected if isinstance(action, BootcodeRequested)]
    if loads:
        yield f"loads {' and '.join(loads)}"
        yield "restarts when it is idle"
    if any(isinstance(action, Confirmed) for action in expected):
        return
    if any(isinstance(action, Restoring) for action in expected):
        yield "goes back to an earlier version of its configuration, and gets all else with the poll after that"
        return
    count = sum(isinstance(action, Deliver) for action in expected)
    yield f"gets {count or 'no'} snippet{'' if count == 1 else 's'} for phase {phase}"


def _enumerated(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _when(policy: Policy, *, staging: bool) -> str:
    window = policy.delivery.window
    if window is None or window.hours is None or (staging and policy.delivery.staging_ignores_window):
        return ""
    return f", {hours_in_words(window)}"


ANY_HOUR = "at any hour"
"""What a time window is called that keeps nothing from anybody."""


def hours_in_words(window: Window) -> str:
    """Return the hours of a time window, such as ``between 22:00 and 5:00``; empty if there is no limit to them."""
    if window.hours is None:
        return ""
    hours = sorted({int(hour) for hour in window.hours if hour.strip().isdecimal()})
    if not hours:
        return "never"
    if len(hours) == 24:  # noqa: PLR2004 - hours of a day
        return ANY_HOUR
    starts = [hour for hour in hours if (hour - 1) % 24 not in hours]
    spans = []
    for start in starts:
        end = start
        while end % 24 in hours:
            end += 1
        spans.append(f"between {start}:00 and {end % 24}:00")
    return " or ".join(spans)
