"""Backups from their arrival to the history, with real repositories, and with somebody pulling plugs in between."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from support import fleets
from support.damaging import damaged
from support.offices import LINES, SERIAL, Office, dump, git, opened

from gitupd.core.backups.change import Delta
from gitupd.core.caller import Serial, parse_serial
from gitupd.core.concealing import Values, Veil
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError, UnreadableRepository
from gitupd.service.backups.history import BackupHistory
from gitupd.service.backups.intake import Arrival
from gitupd.service.backups.messages import change_of
from gitupd.service.backups.mirror import BackupMirror, Lag, lag
from gitupd.service.backups.search import Query
from gitupd.service.backups.upkeep import verify
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.store.backups.stream import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEIGHBOUR = parse_serial("00-90-33-00-00-0e")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path / "site") as office:
        yield office
    git(tmp_path / "site", "fsck", "--strict")


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
        arrival = Arrival(newcomer, now(), dump(*LINES[number:]), 9, {"hardware_id": "IP222-46-0A-F2"})
        office.intake.keep(arrival).result(10)
        office.commit()
        seen(office, newcomer, model="IP222", given_name="Desk 7")
    assert git(office.site.path, "shortlog", "-sn", "main").split("\n") == ["     2\tIP222 00-90-33-46-0a-f2", ""]
    assert git(office.site.path, "log", "--format=%s").splitlines() == [
        'IP222 00-90-33-46-0a-f2 "Desk 7": 1 line changed',
        "IP222 00-90-33-46-0a-f2: first version, 200 lines",
    ]


@pytest.mark.parametrize("hardware_id", ["IP222-46-0a-f3", "IP222", "-46-0a-f2", "dect", ""])
def test_no_model_is_taken_from_a_hardware_id_of_another_kind(office: Office, hardware_id: str) -> None:
    arrival = Arrival(parse_serial("00-90-33-46-0a-f2"), now(), dump(*LINES), 9, {"hardware_id": hardware_id})
    office.intake.keep(arrival).result(10)
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
    assert office.commit() == 20


@pytest.mark.parametrize("content", [b"", b"<html>", b"config a\x00b"])
def test_what_is_no_configuration_is_not_kept_and_told(office: Office, content: bytes) -> None:
    for _ in range(3):
        assert office.upload(content).startswith("not kept: ")
    assert office.site.backup_inbox.count() == 0
    told = [message.text for message in office.site.inventory.device(SERIAL).messages]
    assert sum("its backup was not kept" in text for text in told) == 1, "not all the time"


@pytest.mark.parametrize("start", [b"  <html>", b"config a\x00b", b"\r\n"])
def test_what_is_no_configuration_is_not_kept_however_large_it_is(office: Office, start: bytes) -> None:
    assert office.upload_file(start + b" \r\n" * 200_000).startswith("not kept: ")
    assert office.site.backup_inbox.count() == 0


def test_an_implausibly_short_version_is_believed_when_it_repeats(office: Office) -> None:
    office.upload(dump(*LINES))
    assert "implausibly few" in office.upload(dump(*LINES[:50]))
    assert "implausibly few" in office.upload(dump(*LINES[:40]))
    assert office.upload(dump(*LINES[:40])) == "kept"
    office.upload(dump(*LINES))
    assert "implausibly few" in office.upload(dump(*LINES[:50]))
    assert office.upload(dump(*LINES)) == "nothing has changed"
    assert "implausibly few" in office.upload(dump(*LINES[:50])), "a good one in between starts anew"


def test_what_a_device_uploads_at_once_is_judged_one_after_the_other(office: Office) -> None:
    whole, few = dump(*LINES), dump(*LINES[:50])
    office.upload(whole)
    assert "implausibly few" in office.upload(few)
    at_once = [Arrival(SERIAL, now(), each, len(each), {}) for each in (whole, few, few, whole, whole)]
    office.intake.keep(*at_once).result(10)
    doubt = f"not kept: {len(few)} bytes are implausibly few; it is kept if it comes again"
    assert [each.verdict for each in at_once] == ["nothing has changed", doubt, "kept", "kept", "nothing has changed"]
    assert office.upload(few) == doubt, "it begins anew with what was kept last"
    assert office.commit() == 3
    assert [office.history().raw(each) for each in office.history().versions(SERIAL)] == [whole, few, whole]


def test_that_many_devices_uploaded_again_is_written_down_before_the_end(office: Office) -> None:
    serials = [Serial(f"0090330000{number:02x}") for number in range(5)]
    for serial in serials:
        office.upload(dump(*LINES), serial)
    later = now() + timedelta(hours=1)
    office.intake.keep(*(Arrival(serial, later, dump(*LINES), 9, {}) for serial in serials)).result(10)
    office.intake.stop()
    assert [head.seen for head in office.site.backup_inbox.heads(serials).values()] == [later] * 5


def test_a_large_version_lies_in_a_file_until_it_is_in_the_history(office: Office) -> None:
    large = dump(*LINES, *(f"vars create LARGE/{number:06} p {number}" for number in range(100_000)))
    assert office.upload_file(large) == "kept"
    assert len(list(office.site.inbox_folder.iterdir())) == 1
    assert office.commit() == 1
    assert list(office.site.inbox_folder.iterdir()) == []
    assert office.history().raw(office.history().version(SERIAL)) == large
    assert office.upload_file(large) == "nothing has changed"
    assert office.upload_file(large.replace(b"/option 0", b"/option X", 1)) == "kept", "though they end alike"
    assert office.upload_file(large.replace(b"/option 1\r", b"/option Y\r", 1)) == "kept"
    assert office.commit() == 2
    assert [each.delta.changed for each in office.history().versions(SERIAL)] == [2, 1, 100_200]


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


def test_a_lost_index_is_made_anew(office: Office) -> None:
    for number in range(5):
        office.upload(dump(*LINES, f"config {number}"))
        office.commit()
    versions = office.history().versions(SERIAL)
    office.site.backup_index.clear()
    assert office.commits.recover() == 5
    again = office.history().versions(SERIAL)
    assert again == [replace(version, received=version.received.replace(microsecond=0)) for version in versions]
    assert office.commits.recover() == 0


def test_an_index_of_another_history_is_made_anew(office: Office) -> None:
    office.upload(dump(*LINES))
    office.commit()
    (version,) = office.history().versions(SERIAL)
    office.site.backup_index.add([replace(version, commit="f" * 40)])
    assert office.commits.recover() == 1
    assert [each.commit for each in office.history().versions(SERIAL)] == [version.commit]


def test_what_a_killed_git_leaves_behind_is_removed(office: Office) -> None:
    office.upload(dump(*LINES))
    office.commit()
    lock = office.site.backups.path / "refs/heads/main.lock"
    lock.touch()
    office.upload(dump(*LINES, "config a"))
    with pytest.raises(Exception, match="can't be written"):
        office.commit()
    assert list(verify(office.site)) == [
        "removed main.lock, which a killed process left behind",
        "1 version waits to be committed",
        "1 version, every object is whole",
    ]
    assert office.commit() == 1


def test_a_damaged_object_is_named(office: Office) -> None:
    office.upload(dump(*LINES))
    office.commit()
    blob = office.history().version(SERIAL).blob
    with (
        damaged(office.site.backups.path, blob),
        pytest.raises(SiteError, match=r"(?s)the backup history is damaged: .*; restore .* from a mirror"),
    ):
        list(verify(office.site))


def test_versions_are_named_in_many_ways(office: Office) -> None:
    for number in range(3):
        office.upload(dump(*LINES, f"config {number}"))
        office.commit()
    history = office.history()
    newest, middle, oldest = history.versions(SERIAL)
    assert history.version(SERIAL, "latest") == history.version(SERIAL, "~0") == newest
    assert history.version(SERIAL, "~1") == history.version(SERIAL, middle.commit[:12]) == middle
    assert history.version(SERIAL, oldest.received.isoformat()) == oldest
    assert history.version(SERIAL, oldest.received.astimezone(timezone(timedelta(hours=9))).isoformat()) == oldest
    assert history.version(SERIAL, "2999-01-01") == history.version(SERIAL, "9999-12-31") == newest
    assert history.last_before(SERIAL, newest.received) == middle
    assert [history.at(each.received) for each in (newest, middle)] == [[newest], [middle]]
    assert history.version(SERIAL, f"{newest.received:%Y-%m-%d}") == newest, "a day means its end"
    for wrong in ("~3", "2001-01-01", "abcdef123", "nonsense", "--help", "../x", "0001-01-01T00:00+09:00"):
        with pytest.raises(SiteError):
            history.version(SERIAL, wrong)
    with pytest.raises(SiteError):
        history.version(parse_serial("00-90-33-00-00-0e"), newest.commit)


def test_secrets_stay_hidden_from_those_who_may_not_see_them(office: Office) -> None:
    canary = "canary-47-secret"
    office.upload(dump(*LINES, "config add SIP /pw first-secret /x 1"))
    office.commit()
    office.upload(dump(*LINES, f"config add SIP /pw {canary} /x 1"))
    office.commit()
    history = office.history(secrets=False)
    old, new = history.version(SERIAL, "~1"), history.version(SERIAL)
    rows = tuple(history.comparison(old, new).rows())
    seen = [history.raw(new), *history.raws([old, new]), history.lines(new), rows, history.search(Query("SIP"))]
    assert canary not in repr(seen)
    (row,) = [row for row in history.comparison(old, new).rows() if row.changed]
    assert row.left.text == row.right.text == "config add SIP /pw *** /x 1"
    assert history.search(Query(canary)) == ([], True)
    assert len(office.history().search(Query(canary))[0]) == 1


def test_all_but_secrets_is_byte_for_byte_as_it_came(office: Office) -> None:
    content = (
        b"config change A /name M\xfcller\r\n\nconfig add SIP /pw first-secret /x 1\rconfig \xc3\xbc\r\n\r\nend\xff"
    )
    office.upload(content)
    office.commit()
    history = office.history(secrets=False)
    version = history.version(SERIAL)
    assert history.raw(version) == content.replace(b"first-secret", b"***")
    (line,), count = history.some_lines(version, 3, 1)
    assert (line.text, count) == ("config add SIP /pw *** /x 1", 6)


def test_secrets_are_those_of_what_was_deployed_and_of_what_the_device_had_got(office: Office) -> None:
    deployed, got = office.live.deployment.commit, CommitId("b" * 40)
    words = {deployed: "word-deployed", got: "word-that-it-had"}

    def past(commits: frozenset[CommitId]) -> Veil:
        return Veil(values=Values(words[each] for each in commits))

    seen(office, SERIAL, sent=got)
    office.upload(dump(*LINES, *(f"config change OLD /text {word}" for word in words.values())))
    office.commit()
    seen(office, SERIAL, sent=deployed)
    office.upload(dump(*LINES, "config change NEW /text word-deployed"))
    office.commit()
    history = BackupHistory(office.site, office.live.snapshot.policy.backup, secrets=False, past=past)
    new, old = history.versions(SERIAL)
    told = [f(version) for f in (history.raw, history.lines) for version in (new, old)]
    told += [[*history.comparison(old, new).rows()], [*history.raws([old, new])]]
    told += [history.search(Query("text")), history.search_through(Query("text"))]
    assert "word-" not in repr(told)
    assert "config change OLD /text ***" in repr(told[4])
    assert history.search(Query("word")) == ([], True)
    assert history.search_through(Query("word")).held == ()


def test_not_even_the_end_of_a_search_tells_what_is_hidden(office: Office) -> None:
    office.upload(dump(*LINES, *(f"config change A{number} /text word-{number}" for number in range(3))))
    office.commit()
    veil = Veil(values=Values(f"word-{number}" for number in range(3)))
    history = BackupHistory(
        office.site, office.live.snapshot.policy.backup, secrets=False, veil=veil, past=lambda _: veil
    )
    assert history.search(Query("word-"), 1) == ([], True)
    hits, complete = history.search(Query("/text"), 1)
    assert ([hit.text for hit in hits], complete) == (["config change A0 /text ***"], False)


def test_a_difference_leaves_volatile_lines_out_and_marks_words(office: Office) -> None:
    office.upload(dump("vars create UPDATE/CHECK p 1", *LINES[:3], "config change CMD0 /name Desk%2012 /x y"))
    office.commit()
    office.upload(dump("vars create UPDATE/CHECK p 2", "", *LINES[:3], "  ", "config change CMD0 /name Desk%2013 /x y"))
    office.commit()
    history = office.history()
    rows = list(history.comparison(history.version(SERIAL, "~1"), history.version(SERIAL)).rows())
    (row,) = [row for row in rows if row.changed]
    assert [(piece.text, piece.changed) for piece in row.after] == [
        ("config change CMD0 /name ", False),
        ("Desk%2013", True),
        (" /x y", False),
    ]
    assert not any(row.left.volatile for row in rows)


def test_huge_versions_are_packed_as_they_are_and_others_against_each_other(office: Office) -> None:
    for lines in (200_000, 1_000_000):
        for number in range(3):
            office.upload_file(f"config change X /n {number}\n".encode() + b"config change X /y\n" * lines)
            assert office.commit() == 1
    office.site.backups.keep_up()
    (pack,) = (office.site.backups.path / "objects" / "pack").glob("*.idx")
    listed = [line.split() for line in git(office.site.path, "verify-pack", "-v", str(pack)).splitlines()]
    sizes = [int(words[2]) // 2**20 for words in listed if words[1:2] == ["blob"]]
    assert sorted(size for size in sizes if size) == [3, 18, 18, 18], "what is packed against another has its rest only"


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


def test_upkeep_leaves_everything_as_it_was(office: Office) -> None:
    for number in range(30):
        office.upload(dump(*LINES, f"config {number}"))
        office.commit()
    contents = [office.history().raw(version) for version in office.history().versions(SERIAL)]
    office.site.backups.keep_up()
    assert office.site.backups.pack_count() == 1
    assert [office.history().raw(version) for version in office.history().versions(SERIAL)] == contents
    office.site.backups.compact()
    assert office.site.backups.size() < 30 * 4096


# The mirror


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "mirror.git")], check=True, timeout=60)
    return tmp_path / "mirror.git"


def mirrored(office: Office, url: str) -> BackupMirror:
    office.site.settings = replace(office.site.settings, backup_mirror=url)
    return BackupMirror(office.site)


def test_the_history_is_pushed_to_a_mirror(office: Office, mirror: Path) -> None:
    assert lag(office.site) is None
    pushing = mirrored(office, str(mirror))
    assert not pushing.push(), "there is nothing yet"
    office.upload(dump(*LINES))
    office.commit()
    office.upload(dump(*LINES, "config a"))
    office.commit()
    behind = lag(office.site)
    assert (behind.versions, behind.since) == (2, office.history().version(SERIAL, "~1").received)
    assert pushing.push()
    assert not pushing.push()
    assert lag(office.site) == Lag(0, None)
    command = ["git", "-C", str(mirror), "rev-parse", "main"]
    arrived = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert arrived == git(office.site.path, "rev-parse", "main")


def test_a_mirror_that_is_away_is_tried_again(office: Office, mirror: Path) -> None:
    office.upload(dump(*LINES))
    office.commit()
    office.site.settings = replace(office.site.settings, backup_mirror=str(mirror))
    mirror.rename(mirror.with_name("elsewhere"))
    pushing = BackupMirror(office.site, first_pause=0.05)
    pushing.start()
    deadline = time.monotonic() + 60
    while pushing.trouble is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "git push failed" in pushing.trouble
    time.sleep(0.5)  # it fails several times
    mirror.with_name("elsewhere").rename(mirror)
    while lag(office.site).versions and time.monotonic() < deadline:
        time.sleep(0.05)
    pushing.stop()
    assert (lag(office.site), pushing.trouble) == (Lag(0, None), None)


def test_foreign_commits_in_a_mirror_are_never_overwritten_nor_merged(office: Office, mirror: Path) -> None:
    tree = subprocess.run(["git", "-C", str(mirror), "mktree"], input=b"", capture_output=True, check=True, timeout=60)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    command = ["git", "-C", str(mirror), *identity, "commit-tree", "-m", "foreign", tree.stdout.decode().strip()]
    foreign = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    subprocess.run(["git", "-C", str(mirror), "update-ref", "refs/heads/main", foreign], check=True, timeout=60)
    office.upload(dump(*LINES))
    office.commit()
    with pytest.raises(UnreadableRepository, match="git push failed"):
        mirrored(office, str(mirror)).push()
    assert office.site.backup_index.count() == 1


def test_what_counts_changes_with_the_policy(office: Office) -> None:
    volatile = dump(*LINES, "vars create MYAPP/COUNTER p 1")
    assert office.upload(volatile) == "kept"
    files = dict(office.site.config.files(office.site.config.resolve("main")))
    files["policies/backup.yaml"] = b"enabled: true\nignore: ['^vars create MYAPP/']\n"
    office.site.config.commit_files(files, "Counters don't count", "Ada <ada@example.org>")
    deploy(office.site, "main", who="test", now=now())
    office.follower.follow()
    assert office.upload(volatile) == "kept", "it is another version by the new policy"
    assert office.upload(dump(*LINES, "vars create MYAPP/COUNTER p 2")) == "nothing has changed"


def test_a_history_that_somebody_rewrote_is_kept_and_named(office: Office) -> None:
    for number in range(3):
        office.upload(dump(*LINES, f"config {number}"))
        office.commit()
    path, lost = office.site.path, office.history().version(SERIAL)
    tree, parent = git(path, "rev-parse", "main^{tree}").strip(), git(path, "rev-parse", "main~2").strip()
    who = ("-c", "user.name=Eve", "-c", "user.email=eve@example.org")
    forged = git(path, *who, "commit-tree", tree, "-p", parent, "-m", "Forged").strip()
    git(path, "update-ref", "refs/heads/main", forged)
    told = list(verify(office.site))
    assert f"up to commit {lost.commit}. What the present one lacks of it: git -C " in "\n".join(told)
    git(path, "reflog", "expire", "--expire=now", "--all")
    git(path, "gc", "--quiet", "--prune=now")
    assert git(path, "rev-list", "--count", f"main..{lost.commit}") == "2\n"
    assert git(path, "cat-file", "blob", lost.blob).endswith("config 2\n")
    assert any(lost.commit in line for line in verify(office.site)), "it is said until somebody looks at it"
