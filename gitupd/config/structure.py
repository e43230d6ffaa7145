"""Phases, environments, classes, queries and known devices: their documents as values, held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from gitupd.config.builtin import BUILTIN
from gitupd.config.schema import alike, excerpt, suggestion
from gitupd.core.caller import parse_serial
from gitupd.core.names import fold
from gitupd.core.policy import DeviceClass, Environment, Everyone, InClass, InEnvironment, Query, Show
from gitupd.core.snapshot import KnownDevice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gitupd.config.documents import Document
    from gitupd.core.policy import Condition
    from gitupd.errors import Problem


@dataclass(frozen=True, slots=True)
class Names:
    """What other documents, and names of snippets, may refer to.

    None stands for names in a document that is too broken to tell them: whatever refers to one of them can't be judged.
    """

    phases: Collection[str] | None
    environments: Collection[str] | None
    classes: Collection[str] | None
    models: frozenset[str] = frozenset()


def names(
    documents: Mapping[str, Document],
    phases: Collection[str],
    environments: Collection[str],
    classes: Collection[DeviceClass],
) -> Names:
    """Return what may be referred to, given what whole documents say.

    Names can be read of a document that has its faults elsewhere, as long as it has them. Of broken classes not even
    the models are known.
    """

    def names_in(name: str, whole: Collection[str]) -> Collection[str] | None:
        return documents[name].names(name) if documents[name].broken else whole

    return Names(
        names_in("phases", phases),
        names_in("environments", environments),
        None if documents["classes"].broken else [device_class.name for device_class in classes],
        known_models(documents["classes"], classes),
    )


def phases(document: Document, problems: list[Problem]) -> tuple[str, ...]:
    """Return the names of the phases in order."""
    definitions: Mapping[str, Any] = document.get("phases", default={"update": {"order": 200}})
    problems += _differ_only_in_case(document, "phases", definitions)
    seen: dict[int, str] = {}
    for name, phase in definitions.items():
        order = phase["order"]
        if order in seen:
            message = f"phase {name!r} has the order of {seen[order]!r}"
            problems.append(document.problem(["phases", name, "order"], message, "give each phase a number of its own"))
        seen[order] = name
    return tuple(sorted(definitions, key=lambda name: definitions[name]["order"]))


def environments(document: Document, problems: list[Problem]) -> dict[str, Environment]:
    """Return the environments by name, the default one first."""
    definitions: Mapping[str, Any] = document.get("environments", default={"default": {}})
    problems += _differ_only_in_case(document, "environments", definitions)
    result = {}
    for name, body in definitions.items():
        implies = tuple(body.get("implies", ()))
        for at, implied in enumerate(implies):
            if implied not in definitions:
                where: list[str | int] = ["environments", name, "implies", at]
                hint = suggestion(implied, definitions, told=len(problems))
                problems.append(document.problem(where, f"unknown environment {implied!r}", hint))
        result[name] = Environment(
            name, tuple(implied for implied in implies if implied in definitions), body.get("variables", {})
        )
    return result


def classes(document: Document, problems: list[Problem]) -> tuple[DeviceClass, ...]:
    """Return the classes in order of delivery: the built-in ones, then those of the document."""
    builtin = BUILTIN.classes if document.get("extends", default="builtin") == "builtin" else {}
    definitions: Mapping[str, Any] = document.get("classes", default={})
    names = [*builtin, *(name for name in definitions if name not in builtin)]
    existing = frozenset(names)
    problems += _differ_only_in_case(document, "classes", names)
    for name, body in definitions.items():
        if (target := body.get("snippets")) is not None and target not in existing:
            hint = suggestion(target, names, told=len(problems))
            problems.append(document.problem(["classes", name, "snippets"], f"unknown class {target!r}", hint))
    return tuple(
        DeviceClass(
            name,
            frozenset(map(fold, (*builtin.get(name, ()), *definitions.get(name, {}).get("models", ())))),
            definitions.get(name, {}).get("snippets", name),
        )
        for name in names
    )


def known_models(document: Document, all_classes: Iterable[DeviceClass]) -> frozenset[str]:
    """Return the folded models that exist as far as the configuration and the built-in lists know."""
    own = (*document.get("models", default=()), *BUILTIN.no_bootcode, *BUILTIN.no_firmware)
    built_in = {model for models in BUILTIN.classes.values() for model in models}
    return frozenset(map(fold, {*own, *built_in})).union(*(device_class.models for device_class in all_classes))


def _differ_only_in_case(document: Document, key: str, names: Iterable[str]) -> Iterator[Problem]:
    spellings: dict[str, list[str]] = {}
    for name in names:
        spellings.setdefault(fold(name), []).append(name)
    definitions = document.get(key, default={})
    for same in spellings.values():
        for name in same if len(same) > 1 else ():
            if name in definitions:
                other = same[0] if same[0] != name else same[1]
                message = f"{name!r} and {other!r} differ only in case"
                yield document.problem([key, name], message, "rename one", key=True)
    yield from _look_the_same(document, key, spellings)


def _look_the_same(document: Document, key: str, folded: Iterable[str]) -> Iterator[Problem]:
    definitions = document.get(key, default={})
    looks: dict[str, str] = {}
    for name in folded:
        other = looks.setdefault(alike(name), name)
        written = next((spelling for spelling in definitions if fold(spelling) == name), None)
        if other != name and written is not None:
            message = f"{written!r} looks the same as another name, whose accents are written otherwise"
            hint = "write one of them anew: one is in Unicode NFC, one in NFD"
            yield document.problem([key, written], message, hint, key=True, warning=True)


class Conditions:
    """Reads conditions, and knows which classes and environments they may name."""

    def __init__(self, names: Names) -> None:
        self._environments = None if names.environments is None else dict.fromkeys(names.environments)
        self._classes = None if names.classes is None else dict.fromkeys(names.classes)
        self._models = names.models
        self._classes_and_models = (*(self._classes or ()), *sorted(names.models))

    def read(self, document: Document, at: list[str | int], problems: list[Problem]) -> tuple[Condition, ...]:
        """Return the conditions in the list at *at*."""
        conditions: Iterable[Any] = document.get(*map(str, at), default=())
        return tuple(
            self._one(document, [*at, index], condition, problems) for index, condition in enumerate(conditions)
        )

    def check_environment(self, document: Document, at: list[str | int], name: str, problems: list[Problem]) -> None:
        """Tell if what has the key ``environment`` at *at* names none that is known."""
        if self._environments is not None and name not in self._environments:
            hint = suggestion(name, self._environments, told=len(problems))
            problems.append(document.problem([*at, "environment"], f"unknown environment {name!r}", hint))

    def _one(self, document: Document, at: list[str | int], condition: Any, problems: list[Problem]) -> Condition:
        if condition == "all":
            return Everyone()
        if (name := condition.get("environment")) is not None:
            self.check_environment(document, at, name, problems)
            return InEnvironment(name)
        name = condition["class"]
        if self._classes is None or name in self._classes:
            return InClass(name)
        if fold(name) not in self._models:
            hint = suggestion(name, self._classes_and_models, told=len(problems))
            problems.append(document.problem([*at, "class"], f"unknown class or model {name!r}", hint))
        return InClass(fold(name))


def queries(document: Document, conditions: Conditions, problems: list[Problem]) -> tuple[Query, ...]:
    """Return the queries in the order in which they are asked."""
    definitions: Mapping[str, Any] = document.get("queries", default={})
    result = []
    for name in (*BUILTIN.queries, *(name for name in definitions if name not in BUILTIN.queries)):
        builtin, body = BUILTIN.queries.get(name, {}), definitions.get(name, {})
        command = body.get("command") or builtin.get("command")
        if command is None:
            hint = "add command: with what the device is to answer"
            problems.append(document.problem(["queries", name], f"query {name!r} has no command", hint, key=True))
            continue
        _check_xpaths(document, name, body, problems)
        show = tuple(Show(value["title"], value["xpath"]) for value in body.get("show", ()))
        applies = conditions.read(document, ["queries", name, "applies"], problems)
        result.append(Query(name, body.get("title") or builtin.get("title", name), command, applies, show))
    return tuple(result)


def _check_xpaths(document: Document, name: str, body: Mapping[str, Any], problems: list[Problem]) -> None:
    for index, value in enumerate(body.get("show", ())):
        try:
            etree.XPath(value["xpath"])
        except etree.XPathError as error:
            where: list[str | int] = ["queries", name, "show", index, "xpath"]
            problems.append(
                document.problem(where, f"{excerpt(value['xpath'])} is no XPath: {error}", "try /info/@name")
            )


def devices(
    document: Document, existing: Collection[str] | None, phases: Collection[str] | None, problems: list[Problem]
) -> dict[str, KnownDevice]:
    """Return known devices by the digits of their serial numbers; *existing* are all environments, *phases* all phases.

    None stands for those that nobody can tell.
    """
    result: dict[str, KnownDevice] = {}
    for serial, body in document.get("devices", default={}).items():
        digits = parse_serial(serial).digits
        if digits in result:
            problems.append(document.problem(["devices", serial], f"device {serial} a second time", key=True))
        named = body.get("environments")
        for index, name in enumerate(named or ()):
            if existing is not None and name not in existing:
                where: list[str | int] = ["devices", serial, "environments", index]
                hint = suggestion(name, existing, told=len(problems))
                problems.append(document.problem(where, f"unknown environment {name!r}", hint))
        phase = body.get("phase")
        if phase is not None and phases is not None and phase not in phases:
            hint = suggestion(phase, phases, told=len(problems))
            problems.append(document.problem(["devices", serial, "phase"], f"unknown phase {phase!r}", hint))
        result[digits] = KnownDevice(
            *(body.get("name"), None if named is None else tuple(named), body.get("variables", {})),
            notes=body.get("notes", ""),
            model=body.get("type"),
            phase=phase,
            hardware_id=body.get("hardware_id"),
        )
    return result
