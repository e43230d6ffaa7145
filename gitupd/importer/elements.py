"""The elements of the PHP server's configuration, and how it lays the user's over its defaults."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gitupd.importer.report import NOWHERE, Passage, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.importer.report import Report

TRIMMED = " \t\n\r\0\x0b"
"""What PHP's trim removes; a no-break space, for one, stays."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value of an attribute, and where it stands."""

    value: str
    place: Passage = NOWHERE


@dataclass(frozen=True, slots=True)
class Element:
    """An element with its own text, that of children left out, and where it stands."""

    tag: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: tuple[Element, ...] = ()
    text: str = ""
    place: Passage = NOWHERE

    def __contains__(self, attribute: str) -> bool:
        """Whether the element has this attribute, be it empty."""
        return attribute in self.attributes

    def __str__(self) -> str:
        """Return the element as messages name it: ``<class id="desk">``."""
        named = "".join(f" {key}={shown(self.get(key))}" for key in ("id", "key") if key in self)
        return f"<{shown(self.tag)[1:-1]}{named}>"

    def get(self, attribute: str) -> str:
        """Return the value of an attribute, empty if it is absent."""
        found = self.attributes.get(attribute)
        return found.value if found else ""

    def place_of(self, attribute: str) -> Passage:
        """Return where an attribute stands; NOWHERE if it is a default or absent."""
        found = self.attributes.get(attribute)
        return found.place if found else NOWHERE

    @property
    def trimmed(self) -> str:
        """The text without white space around it."""
        return self.text.strip(TRIMMED)

    def all(self, tag: str) -> tuple[Element, ...]:
        """Return the children called *tag*."""
        return tuple(child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Element:
        """Return the first child called *tag*, an empty one if there is none."""
        return next(iter(self.all(tag)), Element(tag))


def merged(left: Element, right: Element, report: Report) -> Element:
    """Return *left* with *right* laid over it, the way the PHP server does it, oddities included.

    Attributes overwrite, but the text of an element that exists already stays. Children of *right* are taken one after
    the other, and each sees what those before it have added.
    """
    if right.trimmed and right.trimmed != left.trimmed:
        message = f"the text {shown(right.trimmed)} of {right} is ignored, because there is one already"
        report.note(right.place, message, f"{shown(left.trimmed)} counts; remove this one")
    children = list(left.children)
    for child in right.children:
        at = _partner(children, child, right, report)
        if at is None:
            children.append(child)
        else:
            children[at] = merged(children[at], child, report)
    return replace(
        left,
        attributes={**left.attributes, **right.attributes},
        children=tuple(children),
        place=left.place or right.place,
    )


def _partner(children: list[Element], child: Element, parent: Element, report: Report) -> int | None:
    """Return which of *children* the *child* of *parent* is laid over, None if it comes in addition."""
    same = [at for at, other in enumerate(children) if other.tag == child.tag]
    if not same:
        return None
    if "id" not in children[same[0]]:
        return None if len(same) > 1 or len(parent.all(child.tag)) > 1 else same[0]
    if "id" not in child:
        report.error(child.place, f"{child} has no id", f'write <{child.tag} id="…">')
        return None
    return next((at for at in same if children[at].get("id") == child.get("id")), None)
