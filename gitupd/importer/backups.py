"""Backups that the PHP server kept: ``backup/HWID/HWID.*.txt``, each as old as its file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.importer.folders import Unusable
from gitupd.importer.report import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitupd.importer.folders import Installation
    from gitupd.importer.layout import Layout
    from gitupd.importer.report import Report

_VENDOR = "009033"
_LAST_BYTES = re.compile(r"-([0-9a-f]{2})-([0-9a-f]{2})-([0-9a-f]{2})$", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A version of a device's configuration; ``serial`` are its 12 digits, ``at`` is in seconds since 1970."""

    serial: str
    hardware_id: str
    at: float
    path: Path


def read_backups(
    installation: Installation, layout: Layout, known: Mapping[str, str], report: Report
) -> tuple[BackupFile, ...]:
    """Return the backups of *installation*, the oldest first; what can't be taken over is reported.

    *known* are the digits of serial numbers by hardware id, in small letters.
    """
    folder = layout.backups
    if folder is None:
        return ()
    found: list[BackupFile] = []
    guessed = 0
    for hardware_id in installation.entries(folder):
        if not (folder / hardware_id).is_dir():
            continue
        files = list(_files(installation, folder / hardware_id, report))
        serial = known.get(hardware_id.lower()) or _guessed(hardware_id)
        if serial is None and files:
            fault = "it is not known which serial number this device has"
            report.note_left_out(installation.relative(folder / hardware_id), [path.name for path, _ in files], fault)
            continue
        guessed += hardware_id.lower() not in known and bool(files)
        found += [BackupFile(serial or "", hardware_id, at, path) for path, at in files]
    if guessed:
        message = f"the serial numbers of devices with backups ({guessed}) are taken to begin with 00-90-33"
        report.note_file(installation.relative(folder), message)
    return tuple(sorted(found, key=lambda backup: (backup.at, backup.path)))


def _files(installation: Installation, folder: Path, report: Report) -> Iterator[tuple[Path, float]]:
    for name in installation.entries(folder):
        if not name.endswith(".txt"):
            continue
        judged = installation.examine(folder / name)
        if isinstance(judged, Unusable):
            report.note_file(shown(installation.relative(folder / name))[1:-1], f"left out: {judged.reason}")
        else:
            yield folder / name, judged.st_mtime


def _guessed(hardware_id: str) -> str | None:
    """Return the digits that the serial number of the vendor's device has, None for an unusual hardware id."""
    last = _LAST_BYTES.search(hardware_id)
    return _VENDOR + "".join(last.groups()).lower() if last else None
