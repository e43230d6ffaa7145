"""What of an installation nobody takes over: each file is told, so that nothing vanishes without a word."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gitupd.importer.folders import Unusable
from gitupd.importer.report import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.importer.folders import Installation
    from gitupd.importer.layout import Layout
    from gitupd.importer.report import Report

_PROGRAM = {
    "": (
        ".gitignore LICENSE README.md build.txt full-config.dtd full-config.xml scripting.class.php update-migrate.php"
        " update.php"
    ),
    "admin": "admin.php",
    "classes": (
        "core.php html.class.php innoinputpage.class.php inputpage.class.php translator.class.php"
        " updateserverV2.class.php"
    ),
    "config": "sample.scripting.class.php scripting.class-sample.php user-config-sample.xml",
    "web": (
        "cer.png delete_file.gif hide.jpg innovaphone_logo_claim_fisch.png scripts.js style.css touch.gif trash.gif"
        " update.png"
    ),
}
"""What came with the PHP server, in whatever release, by folder."""

_OF_A_DEVICE = re.compile(r"(?:[0-9a-f]{2}-?){6}[-.]", re.IGNORECASE | re.ASCII)
_STAMP = "lastcleanup"
_KEY_ENDINGS = (".key", ".pfx", ".p12")


def note_leftovers(installation: Installation, layout: Layout, taken: Iterable[Path], report: Report) -> None:
    """Note each file of *installation* that is neither among *taken* nor told of already, many of a kind together."""
    known = {path.resolve() for path in taken}
    told = report.told
    groups: dict[tuple[str, str], list[str]] = {}
    for path in _everything(installation, layout):
        name = installation.relative(path)
        if shown(name)[1:-1] in told or (path.resolve() in known and not path.is_symlink()):
            continue
        folder, _, last = name.rpartition("/")
        groups.setdefault((folder, _reason(installation, layout, path)), []).append(last)
    for (folder, reason), names in groups.items():
        report.note_left_out(folder, names, reason)


def _everything(installation: Installation, layout: Layout) -> Iterator[Path]:
    """Yield all files, links, folders that are empty or hidden, and folders that can't be read."""
    used = set(layout.folders)
    for parent, folders, names in os.walk(installation.root):
        place = Path(parent)
        closed = [name for name in folders if _is_closed(place / name)]
        yield from (place / name for name in sorted([*names, *closed]) if place / name not in used)
        folders[:] = sorted(name for name in folders if name not in closed)
        if not folders and not names and not closed and place not in used and place != installation.root:
            yield place


def _is_closed(folder: Path) -> bool:
    """Whether *folder* is not looked into: links, hidden ones such as .git, and those that can't be read."""
    return folder.is_symlink() or folder.name.startswith(".") or not os.access(folder, os.R_OK | os.X_OK)


def _reason(installation: Installation, layout: Layout, path: Path) -> str:
    """Return why the file at *path* is left out."""
    name = installation.relative(path)
    folder, _, last = name.rpartition("/")
    if last in _PROGRAM.get(folder, "").split():
        return "part of the PHP server itself; changes that were made to it are lost"
    if path.is_dir():
        return "a link to a folder" if path.is_symlink() else "a folder that is empty, hidden or can't be read"
    if layout.status in path.parents or name.startswith("status/"):
        if path.name == _STAMP:
            return "by which the PHP server knew when it had tidied up last"
        return "no status of a device, which is called SN.xml and lies where the dir of <status> says"
    if _holds_key(installation, path):
        return "it holds a private key, which stays where it is"
    return _reason_of_folder(layout, path, name)


def _reason_of_folder(layout: Layout, path: Path, name: str) -> str:
    if layout.certificates in path.parents or name.startswith("certs/"):
        if _OF_A_DEVICE.match(path.name):
            return "requests and certificates of devices count where <customcerts> and <status> have a dir, as SN-FILE"
        return "no certificate of the authority, as CAkeys and the dir of <customcerts> say"
    if layout.backups in path.parents or name.startswith("backup/"):
        return "no backup of a device, as its name and the dir of <backup> say"
    if name.startswith("debug/"):
        return "written by the PHP server for its debugging"
    if path.name.startswith((".ht", ".user.ini", "web.config")):
        return "a rule for the web server"
    return "nothing that is taken over from the PHP server"


def _holds_key(installation: Installation, path: Path) -> bool:
    if path.suffix.lower() in _KEY_ENDINGS:
        return True
    content = installation.content(path)
    return not isinstance(content, Unusable) and b"PRIVATE KEY-----" in content
