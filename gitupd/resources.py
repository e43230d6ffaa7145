"""The files that gitupd ships besides its code: schemas, the template of a configuration repository, hooks."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Mapping


SCHEMAS = ".schemas"
"""Where a configuration repository has the schemas for editors; gitupd itself does not read them there."""


def _folder(name: str) -> Path:
    """Return the folder *name*: inside the package when installed, beside it in a checkout."""
    packaged = Path(str(files("gitupd"))) / "_resources" / name
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / name


@cache
def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas, in alphabetical order."""
    return tuple(sorted(path.stem for path in schema_folder().glob("*.json")))


@cache
def schema(name: str) -> Mapping[str, Any]:
    """Return the JSON Schema called *name*; raises GitupdError if there is none."""
    if name not in schema_names():
        raise GitupdError(f"there is no schema {name!r}; choose one of {', '.join(schema_names())}")
    loaded: Mapping[str, Any] = json.loads((schema_folder() / f"{name}.json").read_text("utf-8"))
    return loaded


def schema_folder() -> Path:
    """Return the folder with all schemas."""
    return _folder("schemas")


def schema_files(folder: str = SCHEMAS) -> Mapping[str, bytes]:
    """Return all schemas as files of a configuration repository in *folder*, by path."""
    return {f"{folder}/{name}.json": (schema_folder() / f"{name}.json").read_bytes() for name in schema_names()}


def modeline(path: str, name: str) -> str:
    """Return the first line of the document at *path*, by which editors find the schema called *name*."""
    return f"# yaml-language-server: $schema={'../' * path.count('/')}{SCHEMAS}/{name}.json\n"


def template_files() -> Mapping[str, bytes]:
    """Return the files of a new configuration repository, by path: the template, and the schemas that it refers to."""
    root = _folder("repo-template")
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    return {**schema_files(), **files}


def docs_folder() -> Path:
    """Return the folder with the documentation."""
    return _folder("docs")


def hook_folder() -> Path:
    """Return the folder with all hooks for Git, each of which calls the program on the path."""
    return _folder("hooks")


def hook(name: str) -> str:
    """Return the hook for Git called *name*."""
    return (hook_folder() / name).read_text("utf-8")
