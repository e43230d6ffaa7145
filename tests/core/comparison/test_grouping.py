from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import Serial
from gitupd.core.comparison.consequences import ExecutedAgain, GetsNothing
from gitupd.core.comparison.difference import ScriptDifference
from gitupd.core.comparison.grouping import FleetComparison, Footing, Member, grouped
from gitupd.core.snapshot import CommitId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.comparison.rendering import Rendering

AGAIN, NOTHING = ScriptDifference((), (ExecutedAgain(),)), ScriptDifference((), (GetsNothing(),))
FILES = {"phases.yaml": "phases: {staging: {order: 1}, update: {order: 2}}", "snippets/all-all-all.txt": "x"}


def member(number: int, model: str = "IP222") -> Member:
    return Member(Serial(f"00903300{number:04x}"), None, model, "berlin", "update", Footing.EXECUTED)


def test_equal_differences_are_one_group_the_largest_first() -> None:
    groups = grouped(
        [(member(4), AGAIN), (member(3), NOTHING), (member(2, "IP111"), AGAIN), (member(5), ScriptDifference())]
    )
    assert [(group.difference, [each.serial.digits[-1] for each in group.members]) for group in groups] == [
        (AGAIN, ["2", "4"]),
        (NOTHING, ["3"]),
        (ScriptDifference(), ["5"]),
    ]
    assert groups[0].count("model") == (("IP111", 1), ("IP222", 1))
    assert groups[0].count("footing") == (("executed", 2),)
    assert FleetComparison(CommitId("a" * 40), CommitId("b" * 40), groups, 9).changed == 4


def test_how_a_device_stands(render: Callable[..., Rendering]) -> None:
    known = "type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=10.0.0.7"
    assert Footing.of(render(FILES, "type=IP222")) is Footing.FRESH
    assert Footing.of(render(FILES, known)) is Footing.STAGING
    assert Footing.of(render(FILES, f"phase=update&{known}")) is Footing.BEHIND
    assert Footing.of(render(FILES, f"phase=update&{known}", executed=FILES)) is Footing.EXECUTED
    assert Footing.of(render(FILES, known, admission=Admittance.QUARANTINED)) is Footing.OUTSIDE
