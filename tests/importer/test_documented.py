"""What stops an import is listed in the documentation, all of it and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import gitupd.importer

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "php-differences.md"


def test_the_list_of_what_stops_an_import_is_complete() -> None:
    section = _PAGE.read_text("utf-8").partition("## What stops an import")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `` ?(.*?) ?`` \|", section, re.MULTILINE)
    assert sorted(documented) == sorted(set(_messages()))


def _messages() -> Iterator[str]:
    """Yield what all errors of the importer say, with … for what varies."""
    for path in Path(gitupd.importer.__file__).parent.glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                yield from _errors(function)


def _errors(function: ast.FunctionDef) -> Iterator[str]:
    assignments = sorted(
        (node for node in ast.walk(function) if isinstance(node, ast.Assign)), key=lambda assignment: assignment.lineno
    )
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "report.error":
            assigned = {
                ast.unparse(target): assignment.value
                for assignment in assignments
                for target in assignment.targets
                if assignment.lineno < node.lineno
            }
            yield from (re.sub("…[…: ]*…", "…", text) for text in _texts(node.args[1], assigned))


def _texts(node: ast.expr, assigned: dict[str, ast.expr]) -> list[str]:
    match node:
        case ast.Constant(str(text)):
            return [text]
        case ast.IfExp():
            return [*_texts(node.body, assigned), *_texts(node.orelse, assigned)]
        case ast.Name(name) if name in assigned:
            return _texts(assigned[name], assigned)
        case ast.JoinedStr():
            texts = [""]
            for value in node.values:
                texts = [before + after for before in texts for after in _texts(value, assigned)]
            return texts
        case ast.FormattedValue(ast.Name(name)) if name in assigned and not isinstance(assigned[name], ast.Call):
            return _texts(assigned[name], assigned)
        case _:
            return ["…"]
