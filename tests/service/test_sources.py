"""Where commands read a configuration from, and what they refuse to take for one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import GitupdError, InvalidConfiguration
from gitupd.service.sources import read_source

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_folder_with_nothing_to_read_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=f"^{tmp_path}: no document and no snippet; looked for phases.yaml"):
        read_source(tmp_path, None)


def test_a_configuration_that_was_moved_is_told_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "conf" / "snippets").mkdir(parents=True)
    (tmp_path / "conf" / "snippets" / "all-all-all.txt").write_bytes(b"x\n")
    with pytest.raises(InvalidConfiguration, match=r"conf/snippets/all-all-all\.txt: warning: not read by gitupd here"):
        read_source(tmp_path, None)


def test_a_folder_of_a_repository_has_no_revisions(tmp_path: Path) -> None:
    folder = tmp_path / "phones"
    folder.mkdir()
    (folder / "phases.yaml").write_text("phases: {update: {order: 1}}\n")
    (tmp_path / "phases.yaml").write_text("phases: {staging: {order: 1}}\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "phones")
    assert read_source(folder, None).files["phases.yaml"].startswith(b"phases: {update")
    with pytest.raises(GitupdError, match="phones is no repository of its own, and --rev reads whole ones"):
        read_source(folder, "HEAD")
    assert read_source(tmp_path, "HEAD").files["phases.yaml"].startswith(b"phases: {staging")
