"""The scripts of the PHP server that it would ever have sent, as snippets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.intake import LONGEST_PATH
from gitupd.config.snippets import ENDING, FOLDER
from gitupd.core.names import ALL, SERIAL_PLACE, fold
from gitupd.importer import values
from gitupd.importer.folders import Unusable
from gitupd.importer.report import NOWHERE, shown

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.importer.fleet import Fleet
    from gitupd.importer.folders import Installation
    from gitupd.importer.report import Report

_DASHES = 2
_OWN_CODE = "config/scripting.class.php"
_BASE_CLASS = "scripting.class.php"
"""What the own code is derived from: it comes with the PHP server, and does nothing."""


class ScriptNames:
    """Tells which file names the PHP server looks for.

    It makes each name from a phase, a class or the model, and an environment or the serial number, in lower case as far
    as ASCII goes, and asks the disk for exactly that. ``all`` counts as a phase or an environment only beside others.
    """

    def __init__(self, fleet: Fleet, *, first_run: bool) -> None:
        self._phases = {*map(fold, fleet.phases), *([ALL] if len(fleet.phases) > 1 or first_run else [])}
        self._classes = {ALL, *(fold(each.name) for each in fleet.classes)}
        self._places = {*map(fold, fleet.environments), *([ALL] if len(fleet.environments) > 1 else [])}

    def fault(self, name: str) -> str | None:
        """Return why the file called *name* was never sent, None if it may have been."""
        stem = name.removesuffix(ENDING)
        if stem == name or stem.count("-") < _DASHES:
            return f"it is not called phase-class-environment{ENDING}"
        if fold(stem) != stem:
            return "its name has capital letters, and files are looked for in small ones"
        phase, _, rest = stem.partition("-")
        device_class, _, place = rest.rpartition("-")
        if phase not in self._phases:
            return _nameless("phase", phase)
        if device_class not in self._classes and not values.is_model(device_class):
            return f"{shown(device_class)} can be no class or model"
        if place not in self._places and not SERIAL_PLACE.fullmatch(place):
            return _nameless("environment", place)
        return None


def _nameless(what: str, name: str) -> str:
    if name == ALL:
        return f"with only one {what}, {shown(ALL)} does not count"
    return f"there is no {what} {shown(name)}"


def class_part(path: str) -> str:
    """Return the part of a snippet's path that names a class or a model."""
    return path.removeprefix(FOLDER).partition("-")[2].rpartition("-")[0]


def read_scripts(
    installation: Installation, folder: Path | None, names: ScriptNames, report: Report
) -> dict[str, bytes]:
    """Return the snippets by their paths in the new repository; a note tells of each file that is left out."""
    if folder is None:
        report.note(NOWHERE, "there is no folder of scripts that can be read")
        return {}
    snippets = {}
    for name in installation.entries(folder):
        path = folder / name
        content = _content(installation, path, names)
        if isinstance(content, Unusable):
            report.note_file(shown(installation.relative(path))[1:-1], f"left out: {content.reason}")
        else:
            snippets[FOLDER + name] = content
    return snippets


def _content(installation: Installation, path: Path, names: ScriptNames) -> bytes | Unusable:
    fault = names.fault(path.name)
    if fault:
        return Unusable(f"it was never sent, because {fault}")
    if not path.name.isprintable() or len((FOLDER + path.name).encode(errors="replace")) > LONGEST_PATH:
        return Unusable("its name is too long for a repository, or has unprintable characters; rename it")
    return installation.content(path)


def note_own_code(installation: Installation, report: Report) -> None:
    """Note the code that an administrator has written for the PHP server."""
    content = installation.content(installation.root / _BASE_CLASS)
    paths = [_BASE_CLASS] if isinstance(content, bytes) and b"extends UpdateSnippet" in content else []
    if (installation.root / _OWN_CODE).exists():
        paths.append(_OWN_CODE)
    for path in paths:
        message = "own code can't be translated, and the lines it makes are not sent"
        report.note_file(path, message, "write scripting.py in the new repository")
