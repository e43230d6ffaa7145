"""What is installed is the wheel, so the wheel has to hold all that the program needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_the_wheel_brings_all_that_the_program_needs(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True, timeout=600)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    where = "import gitupd.resources as r; print(r.__file__); print(r.schema_names()); print(r._folder('hooks')); "
    where += "print(r.docs_folder())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        settings = {"cwd": tmp_path, "env": environment, "timeout": 300}
        return subprocess.run(command, **settings, capture_output=True, text=True, check=True).stdout

    package, schemas, hooks, documentation = run("-c", where).splitlines()
    assert Path(package).is_relative_to(tmp_path)
    assert "'phases'" in schemas
    assert (Path(hooks) / "pre-commit").is_file()
    assert Path(documentation).is_relative_to(tmp_path)
    assert (Path(documentation) / "reference/glossary.md").is_file()
    assert "deployed" in run("-m", "gitupd", "init", "site")
    assert "config write" in run("-m", "gitupd", "render", "site", "--type", "IP222", "--phase", "update")
    for name in (
        "web/templates/base.html",
        "web/static/gitupd.css",
        "web/openapi.yaml",
        "store/migrations/env.py",
        "config/builtin.yaml",
    ):
        assert (tmp_path / "installed/gitupd" / name).is_file()
