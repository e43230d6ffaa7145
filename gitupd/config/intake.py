"""What of a tree is read at all: bounds on its size, and a refusal of everything that is not plainly a file.

The trees may come from anybody who can push, so nothing is read before its size is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from gitupd.config.documents import FOLDERS, SIGNERS, TESTS, YAML, is_meant
from gitupd.config.loader import SCRIPTING
from gitupd.config.sealed import RECIPIENTS
from gitupd.core.secrets.sealed import SECRETS
from gitupd.errors import InvalidConfiguration, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

DEVICES = "devices.yaml"
MOST_FILES = 20_000
LARGEST_FILE = 4 * 2**20
LARGEST_DOCUMENT = 2**20
LARGEST_DEVICES = 8 * 2**20
"""A line for each of a hundred thousand devices."""
LARGEST_SCRIPTING = 256 * 2**10
"""Python takes about a thousand times as much memory to parse its own source."""
LARGEST_SIGNERS = 256 * 2**10
"""The key of somebody whom thousands have certified has as many bytes."""
LARGEST_TREE = 128 * 2**20
LARGEST_FOLDER = 8 * 2**20
LONGEST_PATH = 250
_MOST_PROBLEMS = 100


class EntryKind(Enum):
    """What an entry of a tree is."""

    FILE = auto()
    FOLDER = auto()
    LINK = auto()
    SUBMODULE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a tree: ``path`` as stored, ``size`` in bytes; that of a folder is of its list, if it has one."""

    path: bytes
    kind: EntryKind
    size: int


def admit(entries: Iterable[TreeEntry]) -> list[str]:
    """Return the paths among *entries* that gitupd reads.

    A folder comes in front of what is in it. Raises InvalidConfiguration when the tree is too large to be meant, or
    holds links, submodules, odd names, or a name twice. Stops to look at *entries* as soon as there are too many.
    """
    problems: list[Problem] = []
    paths: list[str] = []
    seen: set[bytes] = set()
    total = 0
    for number, entry in enumerate(entries, 1):
        path, faults = _judge(entry, seen)
        problems += faults
        if number > MOST_FILES:
            problems.append(
                Problem(".", 0, 0, f"more than {MOST_FILES:,} files and folders", "keep other things elsewhere")
            )
        if len(problems) > _MOST_PROBLEMS or number > MOST_FILES:
            break
        if not faults and entry.kind is EntryKind.FILE and is_read(path):
            paths.append(path)
            total += entry.size
    if total > LARGEST_TREE:
        problems.append(Problem(".", 0, 0, f"more than {LARGEST_TREE >> 20} MiB in all", "keep other things elsewhere"))
    if problems:
        raise InvalidConfiguration(problems)
    return paths


def is_entered(folder: TreeEntry) -> bool:
    """Whether to look into *folder*: one that is refused for its own sake may be endless."""
    name = folder.path.rpartition(b"/")[2]
    return len(folder.path) <= LONGEST_PATH and folder.size <= LARGEST_FOLDER and name != b".git"


def is_read(path: str) -> bool:
    """Whether gitupd reads the file at *path*, or it seems to be meant to; all else is the users' own affair."""
    return _is_placed(path) or is_meant(path)


def concerns_devices(path: str) -> bool:
    """Whether what devices get may depend on the file at *path*."""
    return _is_placed(path) and not path.startswith((TESTS, SIGNERS)) and path != RECIPIENTS


def _is_placed(path: str) -> bool:
    at_top = "/" not in path and not path.startswith(".") and path.endswith(YAML)
    return at_top or path in (SCRIPTING, SECRETS, RECIPIENTS) or path.startswith(FOLDERS)


def _judge(entry: TreeEntry, seen: set[bytes]) -> tuple[str, list[Problem]]:
    path = entry.path.decode(errors="backslashreplace")
    path = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in path)
    # Programs differ in which of two they take: one would be reviewed, and the other delivered.
    fault = _TWICE if entry.path in seen else _fault(entry, path)
    seen.add(entry.path)
    return path, [Problem(path[:LONGEST_PATH] or ".", 0, 0, *fault)] if fault else []


def _fault(entry: TreeEntry, path: str) -> tuple[str, str] | None:
    if entry.kind is EntryKind.FOLDER and entry.size > LARGEST_FOLDER:
        return "a folder with too many files", "keep other things elsewhere"
    if path.encode() != entry.path:
        return "a name with unprintable characters, or not in UTF-8", "rename it"
    if len(entry.path) > LONGEST_PATH or {"..", ".", "", ".git"} & set(path.split("/")):
        return "a path that is not allowed", "rename it"
    largest = _largest(path)
    if entry.kind is EntryKind.FILE and entry.size > largest:
        return f"{entry.size:,} bytes, more than {largest:,}", "this is no place for large files"
    return _REFUSED.get(entry.kind)


def _largest(path: str) -> int:
    if path == SCRIPTING:
        return LARGEST_SCRIPTING
    if path.startswith(SIGNERS):
        return LARGEST_SIGNERS
    if path == DEVICES:
        return LARGEST_DEVICES
    return LARGEST_DOCUMENT if path.endswith(".yaml") and is_read(path) else LARGEST_FILE


_TWICE = ("a name that is there twice", "write the folder anew: check it out, and commit it again")
_REFUSED = {
    EntryKind.LINK: ("a symbolic link", "put the file itself here"),
    EntryKind.SUBMODULE: ("a submodule", "put the files themselves here"),
    EntryKind.OTHER: ("not a regular file", "remove it"),
}
