"""Documents against their schemas: what they say, and what is told of them where it stands."""

from __future__ import annotations

import re
import unicodedata

import pytest

from gitupd.config.loader import load
from gitupd.config.schema import alike, conform, find, key_place, suggestion
from gitupd.config.yaml_tree import Node, Place, read
from gitupd.resources import schema_files


def tree(text: str) -> Node:
    root, problems = read("x.yaml", text.encode())
    assert root is not None
    assert problems == []
    return root


def told(name: str, text: str) -> list[str]:
    return [str(problem).partition(";")[0] for problem in conform("x.yaml", name, tree(text))[1]]


def hint(name: str, text: str) -> str:
    (only,) = conform("x.yaml", name, tree(text))[1]
    return only.hint


def test_values_are_typed_as_the_schema_says() -> None:
    queries = "queries: {mine: {command: 007, title: no, applies: [all, {class: 010}], show: []}}"
    assert conform("x.yaml", "queries", tree(queries)) == (
        {"queries": {"mine": {"command": "007", "title": "no", "applies": ["all", {"class": "010"}], "show": []}}},
        [],
    )
    assert conform("x.yaml", "delivery", tree("interval: 7\ncheck: false\nurl_arguments: {a: null, b: 1}")) == (
        {"interval": 7, "check": False, "url_arguments": {"a": None, "b": "1"}},
        [],
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("delivery", "fast_pol: 1", "x.yaml:1:1: unknown key 'fast_pol'"),
        ("delivery", "interval: 5\nfast_pol: 1\ncheck: true", "x.yaml:2:1: unknown key 'fast_pol'"),
        ("delivery", "window: {hour: [1]}", "x.yaml:1:10: unknown key 'hour'"),
        ("delivery", "interval: x", "x.yaml:1:11: 'interval': 'x' is not a whole number"),
        ("delivery", "fast_poll: x", "x.yaml:1:12: 'fast_poll': 'x' is not a whole number or null"),
        ("delivery", "interval: {a: 1}", "x.yaml:1:11: 'interval': this is not a whole number"),
        ("delivery", "interval: -1", "x.yaml:1:11: 'interval': -1 is less than 0"),
        ("delivery", "window: {hours: [24]}", "x.yaml:1:18: 24 is more than 23"),
        ("delivery", "window: {hours: []}", "x.yaml:1:17: 'hours': this is empty"),
        ("deploy", "branch: ''", "x.yaml:1:9: 'branch': '' is empty"),
        ("deploy", f"branch: {'x' * 1001}", f"x.yaml:1:9: 'branch': '{'x' * 79}… has more than 1,000 characters"),
        ("delivery", "window: {}", "x.yaml:1:9: 'window': this is empty"),
        ("delivery", f"window: {{hours: {[*range(24), 1]}}}", "x.yaml:1:17: 'hours': this has more than 24 entries"),
        (
            "firmware",
            "applies: [{class: a, environment: b}]",
            "x.yaml:1:11: this has more than 1 key",
        ),
        ("deploy", "mode: automatik", "x.yaml:1:7: 'mode': 'automatik' is none of automatic, manual"),
        ("deploy", "grace: soon", "x.yaml:1:8: 'grace': 'soon' is not understood"),
        ("deploy", f"grace: {'x' * 100}", f"x.yaml:1:8: 'grace': '{'x' * 79}… is not understood"),
        *(
            ("deploy", f"brake: {{changed: {limit}}}", f"x.yaml:1:18: 'changed': '{limit}' is not understood")
            for limit in ("101%", "-1%", "-1", "2.5%", "1 %", "010%", "00", "10000000", "many", "٣%", "true")
        ),
        ("deploy", "brake: {shrunk: 50}", "x.yaml:1:17: 'shrunk': '50' is not understood"),
        ("deploy", "brake: {change: 1%}", "x.yaml:1:9: unknown key 'change'"),
        ("deploy", "brake: 25%", "x.yaml:1:8: 'brake': '25%' is not a mapping or null"),
        ("phases", "phases: {a: {}}", "x.yaml:1:13: 'a': 'order' is missing"),
        ("queries", "queries: {a: {applies: [some]}}", "x.yaml:1:25: neither 'all' nor a condition"),
        ("phases", "phases: {a-b: {order: 1}}", "x.yaml:1:10: 'a-b' can't be a name here"),
        ("phases", "- a", "x.yaml:1:1: this is not a mapping"),
        ("backup", 'upload_url: "a\\n"', "x.yaml:1:13: 'upload_url': 'a\\n' is not understood"),
    ],
)
def test_a_violation_is_told_in_words_where_it_stands(name: str, text: str, problem: str) -> None:
    assert told(name, text) == [problem]


