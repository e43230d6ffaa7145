"""Which site and which repository a line is about that is not complete yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import split_arg_string

from gitupd.settings import FILE_NAME, completed_line, read_settings, site_from_environment
from gitupd.store.glances.database import glance
from gitupd.store.places import CONFIG, DATABASE

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gitupd.store.glances.database import Glance

_SITE = "--site"


def site_meant(ctx: click.Context) -> Path:
    """Return the folder of the site: what --site names, wherever it stands on the line, else as commands find it."""
    named = _given(ctx, "place", "site") or _further_on()
    if named is None and (path := _given(ctx, "path")) is not None and (path / FILE_NAME).is_file():
        return path
    return named or Path(site_from_environment() or ".")


def database_of(site: Path) -> AbstractContextManager[Glance]:
    """Return a look at the database of a site; raises SiteError if its settings are not understood."""
    if not (site / FILE_NAME).is_file():
        raise FileNotFoundError(site / FILE_NAME)
    return glance(read_settings(site).database or site / DATABASE)


def folder_meant(ctx: click.Context) -> Path:
    """Return the folder of the configuration that a command is about: its PATH, by default the current folder."""
    named = _given(ctx, "path")
    first = next(iter(ctx.params.get("arguments") or ()), None)  # PATH BASE HEAD
    if named is None and first is not None and expanded(first).is_dir():
        named = expanded(first)
    return named or Path()


def repository_in(folder: Path) -> Path | None:
    """Return where the objects are of the repository that *folder* is or stands for, None if it is none."""
    places = (folder / CONFIG, folder / ".git", folder)
    return next((place for place in places if (place / "objects").is_dir() or _refers(place)), None)


def _refers(place: Path) -> bool:
    """Whether *place* is the file by which a further work tree names its repository."""
    return place.name == ".git" and place.is_file()


def expanded(text: str | Path) -> Path:
    """Return the path that the shell would make of what stands on the line."""
    return Path(os.path.expandvars(text)).expanduser()


def _given(ctx: click.Context, *names: str) -> Path | None:
    value: Any = next((given for name in names if (given := ctx.params.get(name) or _unassigned(ctx, name))), None)
    return expanded(value) if isinstance(value, str | Path) else None


def _unassigned(ctx: click.Context, name: str) -> str | None:
    """Return an argument that click has not assigned: where the value of an option is completed, it assigns none."""
    arguments = [each.name for each in ctx.command.params if isinstance(each, click.Argument)]
    return next((text for each, text in zip(arguments, ctx.args, strict=False) if each == name), None)


def _further_on() -> Path | None:
    """Return what --site names anywhere on the line: click knows of what stands before the cursor only."""
    words = split_arg_string(completed_line())
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == _SITE and following and following != "=":
            return expanded(following)
        if word.startswith(f"{_SITE}=") and word != f"{_SITE}=":
            return expanded(word.partition("=")[2])
    return None
