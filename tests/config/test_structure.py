"""Phases, environments, classes, queries and devices, held against each other."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

from gitupd.config.builtin import BUILTIN
from gitupd.config.documents import PATHS, read_document
from gitupd.config.structure import (
    Conditions,
    Names,
    classes,
    devices,
    environments,
    known_models,
    names,
    phases,
    queries,
)
from gitupd.core.policy import DeviceClass, Environment, Everyone, InClass, InEnvironment, Query, Show
from gitupd.core.snapshot import KnownDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.config.documents import Document
    from gitupd.errors import Problem

COMPOSED, APART = (unicodedata.normalize(form, "münchen") for form in ("NFC", "NFD"))
CONDITIONS = Conditions(Names((), ["default", "berlin"], ["phone", "desk"], frozenset({"ip222"})))


def document(name: str, text: str) -> Document:
    return read_document(PATHS[name], name, text.encode())[0]


def told(read: Callable[..., object], name: str, text: str) -> list[str]:
    """Return what is told of a document by whoever reads it."""
    problems: list[Problem] = []
    match name:
        case "queries":
            read(document(name, text), CONDITIONS, problems)
        case "devices":
            read(document(name, text), ["default", "berlin"], ["update"], problems)
        case _:
            read(document(name, text), problems)
    return [str(problem).removeprefix(f"{name}.yaml:") for problem in problems]


def test_phases_come_in_their_order() -> None:
    said = "phases: {update: {order: 300}, staging: {order: 7}, rollout: {order: 20}}"
    assert phases(document("phases", said), []) == ("staging", "rollout", "update")
    assert phases(document("phases", ""), []) == ("update",)


def test_environments_come_as_they_are_written_with_those_they_imply() -> None:
    said = "environments: {b: {implies: [a, b], variables: {x: 010}}, a: {}}"
    assert environments(document("environments", said), []) == {
        "b": Environment("b", ("a", "b"), {"x": "010"}),
        "a": Environment("a"),
    }
    assert list(environments(document("environments", ""), [])) == ["default"]
    unknown = document("environments", "environments: {a: {implies: [b]}}")
    assert environments(unknown, []) == {"a": Environment("a")}


def test_own_classes_come_behind_the_built_in_ones_and_add_models_to_them() -> None:
    said = "classes: {phone: {models: [Own]}, desk: {models: [X1], snippets: phone}, empty: {}}"
    made = {each.name: each for each in classes(document("classes", said), [])}
    assert list(made) == [*BUILTIN.classes, "desk", "empty"]
    assert made["phone"].models > {"own", "ip222"}
    assert made["desk"] == DeviceClass("desk", frozenset({"x1"}), "phone")
    assert made["empty"] == DeviceClass("empty", frozenset(), "empty")
    alone = document("classes", f"extends: none\n{said}")
    assert [each.name for each in classes(alone, [])] == ["phone", "desk", "empty"]


def test_models_are_known_from_classes_and_lists() -> None:
    own = document("classes", "classes: {a: {models: [X1]}}\nmodels: [Y2]")
    assert known_models(own, classes(own, [])) > {"x1", "y2", "ip222", *BUILTIN.no_firmware}


def test_queries_are_the_built_in_ones_and_own_ones() -> None:
    said = """\
queries:
  admin: {title: Own, applies: [all, {class: phone}, {environment: berlin}, {class: IP222}]}
  mine: {command: mod cmd X, show: [{title: A, xpath: /a}]}
"""
    asked = {each.id: each for each in queries(document("queries", said), CONDITIONS, [])}
    assert list(asked) == [*BUILTIN.queries, "mine"]
    assert asked["mine"] == Query("mine", "mine", "mod cmd X", (), (Show("A", "/a"),))
    assert asked["admin"].command == BUILTIN.queries["admin"]["command"]
    assert asked["admin"].title == "Own"
    assert asked["admin"].applies == (Everyone(), InClass("phone"), InEnvironment("berlin"), InClass("ip222"))


def test_devices_are_known_by_the_digits_of_their_serial_numbers() -> None:
    said = """\
devices:
  00-90-33-30-00-AF: {name: Boss, environments: [berlin], variables: {room: 007}, notes: hers}
  0090333000b0: {}
  0090333000b1: {type: IP222, phase: update, hardware_id: IP222-33-00-b1}
