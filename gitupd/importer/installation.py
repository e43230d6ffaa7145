"""An installation of the PHP server becomes the files of a configuration repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gitupd.config.loader import examine
from gitupd.config.snippets import FOLDER
from gitupd.errors import InvalidConfiguration, Problem, Severity
from gitupd.importer import documents
from gitupd.importer.backups import read_backups
from gitupd.importer.certificates import DEFAULT_KEYS, certificates, key_pattern
from gitupd.importer.defaults import default_configuration
from gitupd.importer.delivery import delivery, has_first_run, transport
from gitupd.importer.elements import merged
from gitupd.importer.firmware import firmware
from gitupd.importer.fleet import read_fleet
from gitupd.importer.folders import Installation, Unusable
from gitupd.importer.queries import queries
from gitupd.importer.reading import only_known, read_configuration
from gitupd.importer.report import NOWHERE, Report, shown
from gitupd.importer.scripts import ScriptNames, class_part, read_scripts
from gitupd.importer.upkeep import backup, status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from gitupd.importer.backups import BackupFile
    from gitupd.importer.elements import Element
    from gitupd.importer.fleet import Fleet

USER_CONFIG = "config/user-config.xml"
_OWN_CODE = "scripting.class.php"
_CERTIFICATES = "certificates/"
_SCRIPTS = "scripts"
_FIRMWARE = "fw"
_FIRMWARE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an installation comes to.

    ``files`` are those of the configuration repository; ``notes`` are warnings in order of place, relative to the
    installation. ``master_info`` is the last answer of the master device and when it came, in seconds since 1970; None
    if there is none. ``firmware`` names every firmware file below ``fw/``, and says where it is; ``backups`` are the
    configurations of devices that were kept, the oldest first.
    """

    files: Mapping[str, bytes]
    notes: tuple[Problem, ...]
    master_info: tuple[bytes, float] | None
    firmware: tuple[tuple[str, Path], ...]
    backups: tuple[BackupFile, ...] = ()


def import_installation(source: Path) -> Imported:
    """Return what the PHP server's folder *source* comes to; raises InvalidConfiguration with every error in it."""
    installation = Installation(source)
    path = _configuration_path(source)
    report = Report(path)
    user = _read_user_configuration(installation, path, report)
    report.raise_errors()
    user = only_known(user)
    tree = merged(default_configuration(), user, report)
    fleet = read_fleet(tree, report)
    policies: dict[str, dict[str, object]] = {
        "queries": queries(tree, fleet, report),
        "delivery": delivery(tree, user, report),
        "firmware": firmware(tree, fleet, report),
        "backup": backup(tree, report),
        "transport": transport(tree, report),
        "certificates": certificates(tree, report),
        "status": status(tree, report),
    }
    files = _other_files(installation, tree, user, fleet, report)
    chain = key_pattern(tree, report)
    if chain != DEFAULT_KEYS and any(path.startswith(_CERTIFICATES) for path in files):
        policies["certificates"]["chain"] = _CERTIFICATES + chain
    report.raise_errors()
    models = fleet.models_named(_class_parts(files), _classes_in(policies))
    said = fleet.documents(models) | {name: each for name, each in policies.items() if each}
    files = documents.written(said) | files
    _check(files, path)
    firmware_files = tuple(_firmware_files(installation, report))
    kept = read_backups(installation, tree, report)
    return Imported(files, report.notes, _master_info(installation, tree), firmware_files, kept)


def _configuration_path(source: Path) -> str:
    flat = USER_CONFIG.rpartition("/")[2]
    return flat if (source / flat).exists() and not (source / USER_CONFIG).exists() else USER_CONFIG


def _read_user_configuration(installation: Installation, path: str, report: Report) -> Element:
    content = installation.content(installation.root / path)
    if isinstance(content, Unusable):
        missing = not (installation.root / path).exists()
        reason = "there is no such file" if missing else f"it can't be imported: {content.reason}"
        report.error(NOWHERE, reason, "name the folder in which the PHP server is installed")
    else:
        user = read_configuration(content, path, report)
        if user is not None:
            return user
    report.raise_errors()
    raise AssertionError("an unreadable configuration is an error")


