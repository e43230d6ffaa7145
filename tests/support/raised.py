"""Finds what the errors of the program say, and other sentences that it makes, as they stand in the source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib import import_module
from inspect import isclass
from pathlib import Path
from typing import TYPE_CHECKING

import gitupd
from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(gitupd.__file__).parent


@dataclass(frozen=True)
class RaisedText:
    """What an error says: pieces of text, and expressions whose values are filled in."""

    module: str
    line: int
    error: str
    parts: tuple[tuple[bool, str], ...]

    def filled(self, value: str, by_expression: dict[str, str]) -> str:
        """Return it with *value* in each place, but where *by_expression* knows better."""
        return "".join(by_expression.get(part, value) if is_value else part for is_value, part in self.parts)

    def __str__(self) -> str:
        return "".join(f"{{{part}}}" if is_value else part for is_value, part in self.parts)


def raised_texts(module: str) -> Iterator[RaisedText]:
    """Yield what errors that are raised in *module*, such as ``service/site.py``, say to whoever can mend it."""
    loaded = _loaded(module)
    for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(name), args=[text, *_])) if _is_error(loaded, name):
                yield RaisedText(module, node.lineno, name, tuple(_parts(text, loaded)))


def given_texts(module: str, called: str, *places: int) -> Iterator[RaisedText]:
    """Yield the texts that calls of a function or a class get at these *places* in *module*, from 0."""
    loaded = _loaded(module)
    for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(name), args=given) if name == called:
                for each in (given[place] for place in places if place < len(given)):
                    yield RaisedText(module, node.lineno, called, tuple(_parts(each, loaded)))


def _loaded(module: str) -> ModuleType:
    return import_module(f"gitupd.{module.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}")


def _is_error(module: ModuleType, name: str) -> bool:
    found = getattr(module, name, None)
    return isclass(found) and issubclass(found, GitupdError)


def _parts(text: ast.expr, module: ModuleType) -> Iterator[tuple[bool, str]]:
    match text:
        case ast.Constant(str(said)):
            yield False, said
        case ast.JoinedStr(values):
            for each in values:
                yield from _parts(each, module)
        case ast.FormattedValue(value=ast.Name(name)) | ast.Name(name) if isinstance(getattr(module, name, None), str):
            yield False, getattr(module, name)
        case ast.FormattedValue(value=value):
            yield True, ast.unparse(value)
        case _:
            yield True, ast.unparse(text)