"""
    assert devices(document("devices", said), ["berlin"], ["update"], []) == {
        "0090333000af": KnownDevice("Boss", ("berlin",), {"room": "007"}, "hers"),
        "0090333000b0": KnownDevice(),
        "0090333000b1": KnownDevice(model="IP222", phase="update", hardware_id="IP222-33-00-b1"),
    }


def test_a_device_is_in_a_phase_that_exists_unless_nobody_can_tell_which_do() -> None:
    said = document("devices", "devices: {0090333000af: {phase: updat}}")
    problems: list[Problem] = []
    devices(said, ["berlin"], None, problems)
    assert problems == []
    devices(said, ["berlin"], ["staging", "update"], problems)
    assert [str(each) for each in problems] == ["devices.yaml:1:33: unknown phase 'updat'; did you mean 'update'?"]


@pytest.mark.parametrize(
    ("read", "text", "problems"),
    [
        (
            phases,
            "phases: {a: {order: 1}, b: {order: 1}}",
            ["1:36: phase 'b' has the order of 'a'; give each phase a number of its own"],
        ),
        (
            phases,
            "phases: {A: {order: 1}, a: {order: 2}}",
            ["1:10: 'A' and 'a' differ only in case; rename one", "1:25: 'a' and 'A' differ only in case; rename one"],
        ),
        (
            environments,
            "environments: {berlin: {implies: [berlni]}}",
            ["1:35: unknown environment 'berlni'; did you mean 'berlin'?"],
        ),
        (
            environments,
            f"environments:\n  {COMPOSED}: {{}}\n  {APART}: {{}}\n",
            [
                (
                    f"3:3: warning: {APART!r} looks the same as another name, whose accents are written otherwise; "
                    "write one of them anew: one is in Unicode NFC, one in NFD"
                )
            ],
        ),
        (
            classes,
            "classes: {Phone: {models: [x]}}",
            ["1:11: 'Phone' and 'phone' differ only in case; rename one"],
        ),
        (
            classes,
            "classes: {a: {models: [x], snippets: phnoe}}",
            ["1:38: unknown class 'phnoe'; did you mean 'phone'?"],
        ),
        (
            queries,
            "queries: {mine: {title: x}}",
            ["1:11: query 'mine' has no command; add command: with what the device is to answer"],
        ),
        (
            queries,
            "queries: {admin: {applies: [{class: fone}]}}",
            ["1:37: unknown class or model 'fone'; did you mean 'phone'?"],
        ),
        (
            queries,
            "queries: {admin: {applies: [all, {environment: Default}]}}",
            ["1:48: unknown environment 'Default'; did you mean 'default'?"],
        ),
        (
            queries,
            "queries: {admin: {show: [{title: x, xpath: /a}, {title: y, xpath: '/info['}]}}",
            ["1:67: '/info[' is no XPath: Invalid expression; try /info/@name"],
        ),
        (
            devices,
            "devices: {00-90-33-30-00-af: {}, 0090333000AF: {}}",
            ["1:34: device 0090333000AF a second time"],
        ),
        (
            devices,
            "devices: {00-90-33-30-00-af: {environments: [berlin, Paris]}}",
            ["1:54: unknown environment 'Paris'; known: default, berlin"],
        ),
    ],
)
def test_what_does_not_fit_is_told_where_it_stands(read: Callable[..., object], text: str, problems: list[str]) -> None:
    assert told(read, text.partition(":")[0], text) == problems


BROKEN = "x: 1\n"
DOCUMENTS = {
    "phases": "phases: {a: {order: 1}}\n",
    "environments": "environments: {berlin: {}}\n",
    "classes": "extends: none\nclasses: {desk: {models: [x1]}}\n",
}


def names_in(texts: dict[str, str]) -> Names:
    read = {name: document(name, text) for name, text in texts.items()}
    said = (phases(read["phases"], []), environments(read["environments"], []), classes(read["classes"], []))
    return names(read, *said)


def test_whole_documents_tell_what_may_be_referred_to() -> None:
    told_by = names_in(DOCUMENTS)
    assert list(told_by.phases or ()) == ["a"]
    assert list(told_by.environments or ()) == ["berlin"]
    assert told_by.classes == ["desk"]
    assert told_by.models > {"x1"}


def test_a_broken_document_tells_names_if_it_has_them_and_else_nothing_is_held_against_it() -> None:
    told_by = names_in({name: text + BROKEN for name, text in DOCUMENTS.items()})
    assert (list(told_by.phases or ()), list(told_by.environments or ())) == (["a"], ["berlin"])
    assert told_by.classes is None
    nothing = names_in(dict.fromkeys(DOCUMENTS, BROKEN))
    assert (nothing.phases, nothing.environments, nothing.classes) == (None, None, None)


def test_whatever_refers_to_a_name_that_can_not_be_told_is_not_judged() -> None:
    problems: list[Problem] = []
    asked = document("queries", "queries: {admin: {applies: [{class: x}, {environment: y}]}}")
    admin = next(each for each in queries(asked, Conditions(Names(None, None, None)), problems) if each.id == "admin")
    assert admin.applies == (InClass("x"), InEnvironment("y"))
    devices(document("devices", "devices: {0090333000af: {environments: [x]}}"), None, None, problems)
    assert problems == []
