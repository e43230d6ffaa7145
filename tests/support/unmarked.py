"""Finds texts in templates and in code that are not marked for translation."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

from jinja2 import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SHOWN = frozenset({"title", "aria-label", "placeholder", "alt", "label", "data-label", "data-chosen"})
"""Attributes that are read."""

_MARKING = frozenset({"_", "gettext", "ngettext", "pgettext", "counted", "plural"})
_MARKING_IN_CODE = _MARKING | {"marked"}
_NOT_SHOWN = frozenset({"url_for", "here", "asset", "page_exists", "allowed", "startswith", "join", "format", "attr"})
_ALIKE = frozenset({"code", "pre"})
_OPERATORS = frozenset({"if", "else", "or", "and", "not", "in", "{{"})
_COMPARING = frozenset({"==", "!="})
_BEFORE_OUTPUT = frozenset({"{{", "else", "or", "~"})
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[^\W\d_]{2,}[,;:]? +[^\W\d_]+|^[A-Z][a-z]+")
_HOLE = "\x00"
"""Stands in the markup for whatever an expression makes."""

_ENVIRONMENT = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])

Token = tuple[str, str]


def unmarked(source: str, names: frozenset[str] = frozenset()) -> list[str]:
    """Return the texts of the template *source* that nobody can translate; *names* are the same in all languages."""
    markup, found = "", []
    for kind, tokens in _parts(source):
        if kind == "data":
            markup += tokens[0][1]
        else:
            inside_tag = markup.rfind("<") > markup.rfind(">")
            found += _in_expression(tokens, is_text=kind == "variable" and not inside_tag)
            markup += _HOLE if kind == "variable" else ""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return [text for text in (*reader.found, *found) if text not in names]


def _parts(source: str) -> Iterator[tuple[str, Sequence[Token]]]:
    """Yield data, variables and blocks of a template with their tokens, but for what is between trans and endtrans."""
    marking, inside = False, []
    for _, kind, value in _ENVIRONMENT.lex(source):
        if kind == "data":
            if not marking:
                yield "data", [(kind, value)]
        elif kind in ("variable_begin", "block_begin"):
            inside = [(kind, "{{" if kind == "variable_begin" else "{%")]
        elif kind in ("variable_end", "block_end"):
            first = inside[1][1] if len(inside) > 1 else ""
            if first in ("trans", "endtrans"):
                marking = first == "trans"
            if not marking or first == "trans":
                yield kind.removesuffix("_end"), inside
        elif kind not in ("whitespace", "comment_begin", "comment", "comment_end"):
            inside.append((kind, value))


def _in_expression(tokens: Sequence[Token], *, is_text: bool) -> Iterator[str]:
    """Yield the texts in an expression or a statement; *is_text* if what it makes is read as it is."""
    calls: list[str] = []
    for at, ((_, before), (kind, value)) in enumerate(pairwise(tokens), 2):
        if value == "(":
            calls.append(before)
        elif value == ")" and calls:
            calls.pop()
        elif kind == "string" and before not in _COMPARING and not (_MARKING | _NOT_SHOWN).intersection(calls):
            text, is_key = value[1:-1], at < len(tokens) and tokens[at][1] == ":"
            is_output = is_text and before in _BEFORE_OUTPUT and _OPERATORS.issuperset(calls)
            if (is_output and _WORD.search(text)) or (_SENTENCE.search(text) and not is_key):
                yield text


class _Reader(HTMLParser):
    """Reads markup as people do."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        for name, value in attrs:
            if name in _SHOWN:
                self._read(value or "")

    def handle_endtag(self, tag: str) -> None:
        while tag in self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not _ALIKE.intersection(self._inside):
            self._read(data)

    def _read(self, text: str) -> None:
        if _WORD.search(text):
            self.found.append(" ".join(text.replace(_HOLE, "…").split()))


def unmarked_in_code(source: str) -> list[str]:
    """Return the texts of the module *source* that read like words for people and that nobody can translate.

    Values that are filled in are ``…``. Docstrings are not for those who use the program.
    """
    finder = _Finder()
    finder.visit(ast.parse(source))
    return finder.found


class _Finder(ast.NodeVisitor):
    """Looks for texts outside of what marks them."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called not in _MARKING_IN_CODE:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._read(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._read("".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def _read(self, text: str) -> None:
        if _SENTENCE.search(text):
            self.found.append(text)
