"""The two files that configure the PHP server: the defaults that come with it, and what its user writes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.importer.defaults import NO_EQUAL, TEXTS, default_configuration
from gitupd.importer.elements import Attribute, Element
from gitupd.importer.folders import Unusable
from gitupd.importer.reading import comment_lines, only_known, read_configuration
from gitupd.importer.report import NOWHERE, Passage, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.importer.folders import Installation
    from gitupd.importer.report import Report

DEFAULTS = "config.xml"
USER = "config/user-config.xml"
_FLAT_USER = "user-config.xml"
_PREFERRED = {USER: "config/user-config-dvl.xml", _FLAT_USER: "user-config-dvl.xml"}
"""What the PHP server reads instead where it exists; releases before build 2007 had all in the root."""

_PROGRAM = "update.php"
_CLASS = "classes/updateserverV2.class.php"
_BUILD = re.compile(rb"\s*([0-9]{4})\b")
_FIRST_OF_V2 = 2000


def user_path(installation: Installation) -> str:
    """Return the path of the user's configuration that the PHP server reads."""
    flat = _exists(installation, *(_FLAT_USER, _PREFERRED[_FLAT_USER]))
    path = _FLAT_USER if flat and not _exists(installation, USER, _PREFERRED[USER]) else USER
    return _PREFERRED[path] if _exists(installation, _PREFERRED[path]) else path


def _exists(installation: Installation, *paths: str) -> bool:
    return any((installation.root / path).exists() for path in paths)


def read_user_configuration(installation: Installation, path: str, report: Report) -> Element:
    """Return what the user wrote at *path*; raises InvalidConfiguration if there is no such file, or it is broken."""
    _refuse_first_version(installation, report)
    content = installation.content(installation.root / path)
    if isinstance(content, Unusable):
        missing = not (installation.root / path).exists()
        reason = "there is no such file" if missing else f"it can't be imported: {content.reason}"
        report.error(NOWHERE, reason, "name the folder in which the PHP server is installed")
    else:
        user = read_configuration(content, path, report)
        report.raise_errors()
        if user is not None:
            _note_comments(content, report)
            _note_passed_over(installation, path, report)
            return only_known(user)
    report.raise_errors()
    raise AssertionError("an unreadable configuration is an error")


def _refuse_first_version(installation: Installation, report: Report) -> None:
    """Refuse build 1011 and older: its configuration has another form, and other scripts are sent by it."""
    build = installation.content(installation.root / "build.txt")
    number = _BUILD.match(build) if isinstance(build, bytes) else None
    program = installation.content(installation.root / _PROGRAM)
    old_program = isinstance(program, bytes) and b"updateserverV2" not in program
    old_layout = old_program and not _exists(installation, _CLASS, USER)
    if old_layout or (number and int(number[1]) < _FIRST_OF_V2):
        message = (
            "this is the first version of the PHP based Update Server, build 1011 or older, which can't be imported"
        )
        hint = (
            "on a copy of it, install build 2033 of the PHP based Update Server V2, carry your settings over into "
            f"{USER}, see that devices get what they got before, and import that"
        )
        report.error(Passage(_PROGRAM if old_layout else "build.txt"), message, hint)
    report.raise_errors()


def _note_comments(content: bytes, report: Report) -> None:
    lines = comment_lines(content)
    if lines:
        where = f"lines {', '.join(map(str, lines))}" if len(lines) > 1 else f"line {lines[0]}"
        hint = "copy what is worth keeping into the new documents"
        report.note(Passage("", lines[0]), f"comments are not taken over ({where})", hint)


def _note_passed_over(installation: Installation, path: str, report: Report) -> None:
    for other in (USER, *_PREFERRED.values(), _FLAT_USER):
        if other != path and _exists(installation, other):
            report.note_file(other, f"left out: the PHP server reads {path} instead", "remove the one that is wrong")


def read_defaults(installation: Installation, report: Report) -> Element:
    """Return what the user's configuration is laid over: the installation's own defaults.

    Older releases have other ones, and people edit them in spite of what stands at their top, so what differs from
    those of the last release is noted. What is as it is there stands nowhere.
    """
    today = default_configuration()
    content = installation.content(installation.root / DEFAULTS)
    if isinstance(content, Unusable):
        if _exists(installation, DEFAULTS):
            report.error(Passage(DEFAULTS), f"it can't be imported: {content.reason}", "make it a plain file")
        else:
            message = "there is no such file; the defaults of build 2033 are taken"
            report.note_file(DEFAULTS, message, "older builds have others: copy it out of the installation")
        return today
    own = read_configuration(content, DEFAULTS, report)
    return today if own is None else _compared(only_known(own), today, "", report)


def _compared(own: Element, today: Element, path: str, report: Report) -> Element:
    """Return *own*, with all that is as in *today* standing nowhere; note the rest."""
    attributes = {}
    for name, attribute in own.attributes.items():
        same = name in today and today.get(name) == attribute.value
        attributes[name] = Attribute(attribute.value) if same else attribute
        if not same and (path, name) not in NO_EQUAL:
            usual = f"where {shown(today.get(name))} is usual" if name in today else "which has no default"
            report.note(attribute.place, f"{name}={shown(attribute.value)} of {own}, {usual}, counts")
    for name in today.attributes:
        if name not in own and (path, name) not in NO_EQUAL:
            report.note(own.place, f"{own} has no {name}, where {shown(today.get(name))} is usual; that counts")
    if path in TEXTS and own.trimmed != today.trimmed:
        report.note(own.place, f"the text {shown(own.trimmed)} of {own}, where {shown(today.trimmed)} is usual, counts")
    children = tuple(_compared_children(own, today, path, report))
    return replace(own, attributes=attributes, children=children, place=NOWHERE)


def _compared_children(own: Element, today: Element, path: str, report: Report) -> Iterator[Element]:
    usual: Mapping[tuple[str, str], Element] = {_key(child, path): child for child in today.children}
    missing, added = dict.fromkeys(usual), []
    for child in own.children:
        inner = f"{path}/{child.tag}".removeprefix("/")
        missing.pop(_key(child, path), None)
        same = usual.get(_key(child, path))
        if same is None:
            added.append(_name(_key(child, path)))
        yield child if same is None else _compared(child, same, inner, report)
    if missing:
        report.note(own.place, f"{own} has no {listed(map(_name, missing))}, where these are usual; that counts")
    if added:
        report.note(own.place, f"{own} has {listed(added)}, which are not usual; they count")


def _key(element: Element, path: str) -> tuple[str, str]:
    """Return what tells *element* from its brothers: its id, its key, or the text of one of many."""
    for name in ("id", "key"):
        if name in element:
            return element.tag, element.get(name)
    return element.tag, element.text if f"{path}/{element.tag}" in TEXTS and element.tag == "model" else ""


def _name(key: tuple[str, str]) -> str:
    tag, told_by = key
    return told_by or f"<{tag}>"
