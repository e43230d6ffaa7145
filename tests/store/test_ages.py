"""Files are old by how long they were seen unchanged, and not by any clock that may be wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gitupd.store.ages import Ages

if TYPE_CHECKING:
    from pathlib import Path


class Steady:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_file_is_as_old_as_it_was_seen_unchanged(tmp_path: Path) -> None:
    steady = Steady()
    ages, one, other = Ages(steady), tmp_path / "one", tmp_path / "other"
    for path, time in ((one, 1), (other, 4e9)):
        path.touch()
        os.utime(path, (time, time))
    assert ages.older([one, other], 60) == [], "whatever their times say"
    steady.seconds = 61
    other.write_bytes(b"goes on")
    assert ages.older([one, other], 60) == [one]
    steady.seconds = 122
    assert ages.older([one, other], 60) == [one, other]


def test_what_is_gone_or_another_begins_anew(tmp_path: Path) -> None:
    steady = Steady()
    ages, path = Ages(steady), tmp_path / "lock"
    path.touch()
    assert ages.older([path], 60) == []
    path.unlink()
    steady.seconds = 61
    assert ages.older([path], 60) == []
    path.touch()
    assert ages.older([path], 60) == []
