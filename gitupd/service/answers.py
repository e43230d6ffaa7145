"""Answers of devices to queries: read safely when they come in, looked at by XPath when they are shown.

Whatever a device, or somebody who says to be one, uploads must neither harm the server nor what is stored; so nothing
but plain elements, attributes and text is let in, and not too much of them.
"""

from __future__ import annotations

import math
import re
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from gitupd.config.xml_tree import xml_tree
from gitupd.core.answers import AnsweredQuery, QueryAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.core.policy import Query
    from gitupd.service.site import Site

NAMING_QUERY = "admin"
"""The built-in query whose answer tells the device's own name."""

_AROUND = "answer"
_DEEPEST = 100
_MOST_TAGS = 50_000
_LONGEST_VALUE = 1_000
_LONGEST_NAME = 200
_LONGEST_FAULT = 150

_DECLARATION = re.compile(r"""<\?xml\s+version\s*=\s*["']1\.\d["'](?P<rest>[^?<>]{0,100})\?>""")
_ENCODING = re.compile(r"""encoding\s*=\s*["']([^"']*)["']""")
_WHOLE_STATE = re.compile(r"(?<![\w\]).*/])/state/queries/")
_TEXT = etree.XPath("string()", regexp=False, smart_strings=False)


class UnusableAnswer(Exception):
    """What was uploaded is no answer that can be kept, or looked at; the text says why."""


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What pages show of the answer to a query.

    ``received`` is None if there is no answer yet. ``values`` are titles and plain texts; ``error`` says what could not
    be looked up, and why.
    """

    query: str
    title: str
    received: datetime | None
    values: tuple[tuple[str, str], ...] = ()
    error: str | None = None


class Fragment:
    """An answer to a query, parsed once: elements, text, or both."""

    def __init__(self, text: str) -> None:
        """Parse *text*, as it was kept; raises UnusableAnswer."""
        self.text = text
        self._around = wrapped(text)

    @property
    def own_name(self) -> str | None:
        """The device's own name in its answer to the query ``admin``.

        Empty if it has none, None if the answer is about something else.
        """
        for element in self._around:
            if element.tag == "info":
                return plain(element.get("name", ""))[:_LONGEST_NAME].strip()
        return None

    @cached_property
    def documents(self) -> tuple[etree._Element, ...]:
        """The elements at the top, each the root of a document of its own; of text alone, that of an ``answer``."""
        if not len(self._around):
            return (self._around,)
        roots = tuple(deepcopy(element) for element in self._around)
        for root in roots:
            root.tail = None
        return roots

    def within(self, name: str) -> etree._Element:
        """Return a copy of all of it within an element called *name*."""
        element = deepcopy(self._around)
        element.tag = name
        return element


def read_answer(body: bytes) -> Fragment:
    """Return the XML fragment in *body*, without what may stand around it; raises UnusableAnswer.

    It is well-formed, has no document type and no entities but those of XML itself, and is neither deep nor made of
    very many elements.
    """
    try:
        text = body.decode().removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").rstrip("\0 \t\r\n").lstrip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise UnusableAnswer("it is not UTF-8") from error
    text = _without_declaration(text)
    if not text:
        raise UnusableAnswer("it is empty")
    return Fragment(text)


def _without_declaration(text: str) -> str:
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return text
    encoding = _ENCODING.search(declaration["rest"])
    if encoding and encoding[1].lower() not in ("utf-8", "us-ascii"):
        raise UnusableAnswer(f"it says that it is {plain(encoding[1])}, not UTF-8")
    return text[declaration.end() :].lstrip()


def wrapped(fragment: str, name: str = _AROUND) -> etree._Element:
    """Return *fragment* within an element called *name*, comments and the like left out; raises UnusableAnswer.

    Within an element there can't be a document type, and without one no entities; so none of their tricks work.
    """
    if fragment.count("<") > _MOST_TAGS:
        raise UnusableAnswer(f"it has more than {_MOST_TAGS} tags")
    if "\0" in fragment:
        raise UnusableAnswer("it holds NUL characters")
    try:
        around = xml_tree(f"<{name}>{fragment}</{name}>".encode())
    except etree.XMLSyntaxError as error:
        fault = (error.msg or "no reason given").partition(", line ")[0]
        raise UnusableAnswer(f"it is not well-formed XML: {plain(fault)[:_LONGEST_FAULT]}") from error
    if _is_deep(around):
        raise UnusableAnswer(f"its elements are nested more than {_DEEPEST} deep")
    return around


def _is_deep(element: etree._Element) -> bool:
    depth = 0
    for event, _ in etree.iterwalk(element, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > _DEEPEST + 1:
            return True
    return False


def plain(text: str) -> str:
    """Return *text* trimmed, on one line, and made of characters that can be seen."""
    return "".join(map(_visible, text.strip()))


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"


def shown_answers(queries: Iterable[Query], answers: Iterable[QueryAnswer]) -> tuple[ShownAnswer, ...]:
    """Return what is shown of *answers*, in the order of *queries*, those without an answer included."""
    fragments = _Fragments(answers)
    return tuple(_shown_answer(query, fragments) for query in queries)


def shown_of_each(site: Site, query: Query, devices: Sequence[Device]) -> Iterator[tuple[Device, ShownAnswer]]:
    """Yield each of *devices* with what is shown of its answer to *query*, whether there is one or not."""
    answers = site.answers.of_many(device.serial for device in devices)
    for device in devices:
        yield device, _shown_answer(query, _Fragments(answers.get(device.serial, ())))


def columns_of(query: Query, answer: ShownAnswer) -> tuple[str | None, ...]:
    """Return the values of an *answer* to *query* in the order in which it shows them; None for what is not there."""
    values = dict(answer.values)
    return tuple(values.get(show.title) for show in query.show)


def _shown_answer(query: Query, fragments: _Fragments) -> ShownAnswer:
    answer = fragments.answers.get(query.id)
    if answer is None:
        return ShownAnswer(query.id, query.title, None)
    values: list[tuple[str, str]] = []
    errors: list[str] = []
    for show in query.show:
        try:
            whole = _WHOLE_STATE.search(show.xpath)
            documents = (fragments.state,) if whole else fragments.of(query.id).documents
            values.append((show.title, value(show.xpath, documents)))
        except UnusableAnswer as error:
            errors.append(f"{show.title}: {error}")
    return ShownAnswer(query.id, query.title, answer.received, tuple(values), "; ".join(errors) or None)


class _Fragments:
    """The answers of a device by their queries, each parsed when it is first looked at."""

    def __init__(self, answers: Iterable[QueryAnswer]) -> None:
        self.answers = {answer.query: answer for answer in answers}
        self._parsed: dict[str, Fragment] = {}

    def of(self, query: str) -> Fragment:
        """Return the answer to *query*; raises UnusableAnswer."""
        if query not in self._parsed:
            self._parsed[query] = Fragment(self.answers[query].xml)
        return self._parsed[query]

    @cached_property
    def state(self) -> etree._Element:
        """All of them in one document, the way that the PHP server looked at them.

        It is ``/state/queries``, with an element for each answer that is called as its query. Raises UnusableAnswer.
        """
        root = etree.Element("state")
        etree.SubElement(root, "queries").extend(self.of(query).within(query) for query in self.answers)
        return root


def value(xpath: str, documents: Iterable[etree._Element]) -> str:
    """Return what an XPath 1.0 expression finds in *documents*, as text; raises UnusableAnswer if that is an error.

    Several values are joined by a comma and a blank. A long result is cut.
    """
    parts: list[str] = []
    try:
        for root in documents:
            for text in _texts(_compiled(xpath)(root)):
                parts.append(text)
                if sum(map(len, parts)) > _LONGEST_VALUE:
                    return f"{', '.join(parts)[:_LONGEST_VALUE]}…"
    except (etree.LxmlError, RecursionError, ValueError) as error:
        raise UnusableAnswer(f"{xpath[:_LONGEST_FAULT]} can't be evaluated: {str(error)[:_LONGEST_FAULT]}") from error
    return ", ".join(parts)


@lru_cache(maxsize=256)
def _compiled(xpath: str) -> etree.XPath:
    """Return *xpath* ready for use, without the extensions that lxml would add."""
    return etree.XPath(xpath, regexp=False, smart_strings=False)


def _texts(result: Any) -> Iterator[str]:
    """Yield the texts of what XPath found; those that are empty say nothing."""
    for item in result if isinstance(result, list) else [result]:
        text = _text(item).strip()
        if text:
            yield text


def _text(result: Any) -> str:
    if isinstance(result, bool):
        return "true" if result else "false"
    if isinstance(result, float):
        return _number(result)
    if isinstance(result, tuple):  # a namespace: its prefix, and what it stands for
        return str(result[1])
    return result if isinstance(result, str) else str(_TEXT(result))


def _number(number: float) -> str:
    """Return a number as XPath writes it: whole ones without a point."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return str(int(number)) if number.is_integer() else str(number)


def answered(serial: Serial, query: str, body: bytes, now: datetime) -> AnsweredQuery:
    """Return what a device that uploads *body* says to *query*; raises UnusableAnswer."""
    fragment = read_answer(body)
    name = fragment.own_name if query == NAMING_QUERY else None
    return AnsweredQuery(serial, QueryAnswer(query, now, fragment.text), name)
