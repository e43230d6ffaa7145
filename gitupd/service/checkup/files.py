"""Files of a site that others on the machine can read or change, or that do not belong to whom the site belongs to."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.listeners import KeyPair
from gitupd.service.checkup.finding import SiteFinding
from gitupd.service.people.access import SESSION_KEY
from gitupd.store.places import BACKUP_KEY, BACKUPS, CONFIG, TRUST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

_FOLDERS = ("tls", TRUST, "authority", "secrets", "inbox", "acme")
_REPOSITORIES = (CONFIG, BACKUPS)
_SECRET_NAMES = frozenset({SESSION_KEY, BACKUP_KEY, "passphrase"})
_MARKS = (b"PRIVATE KEY-----", b"AGE-SECRET-KEY-")
_LOOKED_AT = 64 * 2**10
_MOST_FILES = 20_000
_MOST_NAMED = 3
_OTHERS, _GROUP_AND_OTHERS = 0o007, 0o077


def open_files(site: Site) -> Iterator[SiteFinding]:
    """Yield what is too open, and what belongs to somebody else."""
    yield from _folder_itself(site.path)
    for path in _files(site.path):
        yield from _secret(path, _GROUP_AND_OTHERS)
    for path in _elsewhere(site):
        yield from _secret(path, _OTHERS, is_known=True)
    yield from _among_the_trusted(site.path / TRUST)
    yield from _changeable(site.path)
    yield from _of_others(site.path)


def _folder_itself(path: Path) -> Iterator[SiteFinding]:
    if _mode(path) & _OTHERS:
        what = "others on this machine can look into it, and find passwords, keys and configurations of devices"
        yield SiteFinding(str(path), what, f"chmod o-rwx {_quoted(path)}")


def _files(path: Path) -> Iterator[Path]:
    """Yield the files of a site that may be keys: those of its own folder, and of the folders for such."""
    authorities = (each for each in _entries(path / "authority") if each.is_dir())
    for folder in (path, *(path / name for name in _FOLDERS), *authorities):
        yield from (each for each in _entries(folder) if each.is_file() and not each.is_symlink())


def _elsewhere(site: Site) -> Iterator[Path]:
    """Yield the secrets that the settings name: the operator's, who may let a group read them."""
    passphrase = site.path / site.settings.signing.passphrase_file
    if passphrase.is_file() and not passphrase.is_relative_to(site.path):
        yield passphrase
    binding = site.path / (site.settings.signing.acme_key_file or "")
    if binding.is_file() and not binding.is_relative_to(site.path / "acme"):
        yield binding
    tls = site.settings.tls
    for pair in (tls.first, *tls.further):
        path = site.path / pair.key
        if pair != KeyPair() and path.is_file():
            yield path


def _secret(path: Path, forbidden: int, *, is_known: bool = False) -> Iterator[SiteFinding]:
    try:
        if not is_known and not _holds_secret(path):
            return
        mode = _mode(path)
    except PermissionError:
        yield SiteFinding(str(path), "it can't be read by you, so it was not looked at", _as_owner(path), mend=False)
        return
    if mode & forbidden:
        whose = "everybody on this machine" if mode & _OTHERS else "its group"
        deed = "change" if mode & 0o022 & forbidden else "read"
        what = f"it is a secret, and {whose} can {deed} it"
        bits = "o-rwx" if forbidden == _OTHERS else "600"
        yield SiteFinding(
            str(path), what, f"chmod {bits} {_quoted(path)}; whoever has read it knows it, so consider a new one"
        )


def _holds_secret(path: Path) -> bool:
    if path.name in _SECRET_NAMES:
        return True
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    return any(mark in head for mark in _MARKS)


def _among_the_trusted(folder: Path) -> Iterator[SiteFinding]:
    for path in _entries(folder):
        if path.is_file() and os.access(path, os.R_OK) and _holds_secret(path):
            what = "a private key lies among what the site trusts, where only certificates belong"
            yield SiteFinding(str(path), what, "move it to where its certificate is used; here it is of no use")


def _changeable(path: Path) -> Iterator[SiteFinding]:
    """Yield what everybody may write to: whoever can, decides whom the site trusts and what it delivers."""
    folders = (path, *(path / name for name in (*_FOLDERS, CONFIG, f"{CONFIG}/hooks", f"{CONFIG}/refs", BACKUPS)))
    named = [
        each
        for folder in folders
        for each in _entries(folder)
        if not each.is_symlink() and _mode(each) & stat.S_IWOTH and not _mode(each) & stat.S_ISVTX
    ]
    for each in named[:_MOST_NAMED]:
        yield SiteFinding(str(each), "everybody on this machine can change it", f"chmod o-w {_quoted(each)}")
    if len(named) > _MOST_NAMED:
        more = f"{len(named) - _MOST_NAMED:,} more files can be changed by everybody on this machine"
        yield SiteFinding(str(path), more, f"chmod -R o-w {_quoted(path)}")


def _of_others(path: Path) -> Iterator[SiteFinding]:
    """Yield that files belong to somebody else, as after a command that root has run: the server may not write them."""
    owner = path.stat().st_uid
    trees = [path, *(path / name for name in _FOLDERS), *_below(path)]
    strange = [each for tree in trees for each in _entries(tree) if _owner(each) not in (None, owner)]
    if strange:
        name = _name(owner)
        count = "it belongs" if len(strange) == 1 else f"it and {len(strange) - 1:,} more belong"
        what = f"{count} to {_name(_owner(strange[0]) or 0)}, and the site to {name}: the server may be unable to write"
        yield SiteFinding(str(strange[0]), what, f"chown -R {name}: {_quoted(path)}, and run commands as {name}")


def _below(path: Path) -> Iterator[Path]:
    """Yield the folders of the repositories, so many at the most."""
    roots = [path / name for name in _REPOSITORIES]
    walks = (folder for root in roots for folder, _, _ in os.walk(root))
    yield from (path / folder for folder in islice(walks, _MOST_FILES))


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in islice(entries, _MOST_FILES))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.lstat().st_mode)
    except FileNotFoundError:
        return 0  # somebody was faster


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except FileNotFoundError:
        return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _as_owner(path: Path) -> str:
    return f"run this as {_name(path.lstat().st_uid)}"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
