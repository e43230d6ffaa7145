from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from gitupd.cli.main import cli
from gitupd.resources import template_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A configuration with an error at a place, one in a file as a whole, and a warning."""
    files = {
        **template_files(),
        "policies/delivery.yaml": b"check: true\npolling: 3\n",
        "snippets/new one.txt": b"x\n",
        "snippets/update-all-all.txt": b"a, b: 100% \xc3\xa4\n<<<<<<< HEAD\n<<<<<<< HEAD\n",
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def validated(place: Path, form: str) -> str:
    result = CliRunner().invoke(cli, ["validate", str(place), "--format", form])
    assert result.exit_code == 1
    return result.stdout


def test_all_formats_tell_the_same(broken: Path) -> None:
    facts = json.loads(validated(broken, "json"))
    assert {fact["severity"] for fact in facts} == {"error", "warning"}
    assert any(not fact["line"] for fact in facts)
    texts = [f"{fact['message']}; {fact['hint']}" if fact["hint"] else fact["message"] for fact in facts]
    notes = json.loads(validated(broken, "gitlab"))
    assert [note["description"] for note in notes] == texts
    assert [note["location"]["path"] for note in notes] == [fact["path"] for fact in facts]
    assert [note["location"]["lines"]["begin"] for note in notes] == [fact["line"] or 1 for fact in facts]
    assert len({note["fingerprint"] for note in notes}) == len(notes)
    (run,) = json.loads(validated(broken, "sarif"))["runs"]
    assert [result["message"]["text"] for result in run["results"]] == texts
    assert [result["level"] for result in run["results"]] == [fact["severity"] for fact in facts]
    regions = [result["locations"][0]["physicalLocation"].get("region", {}) for result in run["results"]]
    assert [region.get("startLine", 0) for region in regions] == [fact["line"] for fact in facts]
    assert [region.get("startColumn", 0) for region in regions] == [fact["column"] for fact in facts]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    assert len(validated(broken, "github").splitlines()) == len(facts)


def test_a_problem_that_has_only_moved_is_the_same_for_gitlab(broken: Path) -> None:
    before = {note["fingerprint"] for note in json.loads(validated(broken, "gitlab"))}
    (broken / "policies/delivery.yaml").write_bytes(b"\n\ncheck: true\npolling: 3\n")
    assert {note["fingerprint"] for note in json.loads(validated(broken, "gitlab"))} == before


def test_places_can_be_read_by_whoever_reads_addresses(broken: Path) -> None:
    (run,) = json.loads(validated(broken, "sarif"))["runs"]
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
    assert "snippets/new%20one.txt" in uris


def test_nothing_wrong_is_a_report_all_the_same(broken: Path) -> None:
    for path in ("snippets/new one.txt", "snippets/update-all-all.txt", "policies/delivery.yaml"):
        (broken / path).unlink()
    for form, empty in (("json", []), ("gitlab", [])):
        result = CliRunner().invoke(cli, ["validate", str(broken), "--format", form])
        assert (result.exit_code, json.loads(result.stdout)) == (0, empty)
    (run,) = json.loads(CliRunner().invoke(cli, ["validate", str(broken), "--format", "sarif"]).stdout)["runs"]
    assert run["results"] == []
