"""A repository, its index or its branch is lost, damaged or of somebody else: found again, begun anew, or named."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.damaging import damaged
from support.histories import keep, uploads
from support.keeping import all_is_well, commit_of, told
from support.offices import LINES, SERIAL, Office, dump, git

from gitupd.core.backups.change import Volatile
from gitupd.core.caller import parse_serial
from gitupd.core.snapshot import CommitId
from gitupd.errors import Interrupted, SiteError, UnreadableRepository
from gitupd.service.backups.recovery import begin_anew, recover
from gitupd.service.backups.upkeep import verify
from gitupd.service.clock import now
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path


NEIGHBOUR = parse_serial("00-90-33-00-00-0e")


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


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
@pytest.mark.parametrize("verb", ["cat-file", "merge-base"])
def test_what_is_read_by_a_program_that_somebody_ends_is_not_taken_for_damaged(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, signal: str
) -> None:
    for number in range(4):
        commit_of(office, f"config {number}")
    before = office.history().versions(SERIAL)
    office.site.backup_index.clear()
    office.site.backup_index.add(before[:1:-1])
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\ncase " $* " in *" {verb} "*) kill -{signal} $$;; esac\nexec {shutil.which("git")} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    with closing(Site(office.site.path)) as site, pytest.raises(Interrupted, match=f"SIG{signal}"):
        recover(site)
    assert office.site.backup_index.count() == 2
    assert office.commits.recover() == 2
    assert [each.commit for each in office.history().versions(SERIAL)] == [each.commit for each in before]


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
    aside = begin_anew(office.site, who="test", now=now())
    assert (aside is None) == (how == "gone")
    assert office.commit() == 1, "what waits is the beginning"
    assert office.upload(dump(*LINES, "config a")) == "nothing has changed"
    assert office.upload(dump(*LINES), NEIGHBOUR) == "kept", "though nothing has changed"
    assert office.commit() == 1
    assert office.site.backup_index.count() == 2
    all_is_well(office)


def test_a_history_that_is_there_is_not_begun_anew(office: Office) -> None:
    with pytest.raises(SiteError, match="is there; see: gitupd backups verify"):
        begin_anew(office.site, who="test", now=now())
    tip = commit_of(office)
    (office.site.backups.path / "refs/heads/main").unlink()
    with pytest.raises(SiteError, match="is there; see: gitupd backups verify"):
        begin_anew(office.site, who="test", now=now())
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