@pytest.mark.parametrize(
    ("name", "text", "cure"),
    [
        ("devices", "devices: {00-90: {}}", "write a serial number, such as 00-90-33-30-00-af"),
        ("queries", "queries: {1: {}}", "use letters, digits, dashes, underscores and dots, and begin with a letter"),
        ("environments", "environments: {a: {variables: {x-y: 1}}}", "use letters, digits and underscores"),
        ("phases", "phases: {all: {order: 1}}", "'all' is the wild card"),
        ("phases", "phases: {_first_x: {order: 1}}", "names that start with _first_ are gitupd's own"),
        ("classes", "classes: {a-b: {}}", "a dash separates the parts of a snippet's name; use an underscore"),
        ("classes", "classes: {a/b: {}}", "use letters, digits and underscores"),
        ("queries", "queries: {a: {applies: [some]}}", "write all, {class: NAME} or {environment: NAME}"),
        ("deploy", "mode: automatik", "did you mean 'automatic'?"),
        ("delivery", "interval: x", "minutes between polls, normally"),
        ("transport", "- a", "HTTPS and client certificates: wanted or required"),
    ],
)
def test_a_violation_comes_with_its_cure(name: str, text: str, cure: str) -> None:
    assert hint(name, text) == cure


def test_the_words_for_what_is_empty_are_those_of_all_schemas() -> None:
    least = re.compile(r'"min(?:Length|Items|Properties)": *(?P<limit>[0-9]+)')
    found = [match["limit"] for file in schema_files().values() for match in least.finditer(file.decode())]
    assert {*found} == {"1"}


def test_a_thousand_violations_are_told_and_no_more() -> None:
    problems = conform("x.yaml", "deploy", tree("".join(f"k{number}: 1\n" for number in range(2000))))[1]
    assert len(problems) == 1001
    assert str(problems[-1]) == "x.yaml: 1,000 problems or more; the others are not told"


def test_a_node_is_found_by_its_path_or_the_last_one_on_the_way_to_it() -> None:
    root = tree("a:\n- {b: 1}\n- 2\nc: 3\n")
    assert find(root, ["a", 0, "b"]).place == Place(2, 7)
    assert find(root, ["a", 1]).place == Place(3, 3)
    assert find(root, ["a", 2]) == find(root, ["a", "b"]) == find(root, ["a"])
    assert find(root, ["c", "d"]) == find(root, ["c"])
    assert find(root, ["d"]) == root


def test_a_key_stands_where_it_is_written_and_an_item_where_its_value_is() -> None:
    root = tree("a:\n- {b: 1}\nc: 3\n")
    assert key_place(root, ["a", 0, "b"]) == Place(2, 4)
    assert key_place(root, ["c"]) == Place(3, 1)
    assert key_place(root, ["a", 0]) == Place(2, 3)
    assert key_place(root, ["d"]) == root.place


_FIRMWARE = "policies/firmware.yaml"
COMPOSED, APART = (unicodedata.normalize(form, "münchen") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("Updtae", ["staging", "Update"], "did you mean 'Update'?"),
        ("x", ["staging", "update"], "known: staging, update"),
        ("x", [], ""),
        ("x", [f"name{number}" for number in range(12)], f"known: {', '.join(f'name{n}' for n in range(12))}"),
        ("x", [f"name{number}" for number in range(13)], f"known: {', '.join(f'name{n}' for n in range(12))}, …"),
        ("name1", [f"name{n}" for n in range(2, 1010)], f"known: {', '.join(f'name{n}' for n in range(2, 14))}, …"),
        (
            APART,
            ["berlin", COMPOSED],
            (
                f"did you mean {COMPOSED!r}? It looks the same, but its accents are written otherwise"
                " (Unicode NFC and NFD)"
            ),
        ),
    ],
    ids=["close", "far", "none", "twelve", "thirteen", "too many to guess", "accents"],
)
def test_a_word_that_is_not_known_is_taken_for_one_that_is(word: str, known: list[str], hint: str) -> None:
    assert suggestion(word, known) == hint


def test_there_is_no_guessing_beyond_what_anybody_reads() -> None:
    assert suggestion("updtae", ["update"], told=100) == "did you mean 'update'?"
    assert suggestion("updtae", ["update"], told=101) == ""


def test_names_are_alike_however_their_letters_are_written() -> None:
    assert alike(APART) == alike(COMPOSED) == alike(COMPOSED.upper().replace("Ü", "ü"))
    assert alike("a") != alike("b")


@pytest.mark.parametrize("text", ["22:00", "no", "yes", "on", "010", "0x10", "1e3", "1_000", "~x", "15", "1.50"])
def test_text_stays_as_it_was_written(text: str) -> None:
    environments = f"environments: {{'default': {{variables: {{a: {text}, b: '{text}'}}}}, {text}x: {{}}}}".encode()
    policy = load({"environments.yaml": environments}).policy
    assert policy.environments["default"].variables == {"a": text, "b": text}
    assert f"{text}x" in policy.environments


@pytest.mark.parametrize("build", ["137213", "010", "1e3", "0x10", "13A146", "13.4250", "9" * 30])
def test_builds_stay_as_they_were_written(build: str) -> None:
    policy = load({_FIRMWARE: f"firmware: {build}\nbootcode: '{build}'\n".encode()}).policy.firmware
    assert (policy.firmware, policy.bootcode) == (policy.bootcode, policy.firmware)
    assert getattr(policy.firmware, "number", None) == build
