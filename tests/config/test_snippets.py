"""Snippets by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.secrets import Keyholder

from gitupd.config.snippets import read_snippets
from gitupd.config.structure import Names
from gitupd.core.snapshot import Snippet

if TYPE_CHECKING:
    from gitupd.errors import Problem

NAMES = Names(["staging", "Update"], ["default", "Berlin"], ["Phone"], frozenset({"ip222"}))
_FORM = "not the name of a snippet; write phase-class-environment.txt, such as update-phone-default.txt"


def told(*files: str, names: Names = NAMES) -> list[str]:
    problems: list[Problem] = []
    read_snippets({f"snippets/{name}": b"" for name in files}, names, problems)
    return [str(problem).removeprefix("snippets/") for problem in problems]


def test_a_snippet_is_for_what_its_name_says_in_any_case() -> None:
    problems: list[Problem] = []
    files = {"snippets/Update-IP222-Berlin.txt": b"x", "snippets/all-all-00_90_33_30_00_AF.txt": b"y", "other": b"z"}
    assert read_snippets(files, NAMES, problems) == (
        Snippet("snippets/Update-IP222-Berlin.txt", "update", "ip222", "berlin", b"x"),
        Snippet("snippets/all-all-00_90_33_30_00_AF.txt", "all", "all", "00_90_33_30_00_af", b"y"),
    )
    assert problems == []


def test_a_class_may_have_dashes_since_models_have_them() -> None:
    names = Names(None, None, None)
    assert read_snippets({"snippets/all-IP29-2-all.txt": b""}, names, [])[0].device_class == "ip29-2"


@pytest.mark.parametrize(
    "name",
    ["all-all.txt", "all-all-all.cfg", "all-all-all", "a/all-all-all.txt", "-all-all.txt", "all--all.txt",
     "all-all-.txt", "all.txt"],
)  # fmt: skip
def test_a_file_that_is_not_named_as_snippets_are_is_told_and_left_out(name: str) -> None:
    assert told(name) == [f"{name}: {_FORM}"]
    assert read_snippets({f"snippets/{name}": b""}, NAMES, []) == ()


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("updtae-all-all.txt", ["unknown phase 'updtae'; did you mean 'update'?"]),
        ("all-phonw-all.txt", ["unknown class or model 'phonw'; did you mean 'phone'?"]),
        ("all-all-berlni.txt", ["unknown environment 'berlni'; did you mean 'berlin'?"]),
        (
            "x-y-z.txt",
            [
                "unknown phase 'x'; known: all, staging, update",
                "unknown class or model 'y'; known: all, ip222, phone",
                "unknown environment 'z'; known: all, berlin, default",
            ],
        ),
    ],
)
def test_what_in_a_name_does_not_exist_is_told(name: str, problems: list[str]) -> None:
    assert told(name) == [f"{name}: {problem}" for problem in problems]


def test_names_that_nobody_can_tell_are_not_judged() -> None:
    assert told("x-y-z.txt", names=Names(None, None, None)) == []


def test_snippets_that_differ_only_in_case_are_told_for_only_one_is_taken() -> None:
    assert told("All-phone-all.txt", "all-PHONE-all.txt") == [
        "all-PHONE-all.txt: differs from snippets/All-phone-all.txt only in case; keep one of the two"
    ]


@pytest.mark.parametrize("name", ["README", "README.md", ".gitkeep", ".all-all-all.txt", "README-first.txt"])
def test_notes_on_snippets_are_none(name: str) -> None:
    assert told(name) == []
    assert read_snippets({f"snippets/{name}": b""}, NAMES, []) == ()


def test_a_phase_may_be_called_as_notes_are() -> None:
    names = Names(["readme", ".hidden"], ["default"], ["phone"])
    files = {"snippets/README-all-all.txt": b"", "snippets/.hidden-all-all.txt": b""}
    assert [snippet.phase for snippet in read_snippets(files, names, [])] == ["readme", ".hidden"]


def test_a_template_is_a_snippet_with_variables() -> None:
    problems: list[Problem] = []
    files = {"snippets/update-ip222-Berlin.txt.j2": b"config add X /a {{ x }}\n", "snippets/all-all-all.txt": b""}
    template, plain = read_snippets(files, NAMES, problems)
    assert (template.phase, template.device_class, template.place) == ("update", "ip222", "berlin")
    assert template.template is not None
    assert template.template.required == {"x"}
    assert plain.template is None
    assert problems == []


def test_a_template_that_cant_be_used_is_empty_and_told() -> None:
    problems: list[Problem] = []
    (snippet,) = read_snippets({"snippets/all-all-all.txt.j2": b"{{ x() }}"}, NAMES, problems)
    assert (snippet.content, snippet.template) == (b"", None)
    assert [str(problem).partition(";")[0] for problem in problems] == [
        "snippets/all-all-all.txt.j2:1: a call is not allowed in a template"
    ]


def test_two_files_for_the_same_devices_are_one_too_many() -> None:
    assert told("all-all-all.txt", "all-all-all.txt.j2") == [
        "all-all-all.txt.j2: is for the same devices as snippets/all-all-all.txt; keep one of the two"
    ]
    assert told("all-all-all.j2", "all-all-all.txt.j3") == [f"all-all-all.j2: {_FORM}", f"all-all-all.txt.j3: {_FORM}"]


def test_all_templates_together_are_bounded() -> None:
    problems: list[Problem] = []
    files = {f"snippets/all-all-00_90_33_00_00_{number:02x}.txt.j2": b"x" * 60_000 for number in range(19)}
    read_snippets(files, NAMES, problems)
    assert [str(problem) for problem in problems] == [
        f"snippets/all-all-00_90_33_00_00_{number}.txt.j2: the templates are more than 1 MiB in all;"
        " write snippets without variables"
        for number in ("11", "12")
    ]


def test_an_encrypted_snippet_is_opened_or_stays_closed() -> None:
    site, problems = Keyholder(), []
    files = {
        "snippets/all-all-all.txt.age": site.seal("config add X\n"),
        "snippets/all-phone-all.txt.j2.age": site.seal("config add X /a {{ x }}\n"),
    }
    plain, template = read_snippets(files, NAMES, problems, site.opener())
    assert (plain.content, plain.template, template.template.required) == (b"config add X\n", None, {"x"})
    closed, other = read_snippets(files, NAMES, problems)
    assert (closed.content, other.content, other.template) == (b"", b"", None)
    assert problems == []
    assert told("all-all.txt.age") == [f"all-all.txt.age: {_FORM}"]
