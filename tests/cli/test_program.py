"""The program as users call it: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitupd.resources import schema, schema_names

PHP = Path(__file__).parents[1] / "conformance/recordings/030_phase_staging_update.json"


def gitupd(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gitupd", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def git(*arguments: str, cwd: Path) -> str:
    identity = ["-c", "user.name=Tess", "-c", "user.email=tess@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=300).stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    assert gitupd("init", "site", cwd=folder).returncode == 0
    (folder / "site/config.git/hooks/pre-receive").unlink()  # else nothing with errors would ever be there
    git("clone", "-q", "site/config.git", "work", cwd=folder)
    return folder


def commit(place: Path, files: dict[str, str], message: str) -> str:
    for name, content in files.items():
        (place / "work" / name).write_text(content)
    git("add", "-A", cwd=place / "work")
    git("commit", "-q", "-m", message, cwd=place / "work")
    git("push", "-q", cwd=place / "work")
    return git("rev-parse", "HEAD", cwd=place / "work").strip()


def test_a_change_is_validated_rendered_explained_deployed_and_taken_back(place: Path) -> None:
    first = git("rev-parse", "HEAD", cwd=place / "work").strip()
    good = commit(place, {"snippets/update-gw-all.txt": "config add LOG0 /level 3\n"}, "Log more")
    said = gitupd("validate", "work", cwd=place)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "0 errors, 0 warnings\n")
    facts = ["--type", "IP6010", "--phase", "update"]
    assert "config add LOG0 /level 3\n" in gitupd("render", "work", *facts, cwd=place).stdout
    explained = gitupd("explain", "site", "--rev", "main", *facts, cwd=place).stdout
    assert re.search(rf"snippets/update-gw-all.txt:1 {good[:8]} Tess +config add LOG0 /level 3", explained)
    assert "was never deployed" in gitupd("rollback", good, "--site", "site", cwd=place).stderr
    assert gitupd("deploy", "main", "--site", "site", cwd=place).stdout.startswith(f"deployed {good[:12]} 'Log more'")
    assert gitupd("status", cwd=place, GITUPD_SITE="site").stdout.startswith(f"deployed {good[:12]}")
    back = gitupd("rollback", first, "--reason", "too much", cwd=place, GITUPD_SITE="site")
    assert back.stdout.startswith(f"rolled back to {first[:12]}")
    again = gitupd("deploy", "main", cwd=place / "site")
    assert again.returncode == 1
    assert "is blocked since it was rolled back (too much)" in again.stderr
    listed = json.loads(gitupd("deployments", "--json", cwd=place / "site").stdout)
    assert [each["kind"] for each in listed] == ["rollback", "deploy", "deploy"]
    assert [each["blocked"] for each in listed] == [False, True, False]
    assert gitupd("unblock", good, cwd=place / "site").returncode == 0
    assert gitupd("deploy", "main", cwd=place / "site").returncode == 0


def test_a_broken_commit_is_refused_and_all_problems_are_printed(place: Path) -> None:
    before = json.loads(gitupd("status", "--json", cwd=place / "site").stdout)["deployment"]
    broken = {"policies/delivery.yaml": "chekc: true\ninterval: soon\n", "snippets/updaet-phone-default.txt": "x\n"}
    commit(place, broken, "Broken")
    refused = gitupd("deploy", "main", cwd=place / "site")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "policies/delivery.yaml:1:1: unknown key 'chekc'; did you mean 'check'?",
        "policies/delivery.yaml:2:11: 'interval': 'soon' is not a whole number; minutes between polls, normally",
        "snippets/updaet-phone-default.txt: unknown phase 'updaet'; did you mean 'update'?",
    ]
    assert json.loads(gitupd("status", "--json", cwd=place / "site").stdout)["deployment"] == before
    found = gitupd("validate", "work", "--format", "json", cwd=place)
    assert found.returncode == 1
    assert [each["line"] for each in json.loads(found.stdout)] == [1, 2, 0]
    annotations = gitupd("validate", "work", "--format", "github", cwd=place).stdout.splitlines()
    assert annotations[0] == (
        "::error file=policies/delivery.yaml,line=1,col=1::unknown key 'chekc'; did you mean 'check'?"
    )
    git("revert", "--no-edit", "HEAD", cwd=place / "work")
    git("push", "-q", cwd=place / "work")


def test_render_tests_pass_or_say_why_not(place: Path) -> None:
    assert gitupd("test", "work", cwd=place).returncode == 0
    path = place / "work/tests/more.yaml"
    path.write_text(
        "tests:\n  - {name: no, device: {type: IP222, phase: update}, contains: [reset], lacks: [iresetn]}\n"
    )
    failed = gitupd("test", "work", cwd=place)
    path.unlink()
    assert failed.returncode == 1
    assert "FAILED  tests/more.yaml: no\n        lacks: reset\n        contains: iresetn\n" in failed.stdout


def test_a_configuration_without_a_render_test_passes_none(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "work", tmp_path / "work", ignore=shutil.ignore_patterns("tests", ".git"))
    done = gitupd("test", "work", cwd=tmp_path)
    assert done.returncode == 1
    assert "no render test was run" in done.stderr
    assert gitupd("validate", "work", cwd=tmp_path).returncode == 0


def test_schemas_are_written_for_editors_and_brought_up_to_date(place: Path) -> None:
    old = place / "work/.schemas/phases.json"
    old.write_text("{}")
    done = gitupd("schema", "--all", "work/.schemas", cwd=place)
    assert (done.returncode, done.stderr) == (0, f"{len(schema_names())} schemas written to work/.schemas\n")
    assert json.loads(old.read_text()) == schema("phases")
    assert gitupd("schema", "--all", "work/README.md", cwd=place).returncode == 1
    assert gitupd("schema", "phases", "--all", "work", cwd=place).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["frobnicate"], 2, "No such command 'frobnicate'"),
        (["deploy"], 2, "Missing argument 'REV'"),
        (["serve", "--http", "nowhere", "--site", "site"], 2, "is no ADDRESS:PORT"),
        (["schema", "phasse"], 2, "there is no schema 'phasse'"),
        (["deploy", "no-such-branch", "--site", "site"], 1, "no commit 'no-such-branch'"),
        (["status", "--site", "work"], 1, "work is no gitupd site; create one with: gitupd init work"),
        (["init", "site"], 1, "site exists already"),
        (["firmware", "add", "../1", "x.bin", "--site", "site"], 1, "'../1' is no build"),
        (["import-php", "work", "imported"], 1, "config/user-config.xml"),
        (
            ["backups", "log", "00-90-33-30-00-af", "--site", "site"],
            1,
            "no version of device 00-90-33-30-00-af is kept",
        ),
        (["render", "work", "--type", "a b"], 1, "argument 'type' is no model name"),
    ],
)
def test_what_users_can_mend_is_told_in_a_line(place: Path, arguments: list[str], code: int, text: str) -> None:
    done = gitupd(*arguments, cwd=place)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert text in done.stderr
    assert not (place / "imported").exists()


def test_settings_that_are_not_understood_are_all_told(place: Path) -> None:
    done = gitupd("status", cwd=place / "site", GITUPD_WORKERS="many", GITUPD_TRUSTED_PROXIES="10.0.0.0/99")
    assert done.returncode == 1
    assert "workers: 'many' is no whole number from 1 to 64" in done.stderr
    assert "trusted_proxies: '10.0.0.0/99'" in done.stderr


def test_an_installation_is_imported_with_a_report(tmp_path: Path) -> None:
    recording = json.loads(PHP.read_text("utf-8"))
    for name, content in {"config/user-config.xml": recording["user_config"], "scripts/stray.txt": "x"}.items():
        (tmp_path / "php" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "php" / name).write_text(content)
    for name, content in recording["scripts"].items():
        (tmp_path / "php/scripts" / name).write_text(content)
    done = gitupd("import-php", "php", "site", "--report", "report.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "scripts/stray.txt" in done.stdout
    assert "scripts/stray.txt" in (tmp_path / "report.txt").read_text()
    rendered = gitupd("render", "site", "--type", "ip232", "--env", "lab", "--phase", "update", cwd=tmp_path).stdout
    assert "config add UPD /x" in rendered
    assert "mod cmd UP1 check ser 61101afd7cb6ba5ab7d88bd2be22d68b" in rendered


def hooked(repository: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of git in *repository*, whose hooks find our program."""
    program = repository.parent / "bin" / "gitupd"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gitupd "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    identity = ["-c", "user.name=Tess", "-c", "user.email=tess@example.org"]
    return subprocess.run(
        ["git", *identity, *command],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path},
    )


