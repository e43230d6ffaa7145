"""Directories that nobody means well with."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import GitupdError, InvalidConfiguration
from gitupd.store.tree import read_tree

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Confined


@pytest.fixture
def snippets(tmp_path: Path) -> Path:
    folder = tmp_path / "snippets"
    folder.mkdir()
    return folder


def _refusal(root: Path) -> str:
    with pytest.raises(InvalidConfiguration) as caught:
        read_tree(root)
    return str(caught.value)


def test_a_gigabyte_of_zeros(tmp_path: Path, snippets: Path, confined: Confined) -> None:
    with (snippets / "all-all-all.txt").open("wb") as file:
        file.truncate(2**30)
    expected = "snippets/all-all-all.txt: 1,073,741,824 bytes, more than 4,194,304; this is no place for large files"
    assert confined.refusal(tmp_path) == expected


def test_many_files_of_a_bearable_size(tmp_path: Path, snippets: Path, confined: Confined) -> None:
    for number in range(40):
        with (snippets / f"all-all-x{number}.txt").open("wb") as file:
            file.truncate(4 * 2**20)
    assert confined.refusal(tmp_path) == ".: more than 128 MiB in all; keep other things elsewhere"


def test_a_document_of_two_megabytes(tmp_path: Path) -> None:
    (tmp_path / "phases.yaml").write_bytes(b"#" * 2_000_000)
    assert _refusal(tmp_path) == "phases.yaml: 2,000,000 bytes, more than 1,048,576; this is no place for large files"


def test_more_files_than_can_be_meant(tmp_path: Path, snippets: Path) -> None:
    for number in range(20_001):
        os.close(os.open(snippets / str(number), os.O_CREAT | os.O_WRONLY))
    assert _refusal(tmp_path) == ".: more than 20,000 files and folders; keep other things elsewhere"
    subprocess.run(["rm", "-rf", snippets], check=True)


def test_folders_in_folders(tmp_path: Path, confined: Confined) -> None:
    inner = os.open(tmp_path, os.O_RDONLY)
    for _ in range(10_000):
        os.mkdir("a", dir_fd=inner)
        outer, inner = inner, os.open("a", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)
    text = confined.refusal(tmp_path)
    subprocess.run(["rm", "-rf", tmp_path / "a"], check=True)
    assert text.endswith("a/: a path that is not allowed; rename it")
    assert len(text.splitlines()) == 1


def test_links_and_other_things(tmp_path: Path, snippets: Path) -> None:
    (snippets / "all-all-all.txt").symlink_to("/etc/passwd")
    (tmp_path / "policies").symlink_to(tmp_path / "snippets")
    (snippets / "loop").symlink_to(".")
    os.mkfifo(snippets / "pipe")
    assert _refusal(tmp_path).splitlines() == [
        "policies: a symbolic link; put the file itself here",
        "snippets/all-all-all.txt: a symbolic link; put the file itself here",
        "snippets/loop: a symbolic link; put the file itself here",
        "snippets/pipe: not a regular file; remove it",
    ]


def test_odd_names(tmp_path: Path, snippets: Path) -> None:
    for name in (b"a\nb.txt", b"\xff.txt", b"a\x1b[2J"):
        (snippets / os.fsdecode(name)).write_bytes(b"")
    (snippets / ".git").mkdir()
    (snippets / ".git" / "config").write_bytes(b"")
    assert _refusal(tmp_path).splitlines() == [
        "snippets/.git: a path that is not allowed; rename it",
        "snippets/\\xff.txt: a name with unprintable characters, or not in UTF-8; rename it",
        "snippets/a\\x0ab.txt: a name with unprintable characters, or not in UTF-8; rename it",
        "snippets/a\\x1b[2J: a name with unprintable characters, or not in UTF-8; rename it",
    ]


def test_problems_without_end_are_cut_short(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"link{number}").symlink_to("x")
    assert len(_refusal(tmp_path).splitlines()) == 101


def test_what_belongs_to_git_and_to_others_is_passed_over(tmp_path: Path, snippets: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_bytes(b"x")
    (tmp_path / ".gitignore").write_bytes(b"x")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ideas.md").write_bytes(b"x")
    (snippets / "all-all-all.txt").write_bytes(b"x\n")
    (tmp_path / "phases.yaml").write_bytes(b"")
    assert read_tree(tmp_path) == {"snippets/all-all-all.txt": b"x\n", "phases.yaml": b""}


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(GitupdError, match=f"can't read {path}: "):
            read_tree(path)
