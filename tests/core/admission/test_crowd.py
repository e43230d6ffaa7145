"""Who is remembered when there are more strangers than there is room for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gitupd.core.admission.crowd import Exchange, Stranger, exchange
from gitupd.core.caller import Serial

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _stranger(number: int, address: str = "10.0.0.1", *, minutes: int = 0, again: bool = False) -> Stranger:
    return Stranger(Serial(f"{number:012x}"), address, NOON - timedelta(minutes=minutes), again)


def _numbers(exchanged: Exchange) -> tuple[list[int], list[int]]:
    return [int(each.digits, 16) for each in exchanged.gone], [int(each.digits, 16) for each in exchanged.remembered]


def test_whoever_calls_for_the_first_time_pushes_nobody_out() -> None:
    present = [_stranger(number) for number in range(5)]
    assert exchange(present, [_stranger(9), _stranger(10, "10.9.9.9")]) == Exchange()


def test_whoever_calls_again_comes_before_who_called_once_the_longest_ago() -> None:
    present = [_stranger(1, minutes=5), _stranger(2, minutes=9), _stranger(3, minutes=60, again=True)]
    assert _numbers(exchange(present, [_stranger(9, again=True)])) == ([2], [9])
    assert _numbers(exchange(present, [_stranger(8), _stranger(9, again=True), _stranger(10, again=True)])) == (
        [2, 1],
        [9, 10],
    )


def test_where_all_call_again_the_address_that_has_the_most_places_gives_one() -> None:
    crowd = [_stranger(number, minutes=number, again=True) for number in range(4)]
    present = [*crowd, _stranger(10, "10.0.0.2", minutes=90, again=True)]
    newcomers = [_stranger(20 + number, "10.0.0.2", again=True) for number in range(9)]
    assert _numbers(exchange(present, newcomers)) == ([3], [20])  # two and three: another one would turn it round


def test_of_one_address_nobody_gives_way_to_another() -> None:
    present = [_stranger(number, minutes=number, again=True) for number in range(4)]
    assert exchange(present, [_stranger(9, again=True)]) == Exchange()


def test_all_addresses_of_a_network_that_anybody_has_count_as_one() -> None:
    present = [_stranger(number, f"2001:db8::{number:x}", again=True) for number in range(1, 4)]
    assert _numbers(exchange(present, [_stranger(9, "10.0.0.1", again=True)])) == ([1], [9])
    assert exchange(present, [_stranger(9, "2001:db8::ffff", again=True)]) == Exchange()


def test_a_crowd_that_has_given_all_its_places_is_a_crowd_no_more() -> None:
    present = [_stranger(1, "10.0.0.1", again=True), _stranger(2, "10.0.0.1", again=True)]
    newcomers = [_stranger(10 + number, f"10.1.0.{number}", again=True) for number in range(3)]
    assert _numbers(exchange(present, newcomers)) == ([1], [10])
    assert exchange([], newcomers) == Exchange()


def test_newcomers_of_a_moment_don_t_push_each_other_out() -> None:
    present = [_stranger(number) for number in range(3)] + [_stranger(9, "10.0.0.2", again=True)]
    newcomers = [_stranger(20 + number, "10.0.0.2", again=True) for number in range(3)]
    late = [_stranger(30, "10.0.0.3", again=True), _stranger(31, "10.0.0.3", again=True)]
    assert _numbers(exchange(present, [*newcomers, *late])) == ([0, 1, 2, 9], [20, 21, 22, 30])
