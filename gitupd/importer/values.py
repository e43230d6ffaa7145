"""Values of attributes: parsed once, with an error that names attribute and value, or a note on what they come to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitupd.importer.report import shown

if TYPE_CHECKING:
    from gitupd.importer.elements import Element
    from gitupd.importer.report import Report

_NUMBER = re.compile(r"[0-9]{1,10}")
_MODEL = re.compile(r"""[^\s/\\<>"'&\x00-\x1f\x7f]{1,64}""")
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def number(element: Element, attribute: str, report: Report, least: int = 0, most: int = 2**31) -> int | None:
    """Return the whole number in *attribute*; None if it is absent, empty, or (with an error) anything else."""
    text = element.get(attribute)
    if not text:
        return None
    if _NUMBER.fullmatch(text) and least <= int(text) <= most:
        if text != str(int(text)):
            report.note(element.place_of(attribute), f"{attribute}={shown(text)} of {element} becomes {int(text)}")
        return int(text)
    report.error(
        element.place_of(attribute),
        f"{attribute}={shown(text)} of {element} is no whole number from {least} to {most}",
        "correct it, or remove the attribute",
    )
    return None


def is_on(element: Element, attribute: str, report: Report) -> bool:
    """Whether *attribute* says true: only this word in this spelling counts, anything else is off."""
    text = element.get(attribute)
    if text not in ("", "true", "false"):
        message = f"{attribute}={shown(text)} of {element} means false"
        report.note(element.place_of(attribute), message, "only the word true, in small letters, switches it on")
    return text == "true"


def model(element: Element, report: Report) -> str | None:
    """Return the model in the text of *element*; None (and a note) if no device can be called so."""
    if _MODEL.fullmatch(element.text):
        return element.text
    message = f"{element} {shown(element.text)} never fits a device, and is left out"
    blanks = element.text != element.text.strip()
    report.note(element.place, message, "remove the blanks around it" if blanks else "write a model such as ip222")
    return None


def is_model(text: str) -> bool:
    """Whether a device could be called so."""
    return _MODEL.fullmatch(text) is not None


def duration(seconds: int) -> str:
    """Return *seconds* as policies write them: ``90s``, ``7d``."""
    for length, unit in _UNITS:
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
