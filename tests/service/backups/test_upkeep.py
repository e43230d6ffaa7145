"""The history is verified and packed, and stays what it was."""

from __future__ import annotations

import pytest
from support.damaging import damaged
from support.offices import LINES, SERIAL, Office, dump, git

from gitupd.errors import SiteError, UnreadableRepository
from gitupd.service.backups.upkeep import verify

pytestmark = pytest.mark.usefixtures("sound_afterwards")


def test_what_a_killed_git_leaves_behind_is_removed(office: Office) -> None:
    office.upload(dump(*LINES))
    office.commit()
    lock = office.site.backups.path / "refs/heads/main.lock"
    lock.touch()
    office.upload(dump(*LINES, "config a"))
    with pytest.raises(UnreadableRepository, match="can't be written"):
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


@pytest.mark.slow
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
