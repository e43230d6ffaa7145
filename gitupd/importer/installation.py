"""An installation of the PHP server becomes the files of a configuration repository."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitupd.config.loader import build
from gitupd.config.snippets import FOLDER
from gitupd.errors import InvalidConfiguration, Problem, Severity
from gitupd.importer import documents
from gitupd.importer.backups import read_backups
from gitupd.importer.certificates import DEFAULT_KEYS, certificates, is_authority, key_pattern
from gitupd.importer.configuration import DEFAULTS, read_defaults, read_user_configuration, user_path
from gitupd.importer.delivery import delivery, has_first_run, transport
from gitupd.importer.devices import hardware_ids, read_devices
from gitupd.importer.elements import merged
from gitupd.importer.firmware import firmware
from gitupd.importer.fleet import read_fleet
from gitupd.importer.folders import Installation, Unusable
from gitupd.importer.layout import read_layout
from gitupd.importer.leftovers import note_leftovers
from gitupd.importer.queries import queries
from gitupd.importer.reading import note_dropped
from gitupd.importer.report import Report, shown
from gitupd.importer.rollouts import read_rollouts
from gitupd.importer.scripts import ScriptNames, class_part, note_own_code, read_scripts
from gitupd.importer.upkeep import backup, status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from gitupd.importer.backups import BackupFile
    from gitupd.importer.devices import RememberedDevice
    from gitupd.importer.elements import Element
    from gitupd.importer.layout import Layout
    from gitupd.importer.rollouts import RememberedRollout

_CERTIFICATES = "certificates/"
_FIRMWARE = "fw"
_FIRMWARE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}/[0-9A-Za-z][0-9A-Za-z._+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an installation comes to.

    ``files`` are those of the configuration repository; ``notes`` are warnings in order of place, relative to the
    installation. ``master_info`` is the last answer of the master device and when it came, in seconds since 1970; None
    if there is none, and ``master_path`` is where it lies. ``firmware`` names every firmware file below ``fw/``, and
    says where it is; ``backups`` are the configurations of devices that were kept, the oldest first.
    ``devices`` are those that were known, and ``rollouts`` what lay there of their certificates, where these were
    rolled out.
    """

    files: Mapping[str, bytes]
    notes: tuple[Problem, ...]
    master_info: tuple[bytes, float] | None
    firmware: tuple[tuple[str, Path], ...]
    backups: tuple[BackupFile, ...] = ()
    master_path: str = ""
    devices: tuple[RememberedDevice, ...] = ()
    rollouts: tuple[RememberedRollout, ...] = ()


def import_installation(source: Path) -> Imported:
    """Return what the PHP server's folder *source* comes to; raises InvalidConfiguration with every error in it."""
    installation = Installation(source)
    path = user_path(installation)
    report = Report(path)
    user = read_user_configuration(installation, path, report)
    tree = merged(read_defaults(installation, report), user, report)
    note_dropped(tree, report)
    fleet = read_fleet(tree, report)
    policies: dict[str, dict[str, object]] = {
        "queries": queries(tree, fleet, report),
        "delivery": delivery(tree, user, report),
        "firmware": firmware(tree, fleet, report),
        "backup": backup(tree, report),
        "transport": transport(tree, report),
        "admission": {"unknown": "serve"},
        "certificates": certificates(tree, report),
        "status": status(tree, report),
    }
    layout = read_layout(installation, tree, report)
    snippets = read_scripts(installation, layout.scripts, ScriptNames(fleet, first_run=has_first_run(user)), report)
    chain = key_pattern(tree, report)
    files = snippets | _authority_files(installation, layout.certificates, chain, report)
    if chain != DEFAULT_KEYS and any(path.startswith(_CERTIFICATES) for path in files):
        policies["certificates"]["chain"] = _CERTIFICATES + chain
    report.raise_errors()
    models = fleet.models_named(_class_parts(files), _classes_in(policies))
    said = fleet.documents(models) | {name: each for name, each in policies.items() if each}
    files = documents.written(said) | files
    _check(files, path)
    devices = read_devices(installation, layout, report)
    imported = Imported(
        files,
        (),
        _master_info(installation, tree) if "master" in policies["firmware"] else None,
        tuple(_firmware_files(installation, layout, report)),
        read_backups(installation, layout, hardware_ids(devices), report),
        tree.first("master").get("cache") or "",
        devices,
        read_rollouts(installation, layout, report) if policies["certificates"].get("enabled") else (),
    )
    note_own_code(installation, report)
    note_leftovers(installation, layout, _taken(installation, layout, tree, imported), report)
    return replace(imported, notes=report.notes)


def _taken(installation: Installation, layout: Layout, tree: Element, imported: Imported) -> Iterator[Path]:
    """Yield the files of *installation* that *imported* is made of."""
    yield from (installation.root / path for path in (DEFAULTS, user_path(installation)))
    for path in imported.files:
        if path.startswith(FOLDER) and layout.scripts:
            yield layout.scripts / path.removeprefix(FOLDER)
        if path.startswith(_CERTIFICATES) and layout.certificates:
            yield layout.certificates / path.removeprefix(_CERTIFICATES)
    yield from (path for _, path in imported.firmware)
    yield from (backup.path for backup in imported.backups)
    yield from (installation.root / device.place for device in imported.devices)
    yield from (file.path for rollout in imported.rollouts for file in rollout.files)
    if imported.master_info is not None:
        yield installation.root / tree.first("master").get("cache")


def _authority_files(installation: Installation, folder: Path | None, pattern: str, report: Report) -> dict[str, bytes]:
    found = {}
    for name in installation.entries(folder) if folder else ():
        if folder is None or not is_authority(name, pattern):
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
        for each in build(files)[1]
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


def _firmware_files(installation: Installation, layout: Layout, report: Report) -> Iterator[tuple[str, Path]]:
    for path in installation.files_below(layout.firmware) if layout.firmware else ():
        judged = installation.examine(path)
        name = path.relative_to(installation.root / _FIRMWARE).as_posix()
        fault = None
        if isinstance(judged, Unusable):
            fault = judged.reason
        elif not _FIRMWARE_NAME.fullmatch(name):
            fault = "no name of a firmware file, which lies in fw/BUILD/FILE"
        elif judged.st_size == 0:
            fault = "it is empty, and a device would refuse it"
        if fault is None:
            yield name, path
        else:
            report.note_file(shown(installation.relative(path))[1:-1], f"left out: {fault}")
