from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import GitupdError
from gitupd.service.pushing.installing import install_hooks, refresh_hooks, shim

if TYPE_CHECKING:
    from pathlib import Path


def created(folder: Path, *arguments: str) -> Path:
    subprocess.run(["git", "init", "-q", *arguments, str(folder)], check=True)
    return folder


def test_a_work_tree_and_a_bare_repository_get_what_they_need(tmp_path: Path) -> None:
    work, bare = created(tmp_path / "work"), created(tmp_path / "bare.git", "--bare")
    assert [hook.path for hook in install_hooks(work)] == [work / ".git/hooks/pre-commit"]
    assert [hook.path.name for hook in install_hooks(bare)] == ["pre-receive", "post-receive"]
    for hook in (work / ".git/hooks/pre-commit", bare / "hooks/pre-receive", bare / "hooks/post-receive"):
        assert os.access(hook, os.X_OK)
        assert len(hook.read_text().splitlines()) == 4
        assert f"exec {sys.executable} -P -m gitupd hook {hook.name}" in hook.read_text()
    options = subprocess.run(
        ["git", "-C", bare, "config", "receive.advertisePushOptions"], check=True, capture_output=True, text=True
    )
    assert options.stdout == "true\n"
    assert install_hooks(bare) == install_hooks(bare), "again does no harm"


def test_the_folder_is_the_one_that_git_looks_into(tmp_path: Path) -> None:
    work = created(tmp_path / "work")
    subprocess.run(["git", "-C", work, "config", "core.hooksPath", "our-hooks"], check=True)
    assert install_hooks(work)[0].path == work / "our-hooks/pre-commit"


def test_another_repository_that_git_names_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, other = created(tmp_path / "work"), created(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))  # as for whatever a hook starts
    assert install_hooks(work)[0].path == work / ".git/hooks/pre-commit"
    assert not (other / ".git/hooks/pre-commit").exists()


def test_a_site_stands_for_its_repository(tmp_path: Path) -> None:
    created(tmp_path / "config.git", "--bare")
    assert install_hooks(tmp_path)[0].path == tmp_path / "config.git/hooks/pre-receive"


def test_hooks_of_others_are_left_and_kept_if_they_are_replaced(tmp_path: Path) -> None:
    bare = created(tmp_path / "bare.git", "--bare")
    other = bare / "hooks/post-receive"
    other.write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(GitupdError, match=r"post-receive; call gitupd hook from them, or give --force"):
        install_hooks(bare)
    assert not (bare / "hooks/pre-receive").exists()
    kept = install_hooks(bare, force=True)[1].kept
    assert kept == bare / "hooks/post-receive.before"
    assert kept.read_text() == "#!/bin/sh\necho mine\n"
    assert other.read_text() == shim("post-receive")


def test_hooks_of_ours_follow_the_program_and_others_stay(tmp_path: Path) -> None:
    bare = created(tmp_path / "bare.git", "--bare")
    install_hooks(bare)
    moved, other = bare / "hooks/pre-receive", bare / "hooks/post-receive"
    moved.write_text(moved.read_text().replace(sys.executable, "/opt/gone/bin/python"))
    other.write_text("#!/bin/sh\necho mine\n")
    refresh_hooks(bare)
    assert moved.read_text() == shim("pre-receive")
    assert other.read_text() == "#!/bin/sh\necho mine\n"
    other.unlink()
    refresh_hooks(bare)
    assert not other.exists(), "nobody wants it"


def test_where_there_is_no_repository_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(GitupdError, match="no Git repository"):
        install_hooks(tmp_path)
    bare = created(tmp_path / "bare.git", "--bare")
    shutil.rmtree(bare / "hooks")
    (bare / "hooks").write_text("no folder")
    with pytest.raises((GitupdError, OSError)):
        install_hooks(bare)