def test_the_hook_before_a_commit_looks_at_what_is_committed(tmp_path: Path) -> None:
    assert gitupd("init", "site", cwd=tmp_path).returncode == 0
    git("clone", "-q", "site/config.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    (work / ".git/hooks/pre-commit").write_text((Path(__file__).parents[2] / "hooks/pre-commit").read_text())
    (work / ".git/hooks/pre-commit").chmod(0o755)
    good = (work / "phases.yaml").read_text()
    (work / "phases.yaml").write_text("phases: [\n")
    git("add", "-A", cwd=work)
    (work / "phases.yaml").write_text(good)  # mended, but not added
    refused = hooked(work, "commit", "-q", "-m", "x")
    assert refused.returncode == 1
    assert "phases.yaml:2:1: not YAML" in refused.stdout + refused.stderr
    (work / "phases.yaml").write_text(f"# more\n{good}")
    git("add", "-A", cwd=work)
    (work / "phases.yaml").write_text("phases: [\n")  # broken since, and of no interest
    assert hooked(work, "commit", "-q", "-m", "x").returncode == 0


def test_a_push_can_be_checked_while_its_objects_are_in_quarantine(tmp_path: Path) -> None:
    assert gitupd("init", "site", cwd=tmp_path).returncode == 0
    git("clone", "-q", "site/config.git", "work", cwd=tmp_path)
    hook = tmp_path / "site/config.git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        '#!/bin/sh\nwhile read -r old new ref; do gitupd validate --rev "$new" . || exit 1; '
        'gitupd explain . --rev "$new" --type IP222 --phase update; done\n'
    )
    hook.chmod(0o755)
    work = tmp_path / "work"
    (work / "snippets/all-all-all.txt").write_text("config add PUSHED /now\n")
    git("commit", "-qam", "good", cwd=work)
    taken = hooked(work, "push")
    assert taken.returncode == 0, taken.stderr
    assert "config add PUSHED /now" in taken.stderr
    assert git("rev-parse", "HEAD", cwd=work)[:8] in taken.stderr
    (work / "phases.yaml").write_text("phases: [\n")
    git("commit", "-qam", "bad", cwd=work)
    refused = hooked(work, "push")
    assert refused.returncode != 0
    assert "phases.yaml:2:1: not YAML" in refused.stderr
