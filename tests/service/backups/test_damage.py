"""A backup history that is damaged: named, mended where that can be, and never a reason to stop everything else."""

from __future__ import annotations

import os
import time

import pytest
from support.damaging import damaged, place_of
from support.keeping import all_is_well, commit_of, running_keeper, settled
from support.offices import LINES, SERIAL, Office, dump, git

from gitupd.core.caller import Serial, parse_serial
from gitupd.errors import SiteError, UnreadableRepository
from gitupd.service.backups.upkeep import tidy_inbox, verify
from gitupd.store.ages import Ages
from gitupd.store.backups.inbox import packed

NEIGHBOUR = parse_serial("00-90-33-00-00-0e")


def latest(office: Office, serial: Serial = SERIAL) -> bytes:
    return office.history().raw(office.history().version(serial))


# Objects


def test_a_version_that_can_not_be_read_stops_nobody(office: Office) -> None:
    commit_of(office)
    commit_of(office, "config other", serial=NEIGHBOUR)
    spoilt = office.history().version(SERIAL)
    with damaged(office.site.backups.path, spoilt.blob):
        office.upload(dump(*LINES, "config a"))
        office.upload(dump(*LINES, "config a"), NEIGHBOUR)
        assert office.commit() == 2
        assert str(SERIAL) in office.commits.trouble
        message = git(office.site.path, "log", "-1", "--format=%B", "--", "devices/0/d")
        assert "Note: the version before can't be read" in message
        assert office.history().version(SERIAL).facts["note"] == "the version before can't be read"
        assert office.history().version(SERIAL).lines == 201
        assert latest(office) == latest(office, NEIGHBOUR) == dump(*LINES, "config a")
        with pytest.raises(SiteError, match="the backup history is damaged"):
            list(verify(office.site))
        commit_of(office, "config b")
        assert "Note" not in git(office.site.path, "log", "-1", "--format=%B", "--", "devices/0/d")
    all_is_well(office)


@pytest.mark.parametrize("folder", ["", "devices", "devices/0", "devices/0/d"])
def test_a_folder_that_can_not_be_read_is_made_anew(office: Office, folder: str) -> None:
    others = [Serial(f"0090330000{number:02x}") for number in range(20)]
    for serial in others:
        commit_of(office, serial=serial)
    with damaged(office.site.backups.path, git(office.site.path, "rev-parse", f"main:{folder}").strip()):
        commit_of(office, "config a")
        commit_of(office, "config b", serial=NEIGHBOUR)
        assert "which gitupd backups verify names" in office.commits.trouble
        assert latest(office) == dump(*LINES, "config a")
        assert office.site.backup_index.count() == 22
    assert len(git(office.site.path, "ls-tree", "-r", "--name-only", "main:devices").split()) == 20, (
        "all others are still there"
    )
    all_is_well(office)


def test_versions_are_kept_though_a_commit_before_can_not_be_read(office: Office) -> None:
    commit_of(office)
    damage = commit_of(office, "config 1")
    commit_of(office, "config 2")
    with damaged(office.site.backups.path, damage):
        commit_of(office, "config a")
        assert latest(office) == dump(*LINES, "config a")
    assert git(office.site.path, "rev-list", "--count", "main").strip() == "4"
    all_is_well(office)


def test_uploads_wait_while_the_latest_commit_can_not_be_read(office: Office) -> None:
    tip = commit_of(office)
    assert office.upload(dump(*LINES, "config a")) == "kept"
    with damaged(office.site.backups.path, tip):
        for _ in range(2):
            with pytest.raises(UnreadableRepository, match="can't be written"):
                office.commit()
        assert office.upload(dump(*LINES, "config b")) == "kept"
    assert [office.commit(), office.commit()] == [1, 1], "after a failure, the oldest is tried alone"
    assert [version.delta.changed for version in office.history().versions(SERIAL)] == [1, 1, 200]
    assert not list(office.site.backups.path.glob("objects/pack/tmp*"))
    all_is_well(office)


