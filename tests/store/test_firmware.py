"""Firmware files on disk."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.people.audit import Event, Kind
from gitupd.errors import GitupdError
from gitupd.store.audit import Audit
from gitupd.store.database import Database
from gitupd.store.firmware import FirmwareFile, FirmwareStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDING = Event(datetime(2024, 5, 6, 12, tzinfo=UTC), "ada", Kind.FIRMWARE_ADD)


@pytest.fixture
def store(database: Database, tmp_path: Path) -> FirmwareStore:
    return FirmwareStore(tmp_path / "firmware", database)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'gitupd.db'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "ip222.bin"
    path.write_bytes(b"firmware")
    return path


def test_files_are_found_whatever_their_case(store: FirmwareStore, source: Path, tmp_path: Path) -> None:
    assert store.files() == []
    assert store.find("13A146", "ip222.bin") is None
    assert store.add("13A146", source, ADDING) == FirmwareFile("13A146", "ip222.bin", 8)
    expected = tmp_path / "firmware" / "13A146" / "ip222.bin"
    for build, name in (("13A146", "ip222.bin"), ("13a146", "IP222.BIN"), ("13A146", "Ip222.bin")):
        found = store.find(build, name)
        assert found == expected
        assert found.read_bytes() == b"firmware"
    assert store.find("13A147", "ip222.bin") is None
    assert store.find("13A146", "ip232.bin") is None


def test_a_file_is_replaced_as_a_whole_under_the_name_it_has(store: FirmwareStore, source: Path) -> None:
    store.add("137213", source, ADDING)
    other = source.with_name("IP222.bin")
    other.write_bytes(b"newer firmware")
    assert store.add("137213", other, ADDING) == FirmwareFile("137213", "ip222.bin", 14)
    assert store.files() == [FirmwareFile("137213", "ip222.bin", 14)]


@pytest.mark.parametrize("build", ["", "..", ".", "a/b", "../x", ".hidden", "a b", "a\n", "x" * 41, "ü", "\0"])
def test_builds_that_are_none(store: FirmwareStore, source: Path, build: str) -> None:
    with pytest.raises(GitupdError, match="is no build"):
        store.add(build, source, ADDING)
    assert store.find(build, "ip222.bin") is None


@pytest.mark.parametrize("name", ["", "..", ".", "../ip222.bin", ".hidden", "a b", "a\n", "x" * 101, "ü", "\0", "a/b"])
def test_names_that_are_none(store: FirmwareStore, source: Path, name: str) -> None:
    store.add("137213", source, ADDING)
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
            store.add("137213", path, ADDING)
    assert store.files() == []


def test_what_others_left_in_the_folder(store: FirmwareStore, source: Path, tmp_path: Path) -> None:
    store.add("2", source, ADDING)
    store.add("1", source, ADDING)
    (tmp_path / "firmware" / "readme").write_bytes(b"x")
    (tmp_path / "firmware" / "2" / ".partial").write_bytes(b"x")
    (tmp_path / "firmware" / "2" / "folder").mkdir()
    assert [(each.build, each.name) for each in store.files()] == [("1", "ip222.bin"), ("2", "ip222.bin")]
    assert store.find("readme", "x") is None


def test_what_is_added_is_in_the_audit(store: FirmwareStore, source: Path, database: Database) -> None:
    store.add("137213", source, ADDING)
    entry = Audit(database).entries(9)[0]
    assert (entry.who, entry.kind, entry.subject, entry.detail) == (
        "ada",
        "firmware-add",
        "fw/137213/ip222.bin",
        "8 bytes",
    )


def test_what_a_killed_process_left_is_finished_if_its_entry_is_there(
    store: FirmwareStore, source: Path, database: Database, tmp_path: Path
) -> None:
    store.add("1", source, ADDING)
    number, folder = Audit(database).entries(1)[0].id, tmp_path / "firmware" / "1"
    Audit(database).add(ADDING.at, "ada", Kind.LOGIN)
    for name in (".adding", f".adding-{number}-a-b.bin", f".adding-{number + 1}-c.bin", f".adding-{number + 2}-d.bin"):
        (folder / name).write_bytes(b"x")
    assert [file.name for file in store.files()] == ["a-b.bin", "ip222.bin"]
    assert sorted(path.name for path in folder.iterdir()) == ["a-b.bin", "ip222.bin"]


def test_what_somebody_is_adding_stays(store: FirmwareStore, source: Path, tmp_path: Path) -> None:
    store.add("1", source, ADDING)
    aside = tmp_path / "firmware" / "1" / ".adding"
    aside.write_bytes(b"half a fi")
    claim = os.open(tmp_path / "firmware", os.O_RDONLY)
    fcntl.flock(claim, fcntl.LOCK_EX)
    store.settle()
    assert aside.exists()
    os.close(claim)
    store.settle()
    assert not aside.exists()
