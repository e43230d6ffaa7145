"""A backup history that is damaged: named, mended where that can be, and never a reason to stop everything else."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.damaging import damaged, place_of
from support.histories import keep, uploads
from support.offices import LINES, SERIAL, Office, dump, git, opened

from gitupd.core.backups.change import Volatile
from gitupd.core.caller import Serial, parse_serial
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError, UnreadableRepository
from gitupd.service.backups.keeper import BackupKeeper
from gitupd.service.backups.recovery import begin_anew
from gitupd.service.backups.troubles import Troubles, backup_troubles
from gitupd.service.backups.upkeep import MOST_PACKS, tidy_inbox, verify
from gitupd.service.clock import now
from gitupd.service.deployments.live import Follower
from gitupd.service.site import Site
from gitupd.store.backups.inbox import packed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEIGHBOUR = parse_serial("00-90-33-00-00-0e")
WHOLE = re.compile(r"\d+ versions?, every object is whole")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path / "site") as office:
        yield office


def commit_of(office: Office, *lines: str, serial: Serial = SERIAL) -> str:
    """Upload, commit, and return the commit."""
    assert office.upload(dump(*LINES, *lines), serial) == "kept"
    assert office.commit() == 1
    return office.history().version(serial).commit


def latest(office: Office, serial: Serial = SERIAL) -> bytes:
    return office.history().raw(office.history().version(serial))


def all_is_well(office: Office) -> None:
    assert WHOLE.fullmatch(list(verify(office.site))[-1])
    assert office.site.backup_inbox.count() == 0


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
    assert office.commit() == 2
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


# The index, the branch, the repository


def test_an_index_that_lacks_its_end_is_completed(office: Office) -> None:
    for number in range(4):
        commit_of(office, f"config {number}")
    before = office.history().versions(SERIAL)
    office.site.backup_index.clear()
    office.site.backup_index.add(before[:1:-1])
    assert office.commits.recover() == 2
    assert [each.commit for each in office.history().versions(SERIAL)] == [each.commit for each in before]


def test_the_lost_index_of_a_long_history_is_made_anew_to_its_end(office: Office) -> None:
    keep(office.site, uploads(15, 70, now(), size=300), Volatile(()), office.live.deployment.commit)
    before = [version.commit for version in office.site.backup_index.newest(2000)]
    office.site.backup_index.clear()
    assert office.commits.recover() == len(before) == 1050
    assert [version.commit for version in office.site.backup_index.newest(2000)] == before


def test_an_index_that_lacks_something_in_between_is_found_out_and_made_anew(office: Office) -> None:
    for number in range(4):
        commit_of(office, f"config {number}")
    before = office.history().versions(SERIAL)
    office.site.backup_index.clear()
    office.site.backup_index.add([before[3], before[0]])
    assert "took 4 commits into the index that it did not know" in list(verify(office.site))
    assert [each.commit for each in office.history().versions(SERIAL)] == [each.commit for each in before]
    assert list(verify(office.site)) == ["4 versions, every object is whole"]


def test_a_lost_index_of_a_damaged_history_holds_what_can_be_read(office: Office) -> None:
    commit_of(office, "config 0")
    commit_of(office, "config 1", serial=NEIGHBOUR)
    before = office.site.backup_index.newest()
    with damaged(office.site.backups.path, before[1].commit):
        office.site.backup_index.clear()
        assert office.commits.recover() == 1
    with damaged(office.site.backups.path, before[1].blob):
        office.site.backup_index.clear()
        assert office.commits.recover() == 2
    assert [version.commit for version in office.site.backup_index.newest()] == [each.commit for each in before]


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "0" * 40 + "\n", "parent"])
def test_a_lost_branch_is_found_again_by_the_index(office: Office, content: str | None) -> None:
    first = commit_of(office)
    tip = commit_of(office, "config a")
    branch = office.site.backups.path / "refs/heads/main"
    branch.unlink()
    if content is not None:
        branch.write_text(f"{first}\n" if content == "parent" else content)
    office.upload(dump(*LINES, "config b"))
    assert office.commit() == 1
    assert git(office.site.path, "rev-parse", "main~1").strip() == tip
    assert office.site.backup_index.count() == 3
    all_is_well(office)


def test_a_branch_whose_end_is_damaged_goes_back_to_what_the_index_knows(office: Office) -> None:
    first = commit_of(office)
    known = office.history().versions(SERIAL)
    with damaged(office.site.backups.path, commit_of(office, "config a")):
        office.site.backup_index.clear()
        office.site.backup_index.add(known)
        assert office.commits.recover() == 0
        assert git(office.site.path, "rev-parse", "main").strip() == first


def test_an_index_that_does_not_fit_a_damaged_history_stays_as_it_is(office: Office) -> None:
    first = commit_of(office)
    commit_of(office, "config a")
    office.site.backup_index.add([replace(office.history().version(SERIAL), commit=CommitId("f" * 40))])
    with (
        damaged(office.site.backups.path, first),
        pytest.raises(UnreadableRepository, match="does not fit its index, nor can it be read"),
    ):
        office.commits.recover()
    assert office.site.backup_index.count() == 3


def test_a_branch_among_packed_references(office: Office) -> None:
    commit_of(office)
    git(office.site.path, "pack-refs", "--all")
    assert not (office.site.backups.path / "refs/heads/main").exists()
    commit_of(office, "config a")
    all_is_well(office)


def test_a_missing_repository_is_created_only_if_there_never_was_one(office: Office, tmp_path: Path) -> None:
    shutil.rmtree(office.site.backups.path)
    commit_of(office)
    office.site.backups.path.rename(tmp_path / "gone")
    assert office.upload(dump(*LINES, "config a")) == "kept"
    with pytest.raises(UnreadableRepository, match="is no Git repository"):
        office.commit()
    office.site.backups.path.mkdir()
    with pytest.raises(UnreadableRepository, match="restore it from a copy or from a mirror"):
        office.commit()
    office.site.backups.path.rmdir()
    (tmp_path / "gone").rename(office.site.backups.path)
    assert office.commit() == 1
    all_is_well(office)


def test_an_empty_repository_in_place_of_the_history_is_no_new_beginning(office: Office, tmp_path: Path) -> None:
    commit_of(office)
    office.site.backups.path.rename(tmp_path / "gone")
    office.site.backups.create()
    office.upload(dump(*LINES, "config a"))
    with pytest.raises(UnreadableRepository, match="was lost, of which the index knows 1 version; restore it"):
        office.commit()
    assert office.site.backup_index.count() == office.site.backup_inbox.count() == 1


def lose(office: Office, how: str) -> None:
    path = office.site.backups.path
    match how:
        case "gone":
            shutil.rmtree(path)
        case "empty":
            shutil.rmtree(path)
            office.site.backups.create()
        case "no repository":
            (path / "HEAD").unlink()
        case "no objects":
            shutil.rmtree(path / "objects")
        case "no objects, no index":
            shutil.rmtree(path / "objects")
            office.site.backup_index.clear()


@pytest.mark.parametrize("how", ["gone", "empty", "no repository", "no objects", "no objects, no index"])
def test_a_history_that_is_lost_is_begun_anew_if_somebody_wants_it(office: Office, how: str) -> None:
    commit_of(office)
    commit_of(office, serial=NEIGHBOUR)
    lose(office, how)
    office.upload(dump(*LINES, "config a"))
    with pytest.raises(UnreadableRepository):
        office.commit()
    aside = begin_anew(office.site, now())
    assert (aside is None) == (how == "gone")
    assert office.commit() == 1, "what waits is the beginning"
    assert office.upload(dump(*LINES, "config a")) == "nothing has changed"
    assert office.upload(dump(*LINES), NEIGHBOUR) == "kept", "though nothing has changed"
    assert office.commit() == 1
    assert office.site.backup_index.count() == 2
    all_is_well(office)


def test_a_history_that_is_there_is_not_begun_anew(office: Office) -> None:
    with pytest.raises(SiteError, match="is there; see: gitupd backups verify"):
        begin_anew(office.site, now())
    tip = commit_of(office)
    (office.site.backups.path / "refs/heads/main").unlink()
    with pytest.raises(SiteError, match="is there; see: gitupd backups verify"):
        begin_anew(office.site, now())
    assert office.commits.recover() == 0
    assert git(office.site.path, "rev-parse", "main").strip() == tip


def test_what_an_older_copy_of_the_history_lacks_is_kept_when_it_comes_again(office: Office, tmp_path: Path) -> None:
    commit_of(office)
    commit_of(office, serial=NEIGHBOUR)
    shutil.copytree(office.site.backups.path, tmp_path / "copy")
    commit_of(office, "config a")
    shutil.rmtree(office.site.backups.path)
    (tmp_path / "copy").rename(office.site.backups.path)
    assert office.upload(dump(*LINES, "config a")) == "nothing has changed"
    assert office.commits.recover() == 2
    assert office.upload(dump(*LINES), NEIGHBOUR) == "nothing has changed"
    commit_of(office, "config a")
    all_is_well(office)


def test_a_history_that_somebody_rewrites_is_kept_beside_the_new_one(office: Office) -> None:
    """Whoever may write to the repository can take a version out of it, but not without being seen."""
    for line in ("config at first", "config to be hidden", "config after it"):
        office.upload(dump(*LINES, line))
    assert office.commit() == 3
    before, path = office.site.backups.tip(), office.site.path
    last = git(path, "log", "-1", "--format=%B", "HEAD")
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    rewritten = git(path, *identity, "commit-tree", "-p", "HEAD~2", "-m", last, "HEAD^{tree}").strip()
    git(path, "update-ref", "refs/heads/main", rewritten)
    assert told(office) == ([], []), "nobody has looked yet"
    office.upload(dump(*LINES, "config and on"))
    assert office.commit() == 1
    warning = "the backup history was rewritten; gitupd backups verify says what is missing in it"
    assert told(office) == ([], [warning])
    git(path, "gc", "-q", "--prune=now")
    assert told(office) == ([], [warning])
    (line,) = [line for line in verify(office.site) if "rewritten" in line]
    assert line.endswith(f" log main..{before}")
    assert "config to be hidden" in git(path, "log", "-p", f"main..{before}")
    git(path, "update-ref", "-d", f"refs/gitupd/replaced/{before}")
    assert told(office) == ([], [])
    assert not any("rewritten" in line for line in verify(office.site))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_repository_of_somebody_else(office: Office) -> None:
    for path in (office.site.backups.path, *office.site.backups.path.rglob("*")):
        os.chown(path, 65534, 65534)
    commit_of(office)
    office.site.backups.keep_up()
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
    assert tidy_inbox(office.site, time.time()) == 0
    assert tidy_inbox(office.site, time.time() + 4000) == 1
    assert list(office.site.inbox_folder.iterdir()) == [waiting]
    (office.site.inbox_folder / "of somebody else").mkdir()
    assert tidy_inbox(office.site, time.time() + 4000) == 0


def test_the_keeper_removes_what_was_cut_off_and_packs_what_there_is_much_of(office: Office) -> None:
    for number in range(MOST_PACKS + 1):
        commit_of(office, f"config {number}")
    cut_off = office.site.inbox_folder / "incoming-1"
    cut_off.touch()
    os.utime(cut_off, (time.time() - 7200, time.time() - 7200))
    with running_keeper(office):
        until(lambda: not cut_off.exists() and office.site.backups.pack_count() < MOST_PACKS)
    all_is_well(office)


def test_the_keeper_goes_on_whatever_happens(office: Office) -> None:
    office.upload(dump(*LINES))

    def facts(written: str) -> None:
        with office.site.database.connection() as connection:
            connection.exec_driver_sql("UPDATE backup_inbox SET facts = ?", (written,))

    facts("{nonsense")
    with running_keeper(office):
        until(lambda: told(office)[0])
        assert told(office) == (["backups can't be committed; the log says why"], [])
        facts("{}")
        settled(office)
        until(lambda: told(office) == ([], []))
    all_is_well(office)


# What is told


class running_keeper:  # noqa: N801 - a context manager
    """Commits in the background while the block runs."""

    def __init__(self, office: Office) -> None:
        self._site = Site(office.site.path)
        follower = Follower(self._site)
        follower.follow()
        self._keeper = BackupKeeper(self._site, follower, idle=0.02, upkeep=0.05)

    def __enter__(self) -> None:
        self._keeper.start()

    def __exit__(self, *_: object) -> None:
        self._keeper.stop()
        self._site.close()


def settled(office: Office, seconds: float = 60) -> None:
    """Wait until nothing is in the inbox any more, and the keeper has begun."""
    deadline = time.monotonic() + seconds
    while office.site.backup_inbox.count() or list(office.site.backups.path.glob("**/*.lock")):
        assert time.monotonic() < deadline, "uploads stay in the inbox"
        time.sleep(0.02)
    time.sleep(0.1)


def told(office: Office, *, later: timedelta = timedelta(0)) -> tuple[list[str], list[str]]:
    with closing(Site(office.site.path)) as site:
        return backup_troubles(site, now() + later)


def test_damage_is_told_by_those_who_are_asked(office: Office) -> None:
    tip = commit_of(office)
    blob = office.history().version(SERIAL).blob
    assert told(office) == ([], [])
    with damaged(office.site.backups.path, tip):
        office.upload(dump(*LINES, "config a"))
        with running_keeper(office):
            until(lambda: told(office)[0])
        ((trouble,), warnings) = told(office)
        assert "can't be written" in trouble
        assert warnings == []
        assert told(office, later=timedelta(hours=2)) == ([trouble], []), "and not also what comes of it"
    with ExitStack() as mended:
        mended.enter_context(damaged(office.site.backups.path, blob))
        with running_keeper(office):
            settled(office)
            until(lambda: told(office)[1])
            assert told(office) == ([], [f"the version {tip} of device {SERIAL} can't be read"])
            mended.close()
            until(lambda: told(office) == ([], []))


def test_that_nobody_commits_is_told_after_a_while(office: Office) -> None:
    office.upload(dump(*LINES))
    assert told(office) == ([], [])
    ((trouble,), _) = told(office, later=timedelta(minutes=6))
    assert trouble.startswith("1 backup waits for the history, the first since ")


def test_a_mirror_that_lags_behind_for_an_hour_is_a_warning(office: Office) -> None:
    setting = office.site.path / "gitupd.toml"
    setting.write_text('backup_mirror = "/nowhere"\n')
    commit_of(office)
    assert told(office, later=timedelta(minutes=59)) == ([], [])
    _, (warning,) = told(office, later=timedelta(minutes=61))
    assert warning.startswith("the mirror of the backup history lacks 1 version, the first of ")


def test_what_is_wrong_is_told_once(tmp_path: Path) -> None:
    troubles = Troubles(tmp_path)
    assert troubles.note("away", None)
    assert not troubles.note("away", "odd")
    assert Troubles(tmp_path).read() == ("away", "odd")
    assert troubles.note("elsewhere", None)
    assert not troubles.note(None, None)
    assert Troubles(tmp_path).read() == (None, None)
    assert list(tmp_path.iterdir()) == []


def until(met: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)
