"""A strict reader of YAML that knows where everything stands.

Strict means: no aliases, no tags, no duplicate keys, one document, bounded depth. Scalars are kept as they were
written, because what ``22:00``, ``no`` or ``010`` mean is for the schema to say, not for YAML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from gitupd.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_DEPTH = 32
MOST_NODES = 200_000
"""Keys and values of a document."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
"""What can be written as an escape only, is never meant, and may not get into a command; line feeds and tabs are for
the schemas to allow."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column of a document, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it was written; ``plain`` if without quotes."""

    text: str
    plain: bool
    place: Place

    @property
    def value(self) -> str | int | bool | None:
        """The value that a reader of YAML 1.2 would expect, when a schema allows more than text."""
        if not self.plain:
            return self.text
        if self.text in ("", "~", "null"):
            return None
        if self.text in ("true", "false"):
            return self.text == "true"
        return int(self.text) if _INTEGER.fullmatch(self.text) and len(self.text) < 20 else self.text  # noqa: PLR2004 - beyond any number that a policy can mean


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in their order; ``key_places`` says where each key stands."""

    entries: dict[str, Node]
    key_places: dict[str, Place]
    place: Place


Node: TypeAlias = Scalar | Sequence | Mapping


class _Fault(Exception):
    """The document can't be read any further; for use within this module."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place, self.message, self.hint = place, message, hint


def read(path: str, content: bytes, most: int = MOST_NODES) -> tuple[Node | None, list[Problem]]:
    """Return the root of the document *content* and its problems; the root is None if it is empty or unreadable.

    More than so many keys and values are a problem.
    """
    problems: list[Problem] = []
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [Problem(path, line, 0, "not UTF-8", "save the file as UTF-8")]
    try:
        return _Reader(path, text, problems, most).document(), problems
    except _Fault as fault:
        problems.append(Problem(path, fault.place.line, fault.place.column, fault.message, fault.hint))
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        message, hint = " ".join(filter(None, (error.context, error.problem))), ""
        if mark and text[mark.index : mark.index + 1] == "\t":
            message, hint = "a tab", "indent by blanks"
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problems.append(Problem(path, line, column, f"not YAML: {message}", hint))
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())  # it comes in two lines
        problems.append(Problem(path, 0, 0, f"not YAML: {reason}", "remove control characters"))
    return None, problems


class _Reader:
    """Builds nodes from the events of one document."""

    def __init__(self, path: str, text: str, problems: list[Problem], most: int) -> None:
        self._path, self._problems, self._most = path, problems, most
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._nodes = 0

    def document(self) -> Node | None:
        """Return the root of the only document, None if there is none."""
        root = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _Fault(_place(event), "a second document", "remove the line with ---")
                root = self._node(next(self._events), 0)
        return None if isinstance(root, Scalar) and root.plain and not root.text else root

    def _node(self, event: Any, depth: int) -> Node:
        place = _place(event)
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent):
            raise _Fault(place, f"alias *{event.anchor}", "aliases are not allowed; write the value out")
        if depth > _MOST_DEPTH or self._nodes > self._most:
            raise _Fault(place, "too deeply nested or too long to be meant")
        if getattr(event, "anchor", None):
            raise _Fault(place, f"anchor &{event.anchor}", "anchors are not allowed; remove it")
        if getattr(event, "tag", None) not in (None, "!"):
            raise _Fault(place, f"tag {event.tag}", "tags are not allowed; remove it")
        if isinstance(event, yaml.ScalarEvent):
            if _CONTROL.search(event.value):
                raise _Fault(place, "a control character", "remove it")
            return Scalar(event.value, event.implicit[0], place)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(tuple(self._items(depth)), place)
        return self._mapping(place, depth)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        places: dict[str, Place] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise _Fault(key.place, "a key that is no text")
            value = self._node(next(self._events), depth + 1)
            if key.text in entries:
                before = places[key.text].line
                self._problems.append(
                    Problem(
                        self._path,
                        key.place.line,
                        key.place.column,
                        f"key {key.text!r} a second time",
                        f"it stands in line {before} already; keep one of the two",
                    )
                )
                continue
            entries[key.text], places[key.text] = value, key.place
        return Mapping(entries, places, place)


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)
