from __future__ import annotations

from dataclasses import replace

import pytest

from gitupd.core.caller import Serial
from gitupd.core.comparison.consequences import (
    CertificateDemanded,
    CertificateRolledOut,
    Consequence,
    EveryPoll,
    ExecutedAgain,
    Failing,
    GetsNothing,
    HttpsDemanded,
    InOtherPhase,
    LetIn,
    Loads,
    LoadsNoMore,
    LosesMost,
    MovesOn,
    NotExecuted,
    OnceOnly,
    OnlyWithin,
    PollsOtherwise,
    Restarts,
    ShutOut,
)
from gitupd.core.comparison.difference import Hunk, ScriptDifference
from gitupd.core.comparison.grouping import FleetComparison, Footing, Member, Skipped, grouped
from gitupd.core.comparison.wording import changes, remarks, summary, title, told
from gitupd.core.snapshot import CommitId

NONE = FleetComparison(CommitId("a" * 40), CommitId("b" * 40), (), 0)


@pytest.mark.parametrize(
    ("consequence", "words"),
    [
        (ShutOut(), "is no longer let in"),
        (LetIn(), "is let in"),
        (HttpsDemanded(8443), "is sent to HTTPS on port 8443"),
        (CertificateDemanded(), "lacks the client certificate that is required"),
        (CertificateRolledOut(), "is to be given a certificate"),
        (Failing("so it is"), "gets nothing: so it is"),
        (GetsNothing(), "gets nothing any more"),
        (LosesMost(1250, 3), "loses most commands: 3 of 1,250 are left"),
        (InOtherPhase("update", "staging"), "counts as in phase staging, and not update"),
        (MovesOn(None, "last"), "goes on to phase last"),
        (MovesOn("last", None), "goes on to phase last no more"),
        (MovesOn("a", "b"), "goes on to phase b, and not to a"),
        (Loads("firmware", "1", "2"), "loads firmware 2 (now 1)"),
        (Loads("boot code", None, "2", present=True), "loads boot code 2 (now an unknown one)"),
        (Loads("firmware", "1", "2", present=False), "loads firmware 2 (now 1), which is not on this server"),
        (LoadsNoMore("firmware", "2"), "does not load firmware 2 any more"),
        (ExecutedAgain(), "executes everything again"),
        (NotExecuted(), "has nothing to execute, after exactly this was executed before"),
        (Restarts("firmware"), "restarts when idle, for the new build"),
        (EveryPoll(), "executes everything at every poll"),
        (OnceOnly(), "executes everything once, and no longer at every poll"),
        (OnlyWithin("between 22:00 and 5:00"), "waits until it is between 22:00 and 5:00 by the device's clock"),
        (OnlyWithin("never"), "waits for ever, for the time window has no hour"),
        (PollsOtherwise(), "is told another address or pace for the next polls"),
    ],
)
def test_each_consequence_has_words(consequence: Consequence, words: str) -> None:
    assert told(consequence) == words
    assert told(consequence, 2).split()[0] != words.split(maxsplit=1)[0], "many do what one does"


def test_brief_words_leave_details_out() -> None:
    brief = [told(each, 2, brief=True) for each in (Failing("x"), LosesMost(9, 1), Loads("firmware", "1", "2"))]
    assert brief == ["get nothing, for a failure", "lose most commands", "load firmware 2"]


def comparison(*differences: tuple[int, ScriptDifference]) -> FleetComparison:
    members = []
    for count, difference in differences:
        for _ in range(count):
            serial = Serial(f"00903300{len(members):04x}")
            members.append((Member(serial, None, "IP222", "berlin", "update", Footing.EXECUTED), difference))
    return replace(NONE, groups=grouped(members), total=1250)


def test_the_summary_counts_consequences_over_all_groups() -> None:
    load = Loads("firmware", "1", "2")
    made = comparison(
        (3, ScriptDifference((), (load, Restarts("firmware")))),
        (2, ScriptDifference((), (replace(load, before="0"), ExecutedAgain()))),
        (1, ScriptDifference((), (Restarts("variables"),))),
    )
    assert summary(made) == (
        "6 of 1,250 devices get something else: 2 execute everything again, 5 load firmware 2, 4 restart."
    )
    assert title(made, made.groups[0]) == (
        "3 devices: get no line else; load firmware 2 (now 1); restart when idle, for the new build"
    )
    assert title(made, made.groups[-1]).startswith("1 device: gets no line else; restarts")
    silent = comparison((1, ScriptDifference((Hunk((), ("x",)),), ())))
    assert summary(silent) == "1 of 1,250 devices gets something else: nothing follows from it beyond that."


def test_no_change_is_told_too() -> None:
    assert summary(NONE) == "There is no device that anything could change for."
    assert summary(replace(NONE, total=2)) == "Nothing changes for any of 2 devices."
    assert summary(replace(NONE, total=2, imagined=True)) == "Nothing changes for any of 2 imagined devices."


def test_lines_are_counted() -> None:
    assert changes(ScriptDifference((Hunk(("a",), ("b", "c")),))) == "2 lines more, 1 line less"
    assert changes(ScriptDifference((Hunk(("a", "b"), ()),))) == "2 lines less"


def test_what_is_to_be_known_of_the_devices_is_told() -> None:
    assert list(remarks(NONE)) == []
    made = replace(NONE, imagined=True, remarks=("some were left out",), skipped=Skipped(2, 1))
    assert [each.split(",")[0] for each in remarks(made)] == [
        "No fleet was given",
        "some were left out.",
        "Of 2 devices it is not known what they say",
        "1 device polled as no device does",
    ]
