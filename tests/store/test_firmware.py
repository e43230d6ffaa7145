"""Firmware files on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.errors import GitupdError
from gitupd.store.firmware import FirmwareFile, FirmwareStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> FirmwareStore:
    return FirmwareStore(tmp_path / "firmware")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "ip222.bin"
    path.write_bytes(b"firmware")
    return path


def test_files_are_found_whatever_their_case(store: FirmwareStore, source: Path, tmp_path: Path) -> None:
    assert store.files() == []
    assert store.find("13A146", "ip222.bin") is None
    assert store.add("13A146", source) == FirmwareFile("13A146", "ip222.bin", 8)
    expected = tmp_path / "firmware" / "13A146" / "ip222.bin"
    for build, name in (("13A146", "ip222.bin"), ("13a146", "IP222.BIN"), ("13A146", "Ip222.bin")):
        found = store.find(build, name)
        assert found == expected
        assert found.read_bytes() == b"firmware"
    assert store.find("13A147", "ip222.bin") is None
    assert store.find("13A146", "ip232.bin") is None


def test_a_file_is_replaced_as_a_whole_under_the_name_it_has(store: FirmwareStore, source: Path) -> None:
    store.add("137213", source)
    other = source.with_name("IP222.bin")
    other.write_bytes(b"newer firmware")
    assert store.add("137213", other) == FirmwareFile("137213", "ip222.bin", 14)
    assert store.files() == [FirmwareFile("137213", "ip222.bin", 14)]


@pytest.mark.parametrize("build", ["", "..", ".", "a/b", "../x", ".hidden", "a b", "a\n", "x" * 41, "ü", "\0"])
def test_builds_that_are_none(store: FirmwareStore, source: Path, build: str) -> None:
    with pytest.raises(GitupdError, match="is no build"):
        store.add(build, source)
    assert store.find(build, "ip222.bin") is None


@pytest.mark.parametrize("name", ["", "..", ".", "../ip222.bin", ".hidden", "a b", "a\n", "x" * 101, "ü", "\0", "a/b"])
def test_names_that_are_none(store: FirmwareStore, source: Path, name: str) -> None:
    store.add("137213", source)
    assert store.find("137213", name) is None


def test_sources_that_are_none(store: FirmwareStore, source: Path) -> None:
    odd = source.with_name("a b.bin")
    odd.write_bytes(b"x")
    empty = source.with_name("empty.bin")
    empty.write_bytes(b"")
    for path, reason in (
        (odd, "can't be a firmware file's name"),
        (empty, "is no file, or empty"),
        (source.parent, "is no file, or empty"),
        (source.with_name("nowhere.bin"), "is no file, or empty"),
    ):
        with pytest.raises(GitupdError, match=reason):
            store.add("137213", path)
    assert store.files() == []


def test_what_others_left_in_the_folder(store: FirmwareStore, source: Path, tmp_path: Path) -> None:
    store.add("2", source)
    store.add("1", source)
    (tmp_path / "firmware" / "readme").write_bytes(b"x")
    (tmp_path / "firmware" / "2" / ".partial").write_bytes(b"x")
    (tmp_path / "firmware" / "2" / "folder").mkdir()
    assert [(each.build, each.name) for each in store.files()] == [("1", "ip222.bin"), ("2", "ip222.bin")]
    assert store.find("readme", "x") is None
