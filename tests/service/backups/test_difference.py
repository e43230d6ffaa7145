from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from support.pace import slowness

from gitupd.service.backups.difference import Comparison, VersionLine

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(number: int, line: bytes) -> VersionLine:
    return VersionLine(number, line.decode(), volatile=False)


def seconds_for(before: list[bytes], after: list[bytes]) -> float:
    started = time.process_time()
    assert list(Comparison(list(enumerate(before, 1)), list(enumerate(after, 1)), read).rows())
    return time.process_time() - started


def stretches(side: int) -> Iterator[bytes]:
    """Lines that are the same on both sides, and between them hundreds that begin alike in another order each."""
    chance = random.Random(side)
    for stretch in range(500):
        yield b"the same %d" % stretch
        yield from (b"config add X%d /y %d" % (chance.randrange(3), side) for _ in range(310))


@pytest.mark.slow
def test_many_stretches_that_differ_take_bounded_time() -> None:
    assert seconds_for(list(stretches(1)), list(stretches(2))) < 9 * slowness()


def test_many_lines_of_many_words_take_bounded_time() -> None:
    def lines(words: tuple[bytes, bytes]) -> list[bytes]:
        return [b"config add %d " % number + b" ".join(words * 24) + b" end" for number in range(12_000)]

    assert seconds_for(lines((b"x", b"y")), lines((b"y", b"z"))) < 9 * slowness()
