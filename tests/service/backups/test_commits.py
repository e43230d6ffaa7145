"""Versions become commits, and what is not committed waits."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support import fleets
from support.offices import LINES, SERIAL, Office, dump, git

from gitupd.core.backups.change import Delta
from gitupd.core.caller import Serial, parse_serial
from gitupd.errors import UnreadableRepository, UnusableDatabase
from gitupd.service.backups.messages import change_of
from gitupd.service.clock import now
from gitupd.store.backups.stream import path_of

if TYPE_CHECKING:
    from pathlib import Path


NEIGHBOUR = parse_serial("00-90-33-00-00-0e")


pytestmark = pytest.mark.usefixtures("sound_afterwards")


def test_a_version_becomes_a_commit_that_reads_like_a_story(office: Office) -> None:
    assert office.upload(dump(*LINES)) == "kept"
    assert office.upload(dump(*LINES, "vars create UPDATE/CHECK p 1")) == "nothing has changed"
    assert office.upload(dump(*LINES, "config change CMD0 /name Desk")) == "kept"
    assert office.commit() == 2
    assert office.commit() == 0
    subjects = git(office.site.path, "log", "--format=%s", "--", "devices/0/d/00-90-33-00-00-0d.txt").splitlines()
    assert subjects == [
        'IP232 00-90-33-00-00-0d "Desk 13": 1 line changed',
        'IP232 00-90-33-00-00-0d "Desk 13": first version, 200 lines',
    ]
    trailers = git(office.site.path, "log", "-1", "--format=%(trailers:only)").splitlines()
    assert "Device: 00-90-33-00-00-0d" in trailers
    assert "Firmware: 137213" in trailers
    assert f"Delivered: {office.live.deployment.commit}" in trailers
    kept = git(office.site.path, "show", "HEAD:devices/0/d/00-90-33-00-00-0d.txt")
    assert kept.encode() == dump(*LINES, "config change CMD0 /name Desk").replace(b"\r\n", b"\n")
    latest = office.history().version(SERIAL)
    assert office.history().raw(latest) == dump(*LINES, "config change CMD0 /name Desk"), "byte for byte"
    assert (latest.lines, latest.delta) == (201, Delta(added=1, removed=0))


def seen(office: Office, serial: Serial, **more: str) -> None:
    """Remember of a device what it told with a poll."""
    known = fleets.device(13, office.live.deployment.commit, now())
    office.site.inventory.save_sightings([replace(known, serial=serial, **more)])


def test_a_device_has_one_name_in_the_history_from_the_beginning(office: Office) -> None:
    newcomer = parse_serial("00-90-33-46-0a-f2")
    for number in range(2):
        office.put(dump(*LINES[number:]), newcomer, hardware_id="IP222-46-0A-F2").result(10)
        office.commit()
        seen(office, newcomer, model="IP222", given_name="Desk 7")
    assert git(office.site.path, "shortlog", "-sn", "main").split("\n") == ["     2\tIP222 00-90-33-46-0a-f2", ""]
    assert git(office.site.path, "log", "--format=%s").splitlines() == [
        'IP222 00-90-33-46-0a-f2 "Desk 7": 1 line changed',
        "IP222 00-90-33-46-0a-f2: first version, 200 lines",
    ]


@pytest.mark.parametrize("hardware_id", ["IP222-46-0a-f3", "IP222", "-46-0a-f2", "dect", ""])
def test_no_model_is_taken_from_a_hardware_id_of_another_kind(office: Office, hardware_id: str) -> None:
    office.put(dump(*LINES), parse_serial("00-90-33-46-0a-f2"), hardware_id=hardware_id).result(10)
    office.commit()
    assert git(office.site.path, "log", "--format=%an").splitlines() == ["00-90-33-46-0a-f2"]


def test_a_name_can_not_turn_a_line_of_the_log_around(office: Office) -> None:
    seen(office, SERIAL, model="<IP\x00", given_name="Desk \u202edegnahc senil 99\u2066\nDevice: x")
    office.upload(dump(*LINES))
    office.commit()
    (author,) = git(office.site.path, "log", "--format=%an").splitlines()
    assert author == "IP  00-90-33-00-00-0d"
    (subject,) = git(office.site.path, "log", "--format=%s").splitlines()
    assert subject == '<IP  00-90-33-00-00-0d "Desk  degnahc senil 99 Device: x": first version, 200 lines'


def test_a_clone_has_the_bytes_that_came_wherever_it_is_made(office: Office, tmp_path: Path) -> None:
    unix = "".join(f"{line}\n" for line in LINES).encode()
    office.upload(unix)
    office.upload(dump(*LINES), NEIGHBOUR)
    office.commit()
    office.upload(dump(*LINES, "config b ends with a blank "), NEIGHBOUR)
    office.commit()
    windows = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    command = ["git", *windows, "clone", "-q", str(office.site.path / "backups.git"), str(tmp_path / "clone")]
    subprocess.run(command, check=True, timeout=60)
    assert (tmp_path / "clone" / path_of(SERIAL)).read_bytes() == unix
    assert (tmp_path / "clone" / path_of(NEIGHBOUR)).read_bytes() == dump(*LINES, "config b ends with a blank ")
    assert git_in(tmp_path / "clone", *windows, "status", "--short") == b""
    difference = git_in(tmp_path / "clone", *windows, "diff", "--color", "HEAD~1")
    assert b"config b ends" in difference
    assert b"\x1b[41m" not in difference, "nothing is marked as a fault"
    assert len(git(office.site.path, "log", "--format=%h", "--", ".gitattributes").split()) == 1
    told = git(office.site.path, "check-attr", "whitespace", "--", "devices/0/d/00-90-33-00-00-0d.txt")
    assert told.endswith("whitespace: unset\n"), "in the bare repository as well"


def git_in(folder: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def test_versions_for_a_repository_that_is_none_wait(office: Office) -> None:
    objects = office.site.backups.path / "objects"
    for number in range(20):
        office.upload(dump(*LINES), Serial(f"0090330000{number:02x}"))
    objects.rename(objects.with_name("elsewhere"))
    with pytest.raises(UnreadableRepository, match="not a git repository"):
        office.commit()
    objects.with_name("elsewhere").rename(objects)
    counts = list(iter(office.commit, 0))
    assert sum(counts) == 20
    assert counts[0] == 1, "after a failure, one alone may fit"


def test_many_devices_at_once_and_a_change_back(office: Office) -> None:
    serials = [Serial(f"0090330000{number:02x}") for number in range(20)]
    for number, serial in enumerate(serials):
        office.upload(dump(*LINES, f"vars create A p {number}"), serial)
        office.upload(dump(*LINES), serial)
        office.upload(dump(*LINES, f"vars create A p {number}"), serial)
    assert office.commit() == 60
    assert office.site.backup_index.count() == 60
    assert all(len(office.history().versions(serial)) == 3 for serial in serials)


def test_the_same_taken_in_twice_is_one_version(office: Office) -> None:
    office.upload(dump(*LINES))
    (waiting,) = office.site.backup_inbox.waiting(10, 10**9)
    office.site.backup_inbox.save([replace(waiting, key="0" * 32)])
    assert office.commit() == 2
    assert office.site.backup_index.count() == 1


def test_killed_between_the_history_and_the_index(office: Office) -> None:
    office.upload(dump(*LINES))
    office.commit()
    before = office.history().versions(SERIAL)
    office.upload(dump(*LINES, "config a"))
    waiting = office.site.backup_inbox.waiting(10, 10**9)
    office.commit()
    committed = office.history().versions(SERIAL)
    # As if the process had been killed before the index was written.
    office.site.backup_index.clear()
    office.site.backup_index.add(before)
    office.site.backup_inbox.save(waiting)
    assert office.commit() == 0, "what is in the history already is only taken into the index"
    assert [version.commit for version in office.history().versions(SERIAL)] == [
        version.commit for version in committed
    ]
    assert office.site.backup_inbox.count() == 0


def test_a_database_without_room_costs_no_version_and_leaves_no_file(office: Office) -> None:
    large = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(10_000)))
    assert office.upload_file(large) == "kept"
    with office.site.database.connection() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON backup_versions BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    with pytest.raises(UnusableDatabase, match="disk is full"):
        office.commit()
    assert office.history().versions(SERIAL) == []
    with office.site.database.connection() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert office.commit() == 0, "it is in the history already"
    assert [office.history().raw(each) for each in office.history().versions(SERIAL)] == [large]
    assert office.site.backup_inbox.count() == 0
    assert list(office.site.inbox_folder.iterdir()) == []


def test_what_a_change_is_about_is_told_and_found_again(office: Office) -> None:
    office.upload(dump(*LINES))
    office.upload(dump(*LINES[1:], "config change PHONE/REG /gk-addr 10.1.0.1", "config change NTP0 /addr ntp.example"))
    assert office.commit() == 2
    new, first = office.history().versions(SERIAL)
    assert change_of(new) == "2 lines changed (gatekeeper, time, other)"
    assert change_of(first) == "first version, 200 lines"
    assert "\nTopics: gatekeeper, time, other\n" in git(office.site.path, "log", "-1", "--format=%B")
    office.site.backup_index.clear()
    assert office.commits.recover() == 2
    assert [each.facts for each in office.history().versions(SERIAL)] == [new.facts, first.facts]
