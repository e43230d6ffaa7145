"""Lines of scripts as a reader may see them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.core.script import hiding
from gitupd.web.revisions import readable

if TYPE_CHECKING:
    from gitupd.core.concealing import Veil
    from gitupd.core.script import Row, ScriptLine


def readable_row(row: Row, hide: Veil) -> Row:
    """Return *row* with what *hide* hides on both sides."""
    left = row.left and readable_line(row.left, hide)
    right = row.right and readable_line(row.right, hide)
    return replace(row, left=left, right=right)


def readable_line(line: ScriptLine, hide: Veil) -> ScriptLine:
    """Return *line* with what *hide* hides."""
    return replace(line, text=readable(line.text, hiding(line, hide)))
