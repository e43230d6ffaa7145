from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.waiting import until

from gitupd.service.reserve import Reserve, Shortage, kept_free

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20


@pytest.mark.parametrize(
    ("total", "reserve"),
    [(100 * MIB, 25 * MIB), (8192 * MIB, 1024 * MIB), (40_960 * MIB, 2048 * MIB), (2**21 * MIB, 10_240 * MIB)],
)
def test_how_much_is_kept_follows_from_the_size_of_the_disk(total: int, reserve: int) -> None:
    assert kept_free(total) == reserve


def test_an_operator_may_say_how_much_is_kept(tmp_path: Path) -> None:
    assert not Reserve(tmp_path, 0).is_reached()
    trouble = Reserve(tmp_path, 2**30).trouble
    assert trouble is not None
    assert "uploads and new devices are refused" in trouble


def test_a_shortage_is_over_when_something_was_removed(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_bytes(bytes(64 * MIB))
    shortage = Shortage(tmp_path)
    shortage.note()
    taken.unlink()
    until(shortage.is_over, "others write at the same time, but hardly as much")
    shortage.note()
    taken.write_bytes(bytes(64 * MIB))
    assert not shortage.is_over()
    taken.unlink()
    until(shortage.is_over, "it counts from the least that there was")
