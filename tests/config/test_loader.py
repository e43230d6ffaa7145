"""Files become a snapshot, or all that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.config.loader import NOT_COMMITTED, build, load
from gitupd.core.snapshot import CommitId
from gitupd.errors import InvalidConfiguration, has_errors
from gitupd.resources import template_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]

COMMIT = CommitId("ab" * 20)
FILES = {
    "phases.yaml": b"phases: {b: {order: 2}, a: {order: 1}}",
    "environments.yaml": b"environments: {berlin: {}}\nexpansion: first-only",
    "classes.yaml": b"classes: {desk: {models: [x1]}}",
    "queries.yaml": b"upload_url: http://elsewhere/",
    "devices.yaml": b"devices: {0090333000af: {name: Boss}}",
    "policies/delivery.yaml": b"interval: 7",
    "policies/deploy.yaml": b"branch: prod",
    "snippets/a-desk-berlin.txt": b"x\n",
    "scripting.py": b"class Own:\n    def pre(self, device): return []\n",
}


def test_a_snapshot_says_all_that_is_in_the_files() -> None:
    snapshot = load(FILES, COMMIT)
    assert (snapshot.commit, snapshot.scripting) == (COMMIT, FILES["scripting.py"])
    policy = snapshot.policy
    assert (policy.phases, list(policy.environments), policy.classes[-1].name) == (("a", "b"), ["berlin"], "desk")
    assert (policy.full_expansion, policy.queries_url) == (False, "http://elsewhere/")
    assert (policy.delivery.interval, policy.deploy.branch) == (7, "prod")
    assert [snippet.path for snippet in snapshot.snippets] == ["snippets/a-desk-berlin.txt"]
    assert snapshot.devices["0090333000af"].name == "Boss"
    assert load({}).commit == NOT_COMMITTED


def test_what_is_built_is_what_is_loaded_and_what_is_told_of_it() -> None:
    assert build(FILES, COMMIT) == (load(FILES, COMMIT), ())


def test_with_an_error_there_is_a_snapshot_to_look_at_and_none_to_load() -> None:
    files = {**FILES, "snippets/a-desk-nowhere.txt": b"reset\n", "policies/delivery.yaml": b"interval: x"}
    snapshot, problems = build(files)
    assert has_errors(problems)
    assert [problem.path for problem in problems] == [
        "policies/delivery.yaml", "snippets/a-desk-nowhere.txt", "snippets/a-desk-nowhere.txt",
    ]  # fmt: skip
    assert len(snapshot.snippets) == 2
    with pytest.raises(InvalidConfiguration) as caught:
        load(files)
    assert caught.value.problems == (problems[0], problems[1])


def test_warnings_do_not_keep_a_configuration_from_being_loaded(told: Told) -> None:
    files = {"snippets/all-all-all.txt": b"config write\n"}
    assert len(told(files)) == 1
    assert len(load(files).snippets) == 1


def test_whether_a_snippet_is_out_of_reach_is_told_once_there_is_no_error(told: Told) -> None:
    files = {"classes.yaml": "classes: {empty: {}}", "snippets/all-empty-all.txt": ""}
    assert len(told(files)) == 1
    assert told({**files, "policies/delivery.yaml": "x: 1"})[0].startswith("policies/delivery.yaml")
    assert len(told({**files, "policies/delivery.yaml": "x: 1"})) == 1


def test_no_files_are_no_configuration_when_they_are_examined(told: Told) -> None:
    assert told({})[0].startswith(".: no document and no snippet; ")
    assert load({}).policy.phases == ("update",)
    assert told({"Phases.yaml": "", "phases.yaml": ""})[0].startswith("Phases.yaml: ")


def test_the_template_is_without_a_problem(told: Told) -> None:
    files = template_files()
    assert told(files) == []
    assert len(load(files).snippets) == 6


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"# ok\nx = '\xe9'\n", "scripting.py:2: not UTF-8; save the file as UTF-8"),
        (b"class", "scripting.py:1:6: not Python: invalid syntax"),
        (b"\0", "scripting.py: not Python: source code string cannot contain null bytes"),
        (b"-" * 500_000, "scripting.py: not Python: nested too deeply"),
        (
            b"def pre(device): return []",
            (
                "scripting.py: 0 classes, where one is expected; "
                "define one class with pre(device), post(device) or standard(device)"
            ),
        ),
        (
            b"class A: pass\nclass B: pass",
            (
                "scripting.py: 2 classes, where one is expected; "
                "define one class with pre(device), post(device) or standard(device)"
            ),
        ),
        (b"\nclass Own:\n    x = 1", "scripting.py:2:1: class Own has none of post, pre, standard"),
    ],
    ids=["latin-1", "syntax", "zero byte", "deep", "no class", "two classes", "nothing to do"],
)
def test_computed_lines_are_parsed_when_they_are_examined_only(told: Told, source: bytes, problem: str) -> None:
    assert told({"scripting.py": source}) == [problem]
    assert load({"scripting.py": source}).scripting == source
