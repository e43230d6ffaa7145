"""``<queries>``: what devices are asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from gitupd.config.builtin import BUILTIN
from gitupd.importer.defaults import DEFAULT_QUERY_URL
from gitupd.importer.firmware import EVERYONE, written
from gitupd.importer.report import listed, shown

if TYPE_CHECKING:
    from gitupd.importer.elements import Element
    from gitupd.importer.fleet import Fleet
    from gitupd.importer.report import Report

_ID = re.compile(
    r"[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff]"
    r"[A-Za-z0-9_.\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u037d\u037f-\u1fff-]{0,63}"
)
"""Names of elements in XML, colons left out: the PHP server stored the answer to no other query."""
_BESIDES = re.compile(r"/state/(?!queries/)")
_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,1000}")


def queries(tree: Element, fleet: Fleet, report: Report) -> dict[str, object]:
    """Return what the document on queries is to say."""
    section = tree.first("queries")
    asked = {}
    for query in section.all("query"):
        body = _query(query, fleet, report)
        if body:
            asked[query.get("id")] = body
    in_order = [
        *(name for name in BUILTIN.queries if name in asked),
        *(name for name in asked if name not in BUILTIN.queries),
    ]
    if in_order != list(asked):
        message = f"queries are asked in another order: {listed(in_order)}, instead of {listed(asked)}"
        report.note(section.place, message)
    document: dict[str, object] = {"queries": asked} if asked else {}
    if section.get("scfg") != DEFAULT_QUERY_URL:
        document["upload_url"] = upload_url(section, report)
    return document


def upload_url(section: Element, report: Report) -> str:
    """Return where devices upload to."""
    url = section.get("scfg")
    if not url or not _LINE.fullmatch(url):
        message = f"scfg={shown(url)} of {section} is no address"
        report.error(section.place_of("scfg"), message, "correct it, or remove the attribute")
    return url


def _query(query: Element, fleet: Fleet, report: Report) -> dict[str, object]:
    """Return what to write of *query*, nothing if it is never asked."""
    name = query.get("id")
    if not _ID.fullmatch(name):
        report.error(query.place, f"{query} can't be called so", "use letters, digits, dashes, underscores and dots")
    if not query.all("applies"):
        if name not in BUILTIN.queries:
            report.note(query.place, f"{query} applies to nobody, and is left out", "add <applies>*</applies>")
        return {}
    command = query.first("cmd").trimmed
    if not command or not _LINE.fullmatch(command):
        problem = "has a cmd that is no single line" if command else "has no cmd"
        report.error(query.place, f"{query} {problem}", "write <cmd> with the command in one line")
    applies = _applies(query, fleet, report)
    if not applies:
        report.note(query.place, f"{query} never applies to anybody, and is left out")
        return {}
    built_in = BUILTIN.queries.get(name, {})
    title = query.get("title")
    show = _shown_values(query, report)
    return {
        **({"title": title} if title and title != built_in.get("title") else {}),
        **({"command": command} if command != built_in.get("command") else {}),
        "applies": applies,
        **({"show": show} if show else {}),
    }


def _applies(query: Element, fleet: Fleet, report: Report) -> list[object]:
    conditions: list[object] = []
    for element in query.all("applies"):
        if element.trimmed == EVERYONE:
            conditions.append("all")
            continue
        condition = fleet.condition(element)
        if condition is None:
            what = "environment" if "env" in element else "class or model"
            message = f"the {what} {shown(element.trimmed)} of {query} never fits, and is left out"
            report.note(element.place, message, "correct the name, letter case included, or remove it")
        else:
            conditions.append(written(condition))
    return [each for at, each in enumerate(conditions) if each not in conditions[:at]]


def _shown_values(query: Element, report: Report) -> list[dict[str, str]]:
    found = []
    for element in query.all("show"):
        if _is_xpath(element.trimmed):
            found.append({"title": element.get("title"), "xpath": element.trimmed})
            _note_elsewhere(element, query, report)
        else:
            message = f"{shown(element.trimmed)} of {element} in {query} is no XPath, and is left out"
            report.note(element.place, message, "write one such as /info/@name")
    return found


def _note_elsewhere(show: Element, query: Element, report: Report) -> None:
    """Note that *show* looks at something else than it did: here, only answers to queries can be looked at."""
    named = f"{shown(show.trimmed)} of {show} in {query}"
    if "php:" in show.trimmed:
        report.note(show.place, f"{named} calls functions of PHP, which are not there", "write it without them")
    elif "/state/queries/" not in show.trimmed:
        message = f"{named} does not begin with /state/queries/, and looks at the answer to this query only"
        report.note(show.place, message, "what else is known of a device is on its page")
    elif _BESIDES.search(show.trimmed):
        message = f"{named} looks outside of /state/queries/, and finds nothing there"
        report.note(show.place, message, "what else is known of a device is on its page")


def _is_xpath(text: str) -> bool:
    try:
        etree.XPath(text)
    except etree.XPathError:
        return False
    return True
