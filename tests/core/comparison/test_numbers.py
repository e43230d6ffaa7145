"""A comparison in numbers."""

from __future__ import annotations

import pytest

from gitupd.core.caller import Serial
from gitupd.core.comparison.consequences import (
    CertificateDemanded,
    Consequence,
    ExecutedAgain,
    Failing,
    GetsNothing,
    HttpsDemanded,
    InOtherPhase,
    Loads,
    LosesMost,
    MovesOn,
    OnceOnly,
    Restarts,
    ShutOut,
)
from gitupd.core.comparison.difference import ScriptDifference
from gitupd.core.comparison.grouping import FleetComparison, Footing, Gone, Group, Member
from gitupd.core.comparison.numbers import PlanNumbers, numbers
from gitupd.core.snapshot import CommitId

A, B = CommitId("a" * 40), CommitId("b" * 40)


def member(number: int, *, lost: int = 0, is_active: bool = True) -> Member:
    return Member(Serial(f"{number:012x}"), None, "IP222", "", "update", Footing.EXECUTED, lost, is_active)


def compared(*groups: Group, total: int = 10, active: int = 8, gone: tuple[Gone, ...] = ()) -> FleetComparison:
    return FleetComparison(A, B, groups, total, active=active, gone=gone)


def group(*members: Member, means: tuple[Consequence, ...] = ()) -> Group:
    return Group(ScriptDifference((), means), members)


@pytest.mark.parametrize(
    ("consequence", "expected"),
    [
        (ExecutedAgain(), {"executing_again": 2}),
        (Restarts("command"), {"restarting": 2}),
        (Loads("firmware", None, "1"), {"loading": 2}),
        (Loads("firmware", None, "1", present=False), {"loading": 2, "lacking": 2}),
        (InOtherPhase("a", "b"), {"phases": 2}),
        (MovesOn(None, "b"), {"phases": 2}),
        (HttpsDemanded(443), {"https": 2}),
        (CertificateDemanded(), {"certificates": 2}),
        (ShutOut(), {"shut_out": 2}),
        (LosesMost(9, 1), {"shrunk": 2}),
        (GetsNothing(), {"emptied": 2}),
        (Failing("x"), {"failing": 2}),
        (OnceOnly(), {}),
    ],
)
def test_each_consequence_is_counted_as_what_it_is(consequence: Consequence, expected: dict[str, int]) -> None:
    told = numbers(compared(group(member(1), member(2), means=(consequence,)), group(member(3))))
    assert told == PlanNumbers(10, changed=3, **expected)


def test_a_device_that_loads_firmware_and_boot_code_counts_once() -> None:
    loads = (Loads("firmware", None, "1"), Loads("boot code", None, "1"))
    assert numbers(compared(group(member(1), means=loads))).loading == 1


def test_of_the_active_ones_only_those_count_that_are_active() -> None:
    some = group(member(1, lost=60), member(2, lost=60, is_active=False), means=(Restarts("command"),))
    comparison = compared(
        some,
        group(member(3, is_active=False)),
        gone=(Gone("phase", "early", 2, 0), Gone("environment", "berlin", 3, 1)),
    )
    assert numbers(comparison) == PlanNumbers(
        *(10, 3),
        restarting=2,
        lost=((60, 2),),
        phases_gone=(("early", 2),),
        environments_gone=(("berlin", 3),),
    )
    assert numbers(comparison, only_active=True) == PlanNumbers(
        8, 1, restarting=1, lost=((60, 1),), environments_gone=(("berlin", 1),)
    )


def test_who_loses_how_much() -> None:
    told = numbers(compared(group(member(1, lost=30), member(2, lost=100), member(3, lost=30), member(4))))
    assert told.lost == ((100, 1), (30, 2))
    assert [told.losing(part) for part in (100, 31, 30, 1)] == [1, 1, 3, 3]


def test_how_many_of_a_hundred_get_something_else() -> None:
    assert PlanNumbers(8, changed=2).percentage == 25
    assert PlanNumbers(0).percentage == 0


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (PlanNumbers(5), ["no device changes"]),
        (PlanNumbers(1, changed=1), ["1 device changes"]),
        (PlanNumbers(1_500, changed=412, restarting=12), ["412 devices change", "12 restart"]),
        (
            PlanNumbers(1, 1, shut_out=1, emptied=1, shrunk=1, restarting=1, loading=1, lacking=1),
            [
                *("1 device changes", "1 is shut out", "1 gets nothing", "1 loses most commands", "1 restarts"),
                *("1 loads another build", "1 of them finds no file of it"),
            ],
        ),
        (
            PlanNumbers(9, 9, shut_out=2, emptied=1, failing=1, shrunk=2, loading=2, lacking=2),
            [
                *("9 devices change", "2 are shut out", "2 get nothing", "2 lose most commands"),
                *("2 load another build", "2 of them find no file of it"),
            ],
        ),
    ],
)
def test_what_matters_is_told_in_a_line(told: PlanNumbers, words: list[str]) -> None:
    assert str(told) == ", ".join(words)