def test_a_truncated_pack(office: Office) -> None:
    commit_of(office)
    commit_of(office, serial=NEIGHBOUR)
    pack, _ = place_of(office.site.backups.path, office.history().version(SERIAL).blob)
    healthy = pack.read_bytes()
    pack.chmod(0o600)
    pack.write_bytes(healthy[: len(healthy) // 2])
    commit_of(office, "config a")
    commit_of(office, "config a", serial=NEIGHBOUR)
    assert latest(office) == latest(office, NEIGHBOUR) == dump(*LINES, "config a")
    with pytest.raises(SiteError, match="the backup history is damaged"):
        list(verify(office.site))
    pack.write_bytes(healthy)
    all_is_well(office)


# Locks, and what a killed process leaves behind


@pytest.mark.parametrize(
    "lock",
    [
        "refs/heads/main.lock",
        "packed-refs.lock",
        "HEAD.lock",
        "config.lock",
        "objects/info/commit-graphs/commit-graph-chain.lock",
        "objects/pack/multi-pack-index.lock",
    ],
)
def test_a_stale_lock_is_out_of_the_way_without_a_hand(office: Office, lock: str) -> None:
    commit_of(office)
    found = office.site.backups.path / lock
    found.parent.mkdir(parents=True, exist_ok=True)
    found.touch()
    os.utime(found, (time.time() - 3600, time.time() - 3600))
    office.upload(dump(*LINES, "config a"))
    with running_keeper(office):
        settled(office)
        office.site.backups.keep_up()
    assert not found.exists()
    all_is_well(office)


def test_a_lock_that_comes_while_it_runs_is_waited_for_and_then_removed(office: Office) -> None:
    commit_of(office)
    lock = office.site.backups.path / "refs/heads/main.lock"
    lock.touch()
    office.upload(dump(*LINES, "config a"))
    with pytest.raises(UnreadableRepository, match="can't be written"):
        office.commit()
    assert lock.exists(), "it may be somebody's who is at work"
    os.utime(lock, (time.time() - 100, time.time() - 100))
    with pytest.raises(UnreadableRepository, match="can't be written"):
        office.commit()
    assert office.commit() == 1
    all_is_well(office)


def test_a_lock_of_who_pushes_to_the_mirror_stays_for_a_minute(office: Office) -> None:
    lock = office.site.backups.path / "refs/gitupd/mirrored.lock"
    lock.parent.mkdir()
    lock.touch()
    with office.site.backups.claimed():
        assert office.site.backups.tidy() == []
        os.utime(lock, (time.time() - 100, time.time() - 100))
        assert office.site.backups.tidy() == ["mirrored.lock"]


def test_packs_of_a_killed_git_do_not_stay(office: Office) -> None:
    commit_of(office)
    (pack,) = office.site.backups.path.glob("objects/pack/*.pack")
    left = [pack.with_suffix(".keep"), pack.with_name("tmp_pack_x"), pack.with_name(".tmp-1-pack-x.pack")]
    left += [office.site.backups.path / name for name in ("fast_import_crash_17", "objects/ab/tmp_obj_x")]
    left[-1].parent.mkdir()
    for each in left:
        each.write_text("fast-import")
    with running_keeper(office):
        settled(office)
    assert not any(each.exists() for each in left)
    all_is_well(office)


# The inbox


def test_a_large_upload_whose_file_is_lost_stops_nobody(office: Office) -> None:
    large = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(10_000)))
    assert office.upload_file(large) == "kept"
    assert office.upload(dump(*LINES), NEIGHBOUR) == "kept"
    (lost,) = office.site.inbox_folder.iterdir()
    lost.unlink()
    office.commit()
    assert latest(office, NEIGHBOUR) == dump(*LINES)
    assert office.history().versions(SERIAL) == []
    assert "was lost; its next one is kept" in office.site.inventory.device(SERIAL).messages[-1].text
    assert office.upload_file(large) == "kept"
    assert office.commit() == 1
    assert latest(office) == large
    all_is_well(office)


def test_a_large_upload_that_can_not_be_read_for_a_while_waits(office: Office) -> None:
    large = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(10_000)))
    assert office.upload_file(large) == "kept"
    (waiting,) = office.site.inbox_folder.iterdir()
    waiting.rename(waiting.with_name("elsewhere"))
    waiting.mkdir()  # whoever is root may read everything else
    assert office.commit() == 0
    assert office.upload(dump(*LINES), NEIGHBOUR) == "kept"
    assert office.commit() == 1
    assert str(waiting) in office.commits.trouble
    waiting.rmdir()
    waiting.with_name("elsewhere").rename(waiting)
    assert office.commit() == 1
    assert office.commits.trouble is None
    assert latest(office) == large
    all_is_well(office)


def test_a_row_of_the_inbox_that_can_not_be_read_stops_nobody(office: Office) -> None:
    office.upload(dump(*LINES))
    office.upload(dump(*LINES), NEIGHBOUR)
    with office.site.database.connection() as connection:
        spoilt = {"body": packed(dump(*LINES))[:-20], "serial": SERIAL.digits}
        connection.exec_driver_sql("UPDATE backup_inbox SET body = :body WHERE serial = :serial", spoilt)
    office.commit()
    assert latest(office, NEIGHBOUR) == dump(*LINES)
    commit_of(office)
    all_is_well(office)


def test_uploads_that_were_cut_off_are_removed_after_an_hour(office: Office) -> None:
    kept = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(10_000)))
    assert office.upload_file(kept) == "kept"
    (waiting,) = office.site.inbox_folder.iterdir()
    cut_off = office.site.inbox_folder / "incoming-1"
    cut_off.touch()
    os.utime(cut_off, (1, 1))  # as if the clock had been put forward since, or had been wrong
    seconds = 0.0
    ages = Ages(lambda: seconds)
    assert tidy_inbox(office.site, ages) == 0
    seconds += 3000
    assert tidy_inbox(office.site, ages) == 0
    seconds += 1000
    assert tidy_inbox(office.site, ages) == 1
    assert list(office.site.inbox_folder.iterdir()) == [waiting]
    (office.site.inbox_folder / "of somebody else").mkdir()
    for _ in range(2):
        assert tidy_inbox(office.site, ages) == 0
        seconds += 4000
