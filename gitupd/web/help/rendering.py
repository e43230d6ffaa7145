"""Markdown of the documentation as HTML, in which nothing is taken over as it is: what looks like HTML is text."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it.token import Token

    from gitupd.web.help.dividing import HelpSection

PREFIX = "s-"
"""What stands before anchors of headings, so that they never meet an id of the page around them."""

_ELSEWHERE = ("https://", "http://", "mailto:")

Placed = str | None
"""The address of a page of help, None if there is none."""


def rendered(pieces: Sequence[HelpSection], document: str, place: Callable[[str, str], Placed]) -> Markup:
    """Return *pieces* of the *document* of that name as HTML, but for its title.

    *place* returns the address of what a link leads to, by its path below ``docs/`` and its anchor; a link that leads
    to nothing that is served is but its text.
    """
    parser = MarkdownIt("commonmark").enable("table").disable(["html_block", "html_inline"])
    tokens = parser.parse("".join(piece.text for piece in pieces))
    anchors = iter(piece.anchor for piece in pieces)
    kept: list[Token] = []
    hidden = 0
    for token in tokens:
        if token.type == "heading_open":
            hidden = 3 if token.tag == "h1" else 0
            token.attrSet("id", f"{PREFIX}{next(anchors)}")
        for child in token.children or ():
            _lead(child, document, place)
        if hidden:
            hidden -= 1
        else:
            kept.append(token)
    _raise_first(kept)
    options: Any = parser.options
    return Markup(parser.renderer.render(kept, options, {}))  # noqa: S704 - the renderer escapes, and takes no HTML


def _raise_first(tokens: Sequence[Token]) -> None:
    """Have the headings that come before any of the second level begin there: they follow the title of the page."""
    deeper = 0
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            level = int(token.tag[1:])
            if not deeper:
                deeper = max(level - 2, 0)
            if level == 2 or not deeper:  # noqa: PLR2004 - as HTML numbers them
                return
            token.tag = f"h{level - deeper}"


def listing(text: str) -> Markup:
    """Return a file that is no document, as a block of code."""
    return Markup("<pre>{}</pre>").format(escape(text))


def target(document: str, link: str) -> tuple[str, str] | None:
    """Return path and anchor of what a *link* of a *document* leads to, None if it leads away from ``docs/``."""
    path, _, anchor = link.partition("#")
    folder = posixpath.dirname(document)
    joined = posixpath.normpath(posixpath.join(folder, path)) if path else f"{document}.md"
    return None if joined.startswith("..") else (joined, anchor)


def _lead(token: Token, document: str, place: Callable[[str, str], Placed]) -> None:
    """Have a link lead to a page of help; one that can't leads nowhere."""
    if token.type != "link_open":
        return
    link = str(token.attrGet("href") or "")
    if link.startswith(_ELSEWHERE):
        token.attrSet("rel", "noreferrer")
        return
    found = target(document, link)
    address = place(*found) if found else None
    if address is None:
        del token.attrs["href"]
    else:
        token.attrSet("href", address)
