from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.caller import Serial
from gitupd.core.comparison.difference import ScriptDifference, compare
from gitupd.core.comparison.grouping import FleetComparison, Footing, Member, grouped
from gitupd.core.comparison.rendering import ComparedLine
from gitupd.core.comparison.staying import StayingLine, staying, staying_in
from gitupd.core.snapshot import CommitId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.comparison.rendering import Rendering

PATH = "snippets/all-all-all.txt"
OFF = {"policies/backup.yaml": "enabled: false"}
ADDS = "config add PHONE/REG /gk-addr 10.1.0.1"


def lines(*texts: str) -> list[ComparedLine]:
    return [ComparedLine(text.encode(), PATH) for text in texts]


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ([ADDS], [], [StayingLine(ADDS)]),
        ([ADDS], [f"  {ADDS} "], []),
        ([ADDS], ["config add PHONE/REG /gk-addr 10.9.9.9"], []),
        ([ADDS], ["config rem PHONE/REG /gk-addr"], []),
        ([ADDS], ["config rem PHONE/REG"], []),
        ([ADDS], ["config change PHONE/REG /other 1"], []),
        ([ADDS], ["config add PHONE/REG /other 1", "config add PHONE/SIG /gk-addr 1"], [StayingLine(ADDS)]),
        ([f"{ADDS} /id x"], ["config rem PHONE/REG /id"], [StayingLine(f"{ADDS} /id x", ("/gk-addr",))]),
        (["config rem PHONE/REG /gk-addr"], [], [StayingLine("config rem PHONE/REG /gk-addr")]),
        (["config rem PHONE/REG"], ["config add PHONE/REG /id 1"], [StayingLine("config rem PHONE/REG")]),
        (["vars create A/B p 1"], ["vars create A/C p 1"], [StayingLine("vars create A/B p 1")]),
        (["vars create A/B p 1"], ["vars del A/B"], []),
        (["vars create A/B p 1"], ["vars create A/B p 2"], []),
        (["mod cmd FLASHDIR0 add", "# a comment", "config write", "vars", "", "config add "], [], []),
        ([ADDS, ADDS], [], [StayingLine(ADDS)]),
    ],
)
def test_what_nothing_takes_back_stays(before: list[str], after: list[str], left: list[StayingLine]) -> None:
    assert list(staying(lines(*before), lines(*after))) == left


def test_lines_of_gitupd_itself_do_not_count_but_take_back() -> None:
    own = ComparedLine(b"config add UP1 /poll 1")
    assert staying([own], []) == ()
    assert staying(lines("config add UP1 /poll 2"), [own]) == ()


def test_what_is_encrypted_or_secret_is_not_told() -> None:
    line = ComparedLine(b"config add X /pw open", PATH, b"config add X /pw (sealed)")
    assert staying([line], [], lambda text: text.replace("sealed", "***")) == (StayingLine("config add X /pw (***)"),)


def test_a_difference_has_what_stays_if_the_device_gets_all_that_is_for_it(render: Callable[..., Rendering]) -> None:
    base = {**OFF, PATH: f"{ADDS}\nconfig add X /y 1\n"}
    head = {**OFF, PATH: "config add X /y 2\n"}
    difference = compare(render(base), render(head))
    assert difference is not None
    assert difference.staying == (StayingLine(ADDS),)
    moved = {**head, "policies/transport.yaml": "{https: required, https_port: 443}"}
    difference = compare(render(base), render(moved))
    assert difference is not None
    assert difference.staying == ()


def test_lines_that_stay_are_counted_by_devices() -> None:
    def member(number: int) -> Member:
        return Member(Serial(f"{number:012x}"), None, "IP222", "default", "update", Footing.EXECUTED)

    one, other = StayingLine("a"), StayingLine("b", ("/c",))
    differences = [ScriptDifference((), (), (one, other)), ScriptDifference((), (), (other,)), ScriptDifference()]
    members = [(member(number), differences[number % 3]) for number in range(6)]
    comparison = FleetComparison(CommitId("1" * 40), CommitId("2" * 40), grouped(members), 6)
    assert staying_in(comparison) == ((other, 4), (one, 2))