def _other_files(
    installation: Installation, tree: Element, user: Element, fleet: Fleet, report: Report
) -> dict[str, bytes]:
    _note_own_code(installation, report)
    times = tree.first("times")
    folder = installation.folder(times.get("dir"), _SCRIPTS)
    if folder is not None and times.get("dir") and folder != installation.folder(times.get("dir")):
        message = (
            f"the folder dir={shown(times.get('dir'))} of {times} can't be read; scripts are taken from {_SCRIPTS}/"
        )
        report.note(times.place_of("dir"), message)
    names = ScriptNames(fleet, first_run=has_first_run(user))
    snippets = read_scripts(installation, folder, names, report)
    return snippets | _authority_files(installation, tree, report)


def _note_own_code(installation: Installation, report: Report) -> None:
    for folder in ("", "config/", "scripts/", "classes/"):
        if (installation.root / f"{folder}{_OWN_CODE}").is_file():
            message = "own code can't be translated, and the lines it makes are not sent"
            report.note_file(f"{folder}{_OWN_CODE}", message, "write scripting.py in the new repository")


def _authority_files(installation: Installation, tree: Element, report: Report) -> dict[str, bytes]:
    named = tree.first("customcerts").get("dir")
    folder = installation.folder(named, "certs")
    pattern = key_pattern(tree, report)
    if not named or folder is None:
        return {}
    found = {}
    for name in installation.entries(folder):
        if not fnmatchcase(name, pattern):
            continue
        place = shown(installation.relative(folder / name))[1:-1]
        content = installation.content(folder / name)
        if isinstance(content, Unusable):
            report.note_file(place, f"left out: {content.reason}")
        elif b"PRIVATE KEY" in content:
            report.note_file(place, "left out: it holds a private key", "keep private keys out of repositories")
        elif not name.isprintable() or not name.isascii():
            report.note_file(place, "left out: its name is not plain ASCII", "rename it")
        else:
            found[_CERTIFICATES + name] = content
    return found


def _class_parts(files: Iterable[str]) -> Iterator[str]:
    return (class_part(path) for path in files if path.startswith(FOLDER))


def _classes_in(policies: Mapping[str, object]) -> Iterator[str]:
    """Yield the classes and models that conditions name."""
    pending: list[object] = list(policies.values())
    while pending:
        said = pending.pop()
        if isinstance(said, dict):
            if isinstance(said.get("class"), str):
                yield said["class"]
            pending += said.values()
        elif isinstance(said, list):
            pending += said


def _check(files: Mapping[str, bytes], path: str) -> None:
    """Refuse what no repository can hold, such as a text that is far too long, in spite of all that was looked at."""
    problems = [
        Problem(path, 0, 0, f"{shown(each.path)[1:-1]} can't say the same: {each.message}", each.hint)
        for each in examine(files)
        if each.severity is Severity.ERROR
    ]
    if problems:
        raise InvalidConfiguration(problems)


def _master_info(installation: Installation, tree: Element) -> tuple[bytes, float] | None:
    named = tree.first("master").get("cache")
    if not named or "\0" in named:
        return None
    path = installation.root / named
    content = installation.content(path)
    return None if isinstance(content, Unusable) else (content, path.stat().st_mtime)


def _firmware_files(installation: Installation, report: Report) -> Iterator[tuple[str, Path]]:
    folder = installation.folder(_FIRMWARE)
    for path in installation.files_below(folder) if folder else ():
        judged = installation.examine(path)
        name = path.relative_to(installation.root / _FIRMWARE).as_posix()
        if isinstance(judged, Unusable):
            report.note_file(shown(installation.relative(path))[1:-1], f"left out: {judged.reason}")
        elif not _FIRMWARE_NAME.fullmatch(name):
            report.note_file(shown(installation.relative(path))[1:-1], "left out: no name of a firmware file")
        else:
            yield name, path
