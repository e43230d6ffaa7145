"""How much a commit may change at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.deployments.brake import FEW_COMMANDS, FEW_DEVICES, Brake, Impact, Limit, Loss, exceeded


def told(brake: Brake, numbers: Impact) -> list[str]:
    return list(exceeded(brake, numbers))


def test_what_changes_for_many_devices_is_told_with_its_numbers() -> None:
    numbers = Impact(1000, changed=412, restarted=120)
    assert told(Brake(), numbers) == [
        "412 of 1,000 active devices (41 %) would get another script; the brake is at 25 %",
        "120 of 1,000 active devices (12 %) would restart; the brake is at 10 %",
    ]


def test_what_changes_for_few_devices_is_not_told() -> None:
    assert told(Brake(), Impact(1000, changed=250, restarted=100)) == []
    assert told(Brake(changed=None, restarted=None), Impact(1000, changed=1000, restarted=1000)) == []


def test_a_share_that_is_only_just_too_large_does_not_read_as_the_one_that_is_allowed() -> None:
    assert told(Brake(), Impact(1000, changed=251)) == [
        "251 of 1,000 active devices (over 25 %) would get another script; the brake is at 25 %"
    ]


def test_a_limit_may_be_a_number() -> None:
    brake = Brake(changed=Limit(100, is_share=False))
    assert told(brake, Impact(10_000, changed=100)) == []
    assert told(brake, Impact(10_000, changed=101)) == [
        "101 of 10,000 active devices (1 %) would get another script; the brake is at 100"
    ]


@pytest.mark.parametrize(
    ("changed", "active", "asked"), [(3, 3, 0), (10, 10, 0), (11, 11, 1), (11, 44, 0), (11, 43, 1)]
)
def test_a_handful_of_devices_is_no_share(changed: int, active: int, asked: int) -> None:
    assert len(told(Brake(), Impact(active, changed=changed))) == asked


@pytest.mark.parametrize("limit", [Limit(0), Limit(0, is_share=False)])
def test_nothing_may_change_where_nothing_is_allowed(limit: Limit) -> None:
    assert told(Brake(changed=limit), Impact(3, changed=1))
    assert told(Brake(changed=limit), Impact(3)) == []


def test_a_script_that_becomes_empty_is_told_however_few_devices_get_it() -> None:
    numbers = Impact(3, changed=1, losses=(Loss(2, 0, 1),))
    assert told(Brake(), numbers) == ["1 of 3 active devices would get no command of a snippet any more"]
    assert told(Brake(shrunk=None), numbers) == []


def test_a_script_that_loses_most_of_its_commands_is_told_with_the_worst_case() -> None:
    losses = (Loss(40, 3, 6), Loss(40, 19, 4), Loss(40, 20, 100), Loss(6, 1, 50))
    assert told(Brake(), Impact(1000, changed=160, losses=losses)) == [
        "10 of 1,000 active devices would lose more than 50 % of their script, such as all but 3 of 40 commands"
    ]
    assert told(Brake(shrunk=Limit(20, is_share=False)), Impact(1000, losses=losses)) == [
        "10 of 1,000 active devices would lose more than 20 commands of their script, such as all but 3 of 40 commands"
    ]


def test_what_becomes_required_is_told_however_few_devices_lack_it() -> None:
    assert told(Brake(), Impact(1000, unsecured=388, unproved=0)) == [
        "HTTPS becomes required, and 388 of 1,000 active devices call without it",
        "a client certificate becomes required, and 0 of 1,000 active devices have shown none that counts",
    ]


def test_where_all_devices_are_missing_those_that_ever_called_count() -> None:
    (text,) = told(Brake(), Impact(500, changed=500, are_missing=True))
    assert text.startswith("500 of 500 known devices (100 %), of which none has called lately, would get another")


def test_one_device_is_told_as_one() -> None:
    losses = (Loss(2, 0, 1),)
    assert told(Brake(), Impact(1, losses=losses)) == [
        "1 of 1 active device would get no command of a snippet any more"
    ]


def test_where_no_device_is_there_is_nothing_to_ask() -> None:
    assert told(Brake(), Impact(0, unsecured=0, unproved=0)) == []


counts = st.integers(0, 5000)


@given(st.builds(Limit, st.integers(0, 100), st.booleans()), counts, counts, counts)
def test_whoever_is_stopped_is_stopped_by_more_and_by_a_stricter_limit(
    limit: Limit, number: int, total: int, more: int
) -> None:
    for few in (FEW_DEVICES, FEW_COMMANDS):
        if limit.is_exceeded(number, total, few):
            assert number > 0
            assert limit.is_exceeded(number + more, total, few)
            assert Limit(limit.number // 2, limit.is_share).is_exceeded(number, total, few)
        if limit.is_share and number <= total:
            assert not Limit(100).is_exceeded(number, total, few)
