"""Which folders of an installation hold what, as its configuration says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.importer.report import shown

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.importer.elements import Element
    from gitupd.importer.folders import Installation
    from gitupd.importer.report import Report

_USUAL = {"times": "scripts", "customcerts": "certs"}
"""Where to look if the named folder can't be read, by the section that names it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders that can be read; None for one that the configuration does not name, or that is not there."""

    scripts: Path | None
    certificates: Path | None
    status: Path | None
    backups: Path | None
    firmware: Path | None

    @property
    def folders(self) -> tuple[Path, ...]:
        """All folders that can be read."""
        every = (self.scripts, self.certificates, self.status, self.backups, self.firmware)
        return tuple(folder for folder in every if folder is not None)


def read_layout(installation: Installation, tree: Element, report: Report) -> Layout:
    """Return where the installation keeps what; a note tells of each named folder that can't be read."""
    scripts = _folder(installation, tree.first("times"), report)
    return Layout(
        scripts or installation.folder(_USUAL["times"]),
        _folder(installation, tree.first("customcerts"), report),
        _folder(installation, tree.first("status"), report),
        _folder(installation, tree.first("backup"), report),
        installation.folder("fw"),
    )


def _folder(installation: Installation, section: Element, report: Report) -> Path | None:
    named = section.get("dir")
    folder = installation.folder(named)
    if folder is not None or not section.place_of("dir") or not named:
        return folder
    usual = _USUAL.get(section.tag, "")
    instead = installation.folder(usual)
    message = f"the folder dir={shown(named)} of {section} can't be read"
    what = f"; {usual}/ is taken instead" if instead else ", so nothing is taken over from there"
    report.note(section.place_of("dir"), message + what, "import a copy of the installation that holds it")
    return instead
