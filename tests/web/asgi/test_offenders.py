from __future__ import annotations

from gitupd.web.asgi.offenders import BARRED_SECONDS, MOST_OFFENCES, WITHIN_SECONDS, Offenders


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_who_offends_often_is_barred_for_a_while_and_nobody_else() -> None:
    clock = Clock()
    offenders = Offenders(clock)
    assert [offenders.note("192.0.2.1") for _ in range(MOST_OFFENCES)] == [False] * (MOST_OFFENCES - 1) + [True]
    assert offenders.bars("192.0.2.1")
    assert not offenders.bars("192.0.2.2")
    clock.time += BARRED_SECONDS - 0.1
    assert offenders.bars("192.0.2.1")
    clock.time += 0.1
    assert not offenders.bars("192.0.2.1")
    assert not offenders.note("192.0.2.1")
    assert not offenders.bars("192.0.2.1")


def test_who_offends_now_and_then_is_not_barred() -> None:
    clock = Clock()
    offenders = Offenders(clock)
    for _ in range(10):
        for _ in range(MOST_OFFENCES - 1):
            assert not offenders.note("192.0.2.1")
        clock.time += WITHIN_SECONDS + 0.1
    assert not offenders.bars("192.0.2.1")


def test_so_many_addresses_are_remembered_and_no_more() -> None:
    offenders = Offenders(Clock())
    for number in range(10_000):
        for _ in range(MOST_OFFENCES):
            offenders.note(str(number))
        offenders.note(f"once {number}")
    assert len(offenders._barred) == len(offenders._offences) == 4096
    assert offenders.bars("9999")
    assert not offenders.bars("0")
