"""How much a commit may change at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.comparison.numbers import PlanNumbers
from gitupd.core.deployments.brake import Brake, Limit, exceeded
from gitupd.core.deployments.objection import Gate


def told(brake: Brake, numbers: PlanNumbers) -> list[str]:
    return [each.text for each in exceeded(brake, numbers)]


def test_what_changes_for_many_devices_is_told_with_its_numbers() -> None:
    numbers = PlanNumbers(1000, changed=412, restarting=120)
    assert told(Brake(), numbers) == [
        "412 of 1,000 active devices (41 %) would get another script; the brake is at 25 %",
        "120 of 1,000 active devices (12 %) would restart; the brake is at 10 %",
    ]
    assert {each.gate for each in exceeded(Brake(), numbers)} == {Gate.BRAKE}


def test_what_changes_for_few_devices_is_not_told() -> None:
    assert told(Brake(), PlanNumbers(1000, changed=250, restarting=100)) == []
    assert told(Brake(changed=None, restarted=None), PlanNumbers(1000, changed=1000, restarting=1000)) == []


def test_a_share_that_is_only_just_too_large_does_not_read_as_the_one_that_is_allowed() -> None:
    (text,) = told(Brake(), PlanNumbers(1000, changed=251))
    assert text == "251 of 1,000 active devices (over 25 %) would get another script; the brake is at 25 %"


def test_a_limit_may_be_a_number() -> None:
    brake = Brake(changed=Limit(100, is_share=False))
    assert told(brake, PlanNumbers(10_000, changed=100)) == []
    (text,) = told(brake, PlanNumbers(10_000, changed=101))
    assert text == "101 of 10,000 active devices (1 %) would get another script; the brake is at 100"


@pytest.mark.parametrize(
    ("changed", "active", "asked"), [(3, 3, 0), (10, 10, 0), (11, 11, 1), (11, 44, 0), (11, 43, 1)]
)
def test_a_handful_of_devices_is_no_share(changed: int, active: int, asked: int) -> None:
    assert len(told(Brake(), PlanNumbers(active, changed=changed))) == asked


@pytest.mark.parametrize("limit", [Limit(0), Limit(0, is_share=False)])
def test_nothing_may_change_where_nothing_is_allowed(limit: Limit) -> None:
    assert told(Brake(changed=limit), PlanNumbers(3, changed=1))
    assert told(Brake(changed=limit), PlanNumbers(3)) == []


def test_a_device_that_gets_nothing_is_told_however_few_they_are() -> None:
    numbers = PlanNumbers(3, changed=2, emptied=1, failing=1, lost=((100, 1),))
    assert told(Brake(), numbers) == [
        "1 of 3 active devices would get no command of a snippet any more",
        "1 of 3 active devices would get nothing, for no lines can be made for them",
    ]
    assert next(exceeded(Brake(), numbers)).subject == "snippets"
    assert told(Brake(shrunk=None), numbers) == []


@pytest.mark.parametrize(
    ("limit", "how"),
    [
        (50, "10 of 1,000 active devices would lose more than 50 % of their commands, up to 92 %"),
        (91, "6 of 1,000 active devices would lose more than 91 % of their commands"),
        (92, None),
    ],
)
def test_a_script_that_loses_most_of_its_commands_is_told_with_the_worst_case(limit: int, how: str | None) -> None:
    numbers = PlanNumbers(1000, changed=160, lost=((92, 6), (51, 4), (50, 100)))
    assert told(Brake(shrunk=limit), numbers) == [how] * (how is not None)


def test_what_becomes_required_is_told_however_few_devices_lack_it() -> None:
    numbers = PlanNumbers(1000, https=388, certificates=2)
    assert told(Brake(), numbers) == []
    found = list(exceeded(Brake(), numbers, ("https", "client certificate")))
    assert [each.text for each in found] == [
        "HTTPS becomes required, and 388 of 1,000 active devices call without it",
        "a client certificate becomes required, which 2 of 1,000 active devices lack",
    ]
    assert [each.subject for each in found] == ["https", "client certificate"]


def test_what_devices_are_in_does_not_go_unnoticed() -> None:
    numbers = PlanNumbers(1000, phases_gone=(("staging", 1),), environments_gone=(("berlin", 400), ("ulm", 2)))
    assert [(each.text, each.subject) for each in exceeded(Brake(), numbers)] == [
        ("the phase 'staging' goes, in which 1 of 1,000 active devices are", "phase staging"),
        ("the environment 'berlin' goes, in which 400 of 1,000 active devices are", "environment berlin"),
        ("the environment 'ulm' goes, in which 2 of 1,000 active devices are", "environment ulm"),
    ]


def test_where_all_devices_are_missing_those_that_are_known_count() -> None:
    numbers, none = PlanNumbers(500, changed=500, emptied=1), "none has called lately"
    assert [each.text for each in exceeded(Brake(), numbers, are_missing=True)] == [
        f"500 of 500 known devices (100 %), of which {none}, would get another script; the brake is at 25 %",
        f"1 of 500 known devices, of which {none}, would get no command of a snippet any more",
    ]


def test_one_device_is_told_as_one() -> None:
    (text,) = told(Brake(), PlanNumbers(1, emptied=1))
    assert text == "1 of 1 active device would get no command of a snippet any more"


def test_where_no_device_is_there_is_nothing_to_ask() -> None:
    assert list(exceeded(Brake(), PlanNumbers(0), ("https", "client certificate"))) == []


counts = st.integers(0, 5000)


@given(st.builds(Limit, st.integers(0, 100), st.booleans()), counts, counts, counts)
def test_whoever_is_stopped_is_stopped_by_more_and_by_a_stricter_limit(
    limit: Limit, number: int, total: int, more: int
) -> None:
    if limit.is_exceeded(number, total):
        assert number > 0
        assert limit.is_exceeded(number + more, total)
        assert Limit(limit.number // 2, limit.is_share).is_exceeded(number, total)
    if number <= total:
        assert not Limit(100).is_exceeded(number, total)
