"""What happens to a device next, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitupd.core.actions import BootcodeRequested, Confirmed, Deliver, FirmwareRequested, InPhase, Restoring
from gitupd.core.admission.admittance import Admittance
from gitupd.core.outlook import hours_in_words, outlook, waiting_outside
from gitupd.core.policy import Delivery, Policy, Window
from gitupd.core.snapshot import Snippet

POLICY = Policy(phases=("staging", "update"))
SNIPPET = Deliver(Snippet("snippets/all-all-all.txt", "all", "all", "all", b"x\n"))


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ([InPhase("update", "staging"), Confirmed("x")], "It polls every 15 min. It has executed everything, so"),
        ([InPhase("update", "staging"), SNIPPET], "It polls every 15 min. Then it gets 1 snippet for phase update."),
        ([InPhase("update", "staging")], "Then it gets no snippets for phase update."),
        (
            [InPhase("update", "staging"), Restoring(7)],
            (
                "It polls every 15 min. Then it goes back to an earlier version of its configuration, and gets all "
                "else with the poll after that."
            ),
        ),
        ([], "It polls every 5 s while phases remain. Then it gets no snippets for phase staging."),
        (
            [InPhase("staging", None), FirmwareRequested("137213"), BootcodeRequested("131286"), SNIPPET, SNIPPET],
            (
                "It polls every 5 s while phases remain. Then it loads firmware 137213 and boot code 131286, "
                "restarts when it is idle and gets 2 snippets for phase staging."
            ),
        ),
    ],
)
def test_what_happens_next(expected: list, said: str) -> None:
    assert said in outlook(POLICY, expected)


def test_who_is_not_let_in_waits_for_somebody() -> None:
    assert waiting_outside(Admittance.QUARANTINED).startswith("It is in quarantine: it gets nothing")
    assert waiting_outside(Admittance.REFUSED).startswith("It is refused: it gets nothing")


def test_what_happens_next_waits_for_the_time_window() -> None:
    windowed = replace(POLICY, delivery=Delivery(interval=1, window=Window(("22", "23", "0"), None)))
    assert outlook(windowed, [InPhase("update", "staging"), SNIPPET]).endswith("update, between 22:00 and 1:00.")
    assert "22:00" not in outlook(windowed, [InPhase("staging", None), SNIPPET])
    assert outlook(windowed, [InPhase("update", "staging")]).startswith("It polls every minute.")


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (None, ""),
        (("22", "23", "0", "1"), "between 22:00 and 2:00"),
        (("12", "1", "2"), "between 1:00 and 3:00 or between 12:00 and 13:00"),
        (tuple(map(str, range(24))), "at any hour"),
        ((), "never"),
    ],
)
def test_hours_in_words(hours: tuple[str, ...] | None, said: str) -> None:
    assert hours_in_words(Window(hours, None)) == said
