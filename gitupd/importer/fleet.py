"""Phases, environments and classes of the PHP server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.config.builtin import BUILTIN
from gitupd.core.names import ALL, fold
from gitupd.core.policy import InClass, InEnvironment
from gitupd.importer import values
from gitupd.importer.report import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitupd.core.policy import Condition
    from gitupd.importer.elements import Element
    from gitupd.importer.report import Report

_FORBIDDEN = re.compile(r"[/\\,\x00-\x1f\x7f]")
_LONGEST_NAME = 64
_SEQUENCE = re.compile(r"[+-]?[0-9]{1,7}")
_LARGEST_SEQUENCE = 1_000_000


@dataclass(frozen=True, slots=True)
class OldClass:
    """A class: ``name`` as the user calls it, ``written`` as the repository does.

    ``snippets`` is the class whose snippets it uses if not its own, ``models`` are as the configuration writes them.
    """

    name: str
    written: str
    snippets: str | None
    models: tuple[str, ...]

    @property
    def folded(self) -> frozenset[str]:
        """The models as they are compared."""
        return frozenset(map(fold, self.models))

    @property
    def added(self) -> tuple[str, ...]:
        """The models that are not built in."""
        built_in = set(map(fold, BUILTIN.classes.get(self.name, ())))
        return tuple(model for model in self.models if fold(model) not in built_in)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Phases and environments in their order, classes in order of delivery."""

    phases: Mapping[str, int]
    environments: Mapping[str, tuple[str, ...]]
    classes: tuple[OldClass, ...]

    def condition(self, applies: Element) -> Condition | None:
        """Return the condition in *applies*, None if it can never hold.

        Names are compared letter for letter, and a model is compared in lower case.
        """
        name = applies.trimmed
        if "env" in applies:
            return InEnvironment(name) if name in self.environments else None
        for each in self.classes:
            if each.name == name:
                return InClass(each.written)
        return InClass(name) if values.is_model(name) and fold(name) == name else None

    def models_named(self, snippets: Iterable[str], conditions: Iterable[str]) -> frozenset[str]:
        """Return the models among the folded class parts of *snippets* and the names in *conditions*."""
        written = {each.written for each in self.classes}
        return frozenset(snippets).difference(map(fold, written), [ALL]) | frozenset(conditions).difference(written)

    @property
    def models(self) -> frozenset[str]:
        """All models that classes name, folded."""
        built_in = map(fold, (*BUILTIN.no_bootcode, *BUILTIN.no_firmware))
        return frozenset(built_in).union(*(each.folded for each in self.classes))

    @property
    def extends_builtin(self) -> bool:
        """Whether the built-in classes, and all their models, come first: older releases have fewer of both."""
        first = self.classes[: len(BUILTIN.classes)]
        return [each.name for each in first] == list(BUILTIN.classes) and all(
            each.folded.issuperset(map(fold, BUILTIN.classes[each.name])) for each in first
        )

    def documents(self, more_models: Iterable[str]) -> dict[str, dict[str, object]]:
        """Return the documents by the names of their schemas; *more_models* exist, whether in a class or not."""
        environments: dict[str, object] = {
            name: {"implies": list(implies)} if implies else {} for name, implies in self.environments.items()
        }
        unclassed = sorted(set(more_models) - self.models)
        classes = self._classes_document() | ({"models": unclassed} if unclassed else {})
        return {
            "phases": {"phases": {name: {"order": order} for name, order in self.phases.items()}},
            "environments": {"environments": environments, "expansion": "first-only"},
            **({"classes": classes} if classes else {}),
        }

    def _classes_document(self) -> dict[str, object]:
        if not self.extends_builtin:
            return {
                "extends": "none",
                "classes": {each.written: _class_body(each, each.models) for each in self.classes},
            }
        own = [each for each in self.classes if each.added or each.name not in BUILTIN.classes]
        return {"classes": {each.written: _class_body(each, each.added) for each in own}} if own else {}


def _class_body(each: OldClass, models: Iterable[str]) -> dict[str, object]:
    body: dict[str, object] = {"models": list(models)} if models else {}
    return body if each.snippets is None else {**body, "snippets": each.snippets}


def read_fleet(tree: Element, report: Report) -> Fleet:
    """Return what the merged configuration *tree* says of phases, environments and classes."""
    return Fleet(_phases(tree, report), _environments(tree, report), _classes(tree, report))


def _check_name(element: Element, report: Report) -> None:
    fault = _fault(element.get("id"), is_phase=element.tag == "phase") if "id" in element else None
    if fault:
        report.error(element.place, f"{element} can't be called so: {fault}", "rename it, and its scripts")


