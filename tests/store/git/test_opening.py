"""Repositories that the Git library does not open, and objects that lie elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.errors import UnreadableRepository
from gitupd.store.backups.repository import BackupRepository
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Git

_CONFIGURATIONS = {
    "partial": "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n",
    "precious": "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpreciousObjects = true\n",
    "noop": "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnoop = true\n",
    "storage": "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = other\n",
    "version": "[core]\n\trepositoryformatversion = 7\n",
    "no number": "[core]\n\trepositoryformatversion = one\n",
    "work tree": "[core]\n\tbare = true\n\tworktree = /\n",
    "no section": "bare = true\n",
    "cut off": "[core\n",
    "binary": "\0\0\0",
}


@pytest.mark.parametrize("name", _CONFIGURATIONS)
def test_what_the_library_does_not_open_is_an_unreadable_repository_and_no_crash(git: Git, name: str) -> None:
    git.commit_files({"snippets/all-all-all.txt": b"1\n"})
    (git.path / "config").write_text(_CONFIGURATIONS[name])
    for reading in (lambda: ConfigRepository(git.path), lambda: BackupRepository(git.path).content("0" * 40)):
        with pytest.raises(UnreadableRepository, match=r"config\.git"):
            reading()


def test_an_extension_is_named_with_what_to_do(git: Git) -> None:
    (git.path / "config").write_text(_CONFIGURATIONS["precious"])
    with pytest.raises(UnreadableRepository, match=r"UnsupportedExtension: preciousObjects; look at its file config"):
        ConfigRepository(git.path)


def test_objects_may_lie_in_another_folder_as_in_gits_quarantine(git: Git, tmp_path: Path) -> None:
    first = git.commit_files({"snippets/all-all-all.txt": b"1\n"})
    pushed = CommitId(git.commit_files({"snippets/all-all-all.txt": b"2\n"}, first))
    git("update-ref", "refs/heads/main", first)
    quarantine = tmp_path / "incoming"
    for found in (pushed, git("rev-parse", f"{pushed}^{{tree}}"), git("rev-parse", f"{pushed}:snippets")):
        (quarantine / found[:2]).mkdir(parents=True, exist_ok=True)
        git.loose(found).rename(quarantine / found[:2] / found[2:])
    with ConfigRepository(git.path) as repository, pytest.raises(UnreadableRepository):
        repository.resolve(pushed)
    with ConfigRepository(git.path, [quarantine]) as repository:
        assert repository.resolve(pushed[:12]) == pushed
        assert repository.files(pushed) == {"snippets/all-all-all.txt": b"2\n"}
        assert [line.commit.id for line in repository.blame(pushed, "snippets/all-all-all.txt")] == [pushed]
