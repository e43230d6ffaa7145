"""The documents of a repository: where they lie, and what is told of those that lie elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.config.documents import MOST_NAMES, PATHS, Document, absence, is_meant, misplaced, read_all, read_document
from gitupd.config.yaml_tree import MOST_NODES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]


def document(name: str, text: str) -> Document:
    return read_document(PATHS[name], name, text.encode())[0]


def test_a_document_says_what_stands_in_it_and_else_the_default() -> None:
    firmware = document("firmware", "master: {url: http://10.0.0.1/, cache: 1h}\nfirmware: master\n")
    assert firmware.get("firmware") == "master"
    assert firmware.get("master", "cache") == "1h"
    assert firmware.get("master", "other", default=1) == 1
    assert firmware.get("firmware", "deeper", default=2) == 2
    assert firmware.get("bootcode") is None


@pytest.mark.parametrize(
    ("text", "broken"),
    [("", False), ("# nothing\n", False), ("{", True), ("interval: x", True), ("x: 1", True), ("interval: 5", False)],
)
def test_a_document_with_problems_is_broken_and_says_nothing(text: str, *, broken: bool) -> None:
    delivery, problems = read_document("policies/delivery.yaml", "delivery", text.encode())
    assert delivery.broken is broken
    assert bool(problems) is broken
    assert delivery.said == ({"interval": 5} if text == "interval: 5" else {})


def test_the_names_in_a_document_are_known_even_if_it_is_broken_elsewhere() -> None:
    assert list(document("phases", "phases: {b: {order: 1}, a: {order: 2}}").names("phases") or ()) == ["b", "a"]
    assert list(document("phases", "phases: {b: {order: 1}, a: {}}\nx: 1").names("phases") or ()) == ["b", "a"]


@pytest.mark.parametrize("text", ["", "x: 1", "- a", "phases: [a]", "{"])
def test_there_are_no_names_where_none_are_said_or_too_much_is_broken(text: str) -> None:
    assert document("phases", text).names("phases") is None


def test_a_problem_is_told_with_a_value_or_with_its_key() -> None:
    phases = document("phases", "phases:\n  a: {order: 1}\n")
    assert str(phases.problem(["phases", "a", "order"], "fault", "cure")) == "phases.yaml:2:14: fault; cure"
    assert str(phases.problem(["phases", "a"], "fault", key=True)) == "phases.yaml:2:3: fault"
    assert str(phases.problem([], "fault", warning=True)) == "phases.yaml:1:1: warning: fault"
    assert str(Document("phases.yaml").problem(["phases"], "fault")) == "phases.yaml: fault"


@pytest.mark.parametrize("name", MOST_NAMES)
def test_a_document_names_no_more_things_than_anybody_means(name: str) -> None:
    body = {"phases": "{order: %d}", "queries": "{command: x}"}.get(name, "{}")
    lines = [f"  a{number}: {body % number if '%' in body else body}\n" for number in range(MOST_NAMES[name] + 1)]
    path = PATHS[name]
    assert read_document(path, name, f"{name}:\n{''.join(lines[:-1])}".encode())[1] == []
    broken, problems = read_document(path, name, f"{name}:\n{''.join(lines)}".encode())
    assert broken.broken
    most = MOST_NAMES[name]
    assert list(map(str, problems)) == [f"{path}:1:1: {most + 1:,} {name}, more than {most:,}; this is hardly meant"]


def test_all_documents_are_read_and_what_is_none_is_told() -> None:
    files = {"phases.yaml": b"phases: {a: {order: 1}}", "policies/delivery.yaml": b"{", "snippets/x.txt": b"",
             "policies/delivry.yaml": b"", "phase.yml": b"", "other/x.yaml": b"", "README": b""}  # fmt: skip
    documents, problems = read_all(files)
    assert documents.keys() == PATHS.keys()
    assert documents["phases"].said == {"phases": {"a": {"order": 1}}}
    assert documents["delivery"].broken
    assert documents["queries"] == Document("queries.yaml")
    assert list(map(str, problems))[1:] == [
        "policies/delivry.yaml: no such policy; did you mean 'delivery.yaml'?",
        "phase.yml: warning: not read by gitupd; did you mean 'phases.yaml'?",
    ]


@pytest.mark.parametrize(
    ("paths", "problems"),
    [
        (
            ["Snippets/all-all-all.txt", "Snippets/all-phone-all.txt"],
            ["Snippets/: not read by gitupd, which looks for 'snippets/'; rename it: letter case counts"],
        ),
        (
            ["Policies/Delivery.yaml"],
            ["Policies/: not read by gitupd, which looks for 'policies/'; rename it: letter case counts"],
        ),
        (
            ["Scripting.PY"],
            ["Scripting.PY: not read by gitupd, which looks for 'scripting.py'; rename it: letter case counts"],
        ),
        (
            ["Phases.yaml"],
            ["Phases.yaml: not read by gitupd, which looks for 'phases.yaml'; rename it: letter case counts"],
        ),
        (
            ["conf/policies/delivery.yaml", "conf/snippets/all-all-all.txt"],
            [
                "conf/policies/delivery.yaml: warning: not read by gitupd here; move it to policies/delivery.yaml",
                "conf/snippets/all-all-all.txt: warning: not read by gitupd here; move it to snippets/all-all-all.txt",
            ],
        ),
        (["snippet/all-all-all.txt"], ["snippet/: not read by gitupd, which looks for 'snippets/'; rename it"]),
        (["scripts/all-all-all.txt"], ["scripts/: not read by gitupd, which looks for 'snippets/'; rename it"]),
        (["Policy/status.yaml"], ["Policy/: not read by gitupd, which looks for 'policies/'; rename it"]),
        (["test/phones.yaml"], ["test/: warning: not read by gitupd, which looks for 'tests/'; rename it"]),
        (["certs/CAkey1.pem"], ["certs/: warning: not read by gitupd, which looks for 'certificates/'; rename it"]),
        (["tests/phones.yml"], ["tests/phones.yml: not run by gitupd test; call it tests/phones.yaml"]),
        (["scripts/build.sh", "test/run.py", "policy/house.txt", "certs/server.pem"], []),
        (["scripts/all-all-all.txt", "snippets/all-all-all.txt"], []),
        (["snippets/all-all-all.txt", "old/snippets/all-all-all.txt"], []),
        (["policies/delivery.yaml", "old/policies/delivery.yaml"], []),
        (["docs/snippet.txt", "src/tests/x.py"], []),
    ],
)
def test_what_would_be_read_elsewhere_is_told(paths: list[str], problems: list[str]) -> None:
    assert list(map(str, misplaced(paths))) == problems


@pytest.mark.parametrize(
    "path",
    ["snippet/a-b-c.txt", "a/phases.yaml", "PHASES.YAML", "Tests/x", "Scripting.py", "a/snippets/x", "certificates/x"],
)
def test_what_lies_elsewhere_may_be_meant(path: str) -> None:
    assert is_meant(path)


def test_files_without_a_document_and_a_snippet_are_no_configuration() -> None:
    assert str(absence(["tests/x.yaml", "README"], "here")) == (
        "here: no document and no snippet; looked for phases.yaml, environments.yaml, classes.yaml, queries.yaml, "
        "devices.yaml, policies/ and snippets/; name the folder that holds them"
    )
    for path in ("phases.yaml", "snippets/x", "policies/x", "scripting.py"):
        assert absence([path]) is None


def test_nothing_at_all_is_no_configuration_and_one_empty_document_is(told: Told) -> None:
    looked = (
        "looked for phases.yaml, environments.yaml, classes.yaml, queries.yaml, devices.yaml, policies/ and snippets/"
    )
    assert told({}) == [f".: no document and no snippet; {looked}; name the folder that holds them"]
    assert told({"tests/x.yaml": ""}) == told({})
    assert told({"phases.yaml": "# nothing yet\n", "queries.yaml": ""}) == []


def test_render_tests_that_can_not_be_read_are_warnings(told: Told) -> None:
    path = "tests/phones.yaml"
    odd = "tests:\n  - name: x\n    device: {type: IP222}\n    contain: [x]\n"
    unknown = f"{path}:4:5: warning: unknown key 'contain'; did you mean 'contains'?"
    assert told({path: odd, "phases.yaml": ""}) == [unknown]


def test_a_policy_at_the_top_is_told_where_it_belongs(told: Told) -> None:
    moved = "delivery.yaml: warning: not read by gitupd; move it to policies/delivery.yaml"
    assert moved in told({"delivery.yaml": "check: false\n", "phases.yaml": ""})


def test_tabs_and_nothing_are_called_so(told: Told) -> None:
    assert told({"phases.yaml": "phases:\n\tupdate: {order: 1}\n"}) == [
        "phases.yaml:2:1: not YAML: a tab; indent by blanks"
    ]
    assert told({"environments.yaml": "environments:\n  default:\n"}) == [
        "environments.yaml:2:11: 'default': nothing is not a mapping"
    ]


def test_more_devices_may_be_named_than_things_elsewhere() -> None:
    values = "- \n" * (MOST_NODES + 1)
    (elsewhere,) = read_document("phases.yaml", "phases", values.encode())[1]
    (of_devices,) = read_document("devices.yaml", "devices", values.encode())[1]
    assert elsewhere.message == "too deeply nested or too long to be meant"
    assert (of_devices.line, of_devices.message != elsewhere.message) == (1, True)