def _fault(name: str, *, is_phase: bool) -> str | None:
    if not name:
        return "the name is empty"
    if name == ALL or (is_phase and name == "_"):
        return f"{shown(name)} is a wild card"
    if "-" in name:
        return "a dash separates the parts of a script's name"
    if name.startswith("_first_"):
        return "names that start with _first_ stand for the additional first run"
    if name != name.strip() or _FORBIDDEN.search(name):
        return "a name has no slash, comma, control character, or blank at its ends"
    return f"it has more than {_LONGEST_NAME} letters" if len(name) > _LONGEST_NAME else None


def _phases(tree: Element, report: Report) -> dict[str, int]:
    elements = tree.first("phases").all("phase")
    by_number: dict[int, Element] = {}
    for element in elements:
        _check_name(element, report)
        number = _sequence(element, report)
        if number in by_number:
            lost, winner = by_number[number].get("id"), element.get("id")
            message = f"the phase {shown(lost)} was lost, because {shown(winner)} has its number {number} too"
            report.note(element.place, message, "give each phase a seq of its own to bring it to life")
        by_number[number] = element
    phases = {by_number[number].get("id"): number for number in sorted(by_number)}
    _differ_only_in_case((each for each in elements if each.get("id") in phases), report)
    return phases


def _sequence(phase: Element, report: Report) -> int:
    text = phase.get("seq").strip()
    if not text:
        return 0
    if _SEQUENCE.fullmatch(text) and abs(int(text)) <= _LARGEST_SEQUENCE:
        if phase.get("seq") != str(int(text)):
            message = f"seq={shown(phase.get('seq'))} of {phase} becomes {int(text)}"
            report.note(phase.place_of("seq"), message)
        return int(text)
    report.error(phase.place_of("seq"), f"seq={shown(text)} of {phase} is no number", "write a whole number")
    return 0


def _environments(tree: Element, report: Report) -> dict[str, tuple[str, ...]]:
    elements = tree.first("environments").all("environment")
    names = {element.get("id") for element in elements}
    for element in elements:
        _check_name(element, report)
        _refuse_sequence(element, report)
        for implied in element.all("implies"):
            if implied.trimmed not in names:
                message = f"{element} implies {shown(implied.trimmed)}, which does not exist"
                report.error(implied.place, message, "define this environment, or remove the element")
    _differ_only_in_case(elements, report)
    return {each.get("id"): tuple(implied.trimmed for implied in each.all("implies")) for each in elements}


def _refuse_sequence(element: Element, report: Report) -> None:
    # A number here made the PHP server drop all elements without one, which nobody can have meant.
    if "seq" in element:
        report.error(element.place_of("seq"), f"{element} has a seq, which only phases have", "remove the attribute")


def _differ_only_in_case(elements: Iterable[Element], report: Report) -> None:
    seen: dict[str, Element] = {}
    for element in elements:
        other = seen.setdefault(fold(element.get("id")), element)
        if other is not element:
            message = f"{element} and {shown(other.get('id'))} differ only in case, so they share their scripts"
            report.error(element.place, message, "rename one of the two")


def _classes(tree: Element, report: Report) -> tuple[OldClass, ...]:
    elements = tree.first("classes").all("class")
    names = [element.get("id") for element in elements]
    written = _written_names(names)
    classes = []
    for element, name in zip(elements, names, strict=True):
        _check_name(element, report)
        _refuse_sequence(element, report)
        models = [text for child in element.all("model") if (text := values.model(child, report)) is not None]
        models = list({fold(model): model for model in reversed(models)}.values())[::-1]
        snippets = None
        if written[name] != name:
            snippets = next(other for other in names if fold(other) == fold(name) and written[other] == other)
            message = f"{element} differs from {shown(snippets)} only in case, and is now called {shown(written[name])}"
            report.note(element.place, message, f"it still uses the scripts of {shown(snippets)}")
        classes.append(OldClass(name, written[name], snippets, tuple(models)))
    return tuple(classes)


def _written_names(names: Iterable[str]) -> dict[str, str]:
    """Return a name for each class such that no two differ only in case.

    One in small letters keeps its name, because it may be that of a model; else the first one does.
    """
    ordered = sorted(dict.fromkeys(names), key=lambda name: fold(name) != name)
    taken = set(map(fold, ordered))
    result: dict[str, str] = {}
    kept: set[str] = set()
    for name in ordered:
        new, number = name, 1
        while fold(new) in kept or (number > 1 and fold(new) in taken):
            number += 1
            new = f"{name[: _LONGEST_NAME - 4]}_{number}"
        result[name] = new
        kept.add(fold(new))
    return result
