"""Finds the sentences that a module may say, whatever it does with them, as they stand in the source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gitupd

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(gitupd.__file__).parent
_REPR = ord("r")


@dataclass(frozen=True)
class SaidText:
    """A text with a blank in it: pieces of text, and expressions whose values are filled in, some of them by repr."""

    module: str
    line: int
    parts: tuple[tuple[str, str], ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The expressions whose values are filled in as they are."""
        return tuple(part for kind, part in self.parts if kind == "value")

    def filled(self, values: dict[str, str]) -> str:
        """Return it with *values* by expression, and a text in quotes for what is filled in by repr."""
        return "".join(
            {"text": part, "value": values.get(part, ""), "quoted": "'x q'"}[kind] for kind, part in self.parts
        )

    def __str__(self) -> str:
        shown = {"text": "{}", "value": "{{{}}}", "quoted": "{{{}!r}}"}
        return "".join(shown[kind].format(part) for kind, part in self.parts)


def said_texts(module: str) -> Iterator[SaidText]:
    """Yield each text with a blank in *module*, such as ``config/loader.py``; docstrings and patterns are none."""
    yield from _texts(ast.parse((ROOT / module).read_text("utf-8")), module)


def _texts(node: ast.AST, module: str) -> Iterator[SaidText]:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Call(func=ast.Attribute(value=ast.Name("re" | "re2"))):
            return
        case ast.Constant(str(said)) if " " in said.strip():
            yield SaidText(module, node.lineno, (("text", said),))
        case ast.JoinedStr():
            parts = tuple(map(_part, node.values))
            if any(kind == "text" and " " in part for kind, part in parts):
                yield SaidText(module, node.lineno, parts)
        case _:
            for each in ast.iter_child_nodes(node):
                yield from _texts(each, module)


def _part(node: ast.expr) -> tuple[str, str]:
    match node:
        case ast.Constant(str(said)):
            return "text", said
        case ast.FormattedValue(value=value, conversion=conversion):
            return ("quoted" if conversion == _REPR else "value"), ast.unparse(value)
    raise AssertionError(ast.dump(node))
