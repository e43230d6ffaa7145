"""Everything that can be wrong with a configuration, word for word as it is told."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.broken import CASES

from gitupd.config.loader import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]

_DELIVERY = "policies/delivery.yaml"
_DEPLOY = "policies/deploy.yaml"
_FIRMWARE = "policies/firmware.yaml"


@pytest.mark.parametrize("name", CASES)
def test_problem(told: Told, name: str) -> None:
    path, content, expected = CASES[name]
    assert told({path: content}) == expected


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("phases.yaml", b"# ok\n# \xe9\n", "phases.yaml:2: not UTF-8; save the file as UTF-8"),
        ("phases.yaml", "phases: {}".encode("utf-16"), "phases.yaml:1: not UTF-8; save the file as UTF-8"),
        ("phases.yaml", b"a: \0b", "phases.yaml: not YAML: unacceptable character #x0000: control characters are not"),
        (
            "scripting.py",
            b"# coding: latin-1\nclass A:\n    def pre(self, device): return ['\xe9']\n",
            "scripting.py:3: not UTF-8; save the file as UTF-8",
        ),
        ("scripting.py", b"-" * 500_000, "scripting.py: not Python: nested too deeply"),
        (
            _DEPLOY,
            b"grace: " + b"x" * 500_000,
            f"{_DEPLOY}:1:8: 'grace': '{'x' * 79}… is not understood; for how long a commit must",
        ),
    ],
    ids=["latin-1", "utf-16", "zero byte", "latin-1 python", "deep python", "a megabyte"],
)
def test_problem_with_bytes(told: Told, path: str, content: bytes, expected: str) -> None:
    (only,) = told({path: content})
    assert only.startswith(expected)
    assert len(only.splitlines()) == 1


def test_everything_is_told_at_once_in_order_of_place(told: Told) -> None:
    found = told(
        {
            "snippets/updtae-all-all.txt": "config write\n",
            _DELIVERY: "interval: x\nfast_pol: 1\n",
            "environments.yaml": "environments: {default: {implies: [nowhere]}}",
            _DEPLOY: "grace: soon\n",
            _FIRMWARE: "firmware: master\n",
            "queries.yaml": "queries: {mine: {show: [{title: x, xpath: '['}]}}",
        }
    )
    assert [line.partition(": ")[0] for line in found] == [
        "environments.yaml:1:36",
        "policies/delivery.yaml:1:11",
        "policies/delivery.yaml:2:1",
        "policies/deploy.yaml:1:8",
        "policies/firmware.yaml:1:11",
        "queries.yaml:1:11",
        "snippets/updtae-all-all.txt",
        "snippets/updtae-all-all.txt:1:1",
    ]


@pytest.mark.parametrize("broken", ["phases.yaml", "environments.yaml", "classes.yaml"])
def test_a_broken_document_is_not_held_against_others(told: Told, broken: str) -> None:
    files = {
        "phases.yaml": "phases: {staging: {order: 1}}",
        "environments.yaml": "environments: {berlin: {}}",
        "classes.yaml": "classes: {desk: {models: [x1]}}",
        "snippets/staging-desk-berlin.txt": "",
        "devices.yaml": "devices: {00-90-33-30-00-af: {environments: [berlin]}}",
        "queries.yaml": "queries: {admin: {applies: [{class: desk}, {environment: berlin}]}}",
    }
    assert told(files) == []
    assert told({**files, broken: files[broken] + "\nx: 1\n"}) == [
        line for line in told({broken: files[broken] + "\nx: 1\n"}) if line.startswith(broken)
    ]
    assert len(told({**files, broken: files[broken] + "\nx: 1\n"})) == 1


def test_a_fault_in_one_document_hides_none_of_the_others(told: Told) -> None:
    files = {
        _DELIVERY: "fast_pol: 5\n",
        "phases.yaml": "phases: {update: {order: 1}, update: {order: 2}}",
        "environments.yaml": "environments: {default: {implies: [nowhere]}}",
        "snippets/updaet-all-all.txt": "",
        "snippets/update-all-nowhere.txt": "",
    }
    assert [line.partition(";")[0] for line in told(files)] == [
        "environments.yaml:1:36: unknown environment 'nowhere'",
        "phases.yaml:1:30: key 'update' a second time",
        "policies/delivery.yaml:1:1: unknown key 'fast_pol'",
        "snippets/updaet-all-all.txt: unknown phase 'updaet'",
        "snippets/update-all-nowhere.txt: unknown environment 'nowhere'",
    ]


_FAULTS = {
    "phases.yaml": "phases: {update: {order: 1}, update: {order: 2}}",
    "environments.yaml": "environments: {default: {implies: [nowhere]}}",
    "classes.yaml": "classes: {desk: {models: [x1], snippets: none}}",
    "queries.yaml": "queries: {mine: {applies: [all]}}",
    "devices.yaml": "devices: {00-90-33-30-00-af: {environments: [elsewhere]}}",
    _DELIVERY: "fast_pol: 5\n",
    _DEPLOY: "grace: soon\n",
    _FIRMWARE: "firmware: master\n",
    "snippets/updaet-all-all.txt": "x\n",
    "snippets/update-all-berlinn.txt": "x\n",
}
_BROKEN = {"transport": "x: 1", "backup": "{", "status": "- a", "certificates": "a: 1\na: 2", "delivery": "{"}


@given(st.sets(st.sampled_from(sorted(_FAULTS)), min_size=1), st.sampled_from(sorted(_FAULTS)))
def test_adding_a_fault_hides_no_other(told: Told, present: set[str], added: str) -> None:
    before = told({path: _FAULTS[path] for path in present})
    after = told({path: _FAULTS[path] for path in {*present, added}})
    assert {_without_hint(line) for line in before} <= {_without_hint(line) for line in after}


@given(st.sets(st.sampled_from(sorted(_FAULTS)), min_size=1), st.sampled_from(sorted(_BROKEN)))
def test_a_policy_that_cannot_be_read_hides_nothing_elsewhere(told: Told, present: set[str], broken: str) -> None:
    path = f"policies/{broken}.yaml"
    files = {"snippets/all-all-all.txt": "x\n", **{each: _FAULTS[each] for each in present - {path}}}
    before = told(files)
    after = told({**files, path: _BROKEN[broken]})
    assert set(before) < set(after)


def _without_hint(line: str) -> str:
    return line.partition(";")[0]


def test_names_that_look_the_same_are_told_apart_by_how_their_accents_are_written(told: Told) -> None:
    composed, apart = (unicodedata.normalize(form, "münchen") for form in ("NFC", "NFD"))
    (line,) = told({"environments.yaml": f"environments: {{{composed}: {{}}}}", f"snippets/all-all-{apart}.txt": ""})
    assert line == (
        f"snippets/all-all-{apart}.txt: unknown environment {apart!r}; did you mean {composed!r}? "
        "It looks the same, but its accents are written otherwise (Unicode NFC and NFD)"
    )
    (line,) = told({"environments.yaml": f"environments:\n  {composed}: {{}}\n  {apart}: {{}}\n"})
    assert line.startswith(f"environments.yaml:3:3: warning: {apart!r} looks the same as another name")


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("2w", 1209600), ("0", 0), ("0s", 0), ("9" * 5000 + "d", 36525 * 86400)],
)
def test_durations(duration: str, seconds: int) -> None:
    assert load({_DEPLOY: f"grace: {duration}".encode()}).policy.deploy.grace == seconds
