"""Render tests from the command line: what they reach, and golden scripts."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from gitupd.cli.main import cli
from gitupd.errors import InvalidConfiguration, SiteError
from gitupd.resources import template_files

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN = """\
tests:
  - name: all of it
    device: {type: IP222, phase: update}
    script: scripts/office.txt
"""
TEMPLATE = "{% if device.type == 'IP232' %}\nconfig add LOBBY /x\n{% else %}\nconfig add OTHER /x\n{% endif %}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "configuration"
    for path, content in template_files().items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    return place


def run(place: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["test", str(place), *arguments])
    assert result.exit_code == code, result.output
    return result


def golden(place: Path) -> Path:
    (place / "tests/golden.yaml").write_text(GOLDEN)
    return place / "tests/scripts/office.txt"


# What is reached


def test_what_no_test_reaches_is_told_behind_the_results(place: Path) -> None:
    assert run(place).stdout.splitlines()[2:] == [
        "reached 12 of 15 (80 %); no test reaches",
        "        snippets (2 of 6): snippets/update-gw-all.txt, snippets/update-phone-default.txt",
        "        classes (1 of 3): gw",
    ]


def test_ways_of_templates_are_among_it(place: Path) -> None:
    (place / "snippets/all-phone-all.txt.j2").write_text(TEMPLATE)
    assert "branches (1 of 2): snippets/all-phone-all.txt.j2:1 if\n" in run(place).stdout
    (place / "tests/lobby.yaml").write_text(
        "tests: [{name: x, device: {type: IP232}, contains: [config add LOBBY /x]}]\n"
    )
    assert "branches" not in run(place).stdout


def test_a_test_that_expects_nothing_reaches_nothing(place: Path) -> None:
    (place / "tests/idle.yaml").write_text("tests: [{name: x, device: {type: IP6000, phase: update}}]\n")
    assert "reached 12 of 15 (80 %)" in run(place).stdout
    (place / "tests/idle.yaml").write_text("tests: [{name: x, device: {type: IP6000, phase: update}, lacks: [no]}]\n")
    assert "reached 14 of 15 (93 %)" in run(place).stdout


def test_few_are_named_unless_all_are_asked_for(place: Path) -> None:
    for number in range(9):
        (place / f"snippets/all-ip222-00_90_33_00_01_0{number}.txt").write_text("config x\n")
    assert " and 6 more\n" in run(place).stdout
    assert "00_90_33_00_01_08.txt" in run(place, "--coverage").stdout


def test_so_much_may_be_demanded(place: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    short = run(place, "--require-coverage", "81", "--junit", str(report), code=1)
    assert short.stderr.endswith("2 of 2 passed\nthe tests reach 80 %, less than 81 %\n")
    root = ET.parse(report).getroot()  # noqa: S314 - we have written it
    suite = root.find("testsuite[@name='coverage']")
    assert suite is not None
    assert (root.get("tests"), root.get("failures"), suite.get("failures")) == ("3", "1", "1")
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert properties["percent"] == "80"
    assert properties["unreached classes"] == "gw"
    run(place, "--require-coverage", "80")
    assert "100 is not in the range" not in run(place, "--require-coverage", "101", code=2).output


def test_programs_are_told_when_they_ask(place: Path) -> None:
    assert [each["name"] for each in json.loads(run(place, "--json").stdout)][1] == "staging leaves registration alone"
    told = json.loads(run(place, "--json", "--coverage").stdout)
    assert [test["failures"] for test in told["tests"]] == [[], []]
    assert (told["coverage"]["percent"], told["coverage"]["count"], told["coverage"]["reached"]) == (80, 15, 12)
    assert told["coverage"]["kinds"]["classes"] == {"count": 3, "unreached": ["gw"]}


# Golden scripts


def test_a_golden_script_is_written_held_to_and_written_anew(place: Path) -> None:
    file = golden(place)
    missing = run(place, code=1)
    assert "        tests/scripts/office.txt is not there; gitupd test --update writes it\n" in missing.stdout
    assert "written tests/scripts/office.txt\n" in run(place, "--update").stderr
    assert "config add PHONE/REG /gk-addr 10.0.0.1\n" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    first = file.stat()
    assert "nothing is written" in run(place, "--update").stderr
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    (place / "snippets/update-phone-default.txt").write_text("config add PHONE/REG /gk-addr 10.9.9.9\n")
    failed = run(place, code=1).stdout
    assert "        -config add PHONE/REG /gk-addr 10.0.0.1\n" in failed
    assert "        +config add PHONE/REG /gk-addr 10.9.9.9\n" in failed
    assert "changed tests/scripts/office.txt\n" in run(place, "--update").stderr
    assert run(place).stderr == "3 of 3 passed\n"
    assert sorted(path.name for path in file.parent.iterdir()) == ["office.txt"], "nothing is left lying"


def test_line_ends_blanks_and_comments_are_no_difference(place: Path) -> None:
    file = golden(place)
    run(place, "--update")
    file.write_text("# as it was agreed upon\r\n\r\n" + file.read_text().replace("\n", "  \r\n"))
    run(place)
    assert "nothing is written" in run(place, "--update").stderr


def test_a_script_of_which_no_test_knows_is_told(place: Path) -> None:
    golden(place)
    run(place, "--update")
    (place / "tests/scripts/old.txt").write_text("x\n")
    assert "unused  tests/scripts/old.txt: no test names it\n" in run(place, "--update").stderr


@pytest.mark.parametrize(
    "name", ["../office.txt", "/office.txt", "a/../../office.txt", ".git/x.txt", "x.yaml", "a//b.txt", "a\\nb.txt"]
)
def test_no_name_leads_out_of_the_folder_of_tests(place: Path, name: str) -> None:
    (place / "tests/golden.yaml").write_text(GOLDEN.replace("scripts/office.txt", f'"{name}"'))
    with pytest.raises(InvalidConfiguration, match=r"'script': .* is not understood"):
        CliRunner().invoke(cli, ["test", str(place), "--update"], catch_exceptions=False)
    assert not (place.parent / "office.txt").exists()


def test_no_link_leads_out_of_it(place: Path, tmp_path: Path) -> None:
    golden(place)
    (tmp_path / "elsewhere").mkdir()
    (place / "tests/scripts").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidConfiguration, match="tests/scripts: a symbolic link"):
        CliRunner().invoke(cli, ["test", str(place), "--update"], catch_exceptions=False)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_nothing_is_written_while_the_configuration_has_errors(place: Path) -> None:
    file = golden(place)
    (place / "scripting.py").write_text("1 +\n")
    with pytest.raises(InvalidConfiguration, match=r"scripting.py:1"):
        CliRunner().invoke(cli, ["test", str(place), "--scripting", "--update"], catch_exceptions=False)
    assert "computed lines" in run(place, "--no-scripting", "--update", code=2).output
    assert not file.exists()


def test_nothing_is_written_into_a_repository(place: Path, tmp_path: Path) -> None:
    golden(place)
    for command in ("init -q -b main", "add -A", "-c user.name=A -c user.email=a@b commit -q -m x"):
        subprocess.run(["git", *command.split()], cwd=place, check=True)
    assert "--update writes into a folder" in run(place, "--rev", "HEAD", "--update", code=2).output
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(place), str(bare)], check=True)
    with pytest.raises(SiteError, match="clone it"):
        CliRunner().invoke(cli, ["test", str(bare), "--update"], catch_exceptions=False)
    run(place, "--update")
    run(bare, code=1)
    subprocess.run(["git", "add", "-A"], cwd=place, check=True)
    commit = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "-m", "golden"]
    subprocess.run(commit, cwd=place, check=True)
    run(place, "--rev", "HEAD")


def test_two_scripts_are_not_written_into_one_file(place: Path) -> None:
    other = GOLDEN.replace("all of it", "another").replace("IP222", "IP6000").removeprefix("tests:\n")
    file = golden(place)
    (place / "tests/golden.yaml").write_text(GOLDEN + other)
    with pytest.raises(SiteError, match=r"another test holds tests/scripts/office.txt to another script"):
        CliRunner().invoke(cli, ["test", str(place), "--update"], catch_exceptions=False)
    assert not file.exists()
    (place / "tests/golden.yaml").write_text(GOLDEN + other.replace("IP6000", "IP222"))
    run(place, "--update")


def test_what_can_not_be_made_is_not_written(place: Path) -> None:
    file = golden(place)
    (place / "snippets/all-phone-all.txt.j2").write_text("{{ device.name[0] + device.name[1] | int }}\n")
    failed = run(place, code=1).stdout
    assert "there is no script to hold against tests/scripts/office.txt: a template failed" in failed
    with pytest.raises(SiteError, match="there is no script to write: a template failed"):
        CliRunner().invoke(cli, ["test", str(place), "--update"], catch_exceptions=False)
    assert not file.exists()


def test_where_nothing_can_be_written_it_is_said(place: Path) -> None:
    file = golden(place)
    file.parent.write_text("in the way")
    with pytest.raises(SiteError, match=r"scripts/office.txt can't be written: "):
        CliRunner().invoke(cli, ["test", str(place), "--update"], catch_exceptions=False)
    assert sorted(path.name for path in (place / "tests").iterdir()) == ["golden.yaml", "phones.yaml", "scripts"]
