"""Copies of deployed commits."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.store.archive import Archive

if TYPE_CHECKING:
    from pathlib import Path

_FILES = {"phases.yaml": b"phases: {}\n", "snippets/all-all-ä.txt": b"\xff\0\r\n" * 1000, "snippets/empty.txt": b""}
_COMMIT = CommitId("ab" * 20)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "deployed")


def test_a_sound_copy(archive: Archive, tmp_path: Path) -> None:
    assert archive.files(_COMMIT) is None
    archive.save(_COMMIT, _FILES)
    archive.save(_COMMIT, {})  # it is there already, and a commit never changes
    assert archive.files(_COMMIT) == _FILES
    assert [path.name for path in (tmp_path / "deployed").iterdir()] == [f"{_COMMIT}.zip"]


def test_a_damaged_copy_is_none(archive: Archive, tmp_path: Path) -> None:
    archive.save(_COMMIT, _FILES)
    (path,) = (tmp_path / "deployed").iterdir()
    content = path.read_bytes()
    damaged = [content[:size] for size in (0, 10, len(content) // 2, len(content) - 1)]
    damaged += [
        content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :]
        for at in range(len(content))
        for bits in (1, 255)
    ]
    refused = 0
    for each in damaged:
        path.write_bytes(each)
        files = archive.files(_COMMIT)
        refused += files is None
        assert files in (None, _FILES)
    assert refused > len(damaged) // 4
    archive.save(_COMMIT, _FILES)
    assert archive.files(_COMMIT) == _FILES
    path.unlink()
    path.mkdir()
    assert archive.files(_COMMIT) is None


def test_only_the_latest_ten_are_kept(archive: Archive, tmp_path: Path) -> None:
    commits = [CommitId(f"{number:040x}") for number in range(12)]
    started = time.time() - 1000
    for number, commit in enumerate(commits):
        archive.save(commit, _FILES)
        os.utime(tmp_path / "deployed" / f"{commit}.zip", (started + number, started + number))
    assert [commit for commit in commits if archive.files(commit)] == commits[2:]
    archive.save(commits[2], _FILES)  # it is deployed again, and so the latest
    archive.save(_COMMIT, _FILES)
    assert [commit for commit in commits if archive.files(commit)] == [commits[2], *commits[4:]]


def test_the_latest_is_kept_though_the_clock_was_put_back(archive: Archive, tmp_path: Path) -> None:
    for number in range(10):
        commit = CommitId(f"{number:040x}")
        archive.save(commit, _FILES)
        os.utime(tmp_path / "deployed" / f"{commit}.zip", (time.time() + 86_400, time.time() + 86_400))
    archive.save(_COMMIT, _FILES)
    assert archive.files(_COMMIT) == _FILES
    assert len(list((tmp_path / "deployed").iterdir())) == 10
