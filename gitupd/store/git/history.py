"""What a repository's history tells: who changed a file last, which commits lie between two, what they changed.

All of it is bounded, for it is asked for by pages, and histories may be long and hostile.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.objects import Blob, ObjectID, ShaFile, Tree, parse_tree

from gitupd.config.intake import LARGEST_FOLDER
from gitupd.core.deployments.commit import FileChange, FileSide
from gitupd.store.git.commits import read_commit
from gitupd.store.git.size import object_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dulwich.object_store import DiskObjectStore

    from gitupd.store.git.commits import StoredCommit

_DEEPEST = 30
_ID_BYTES = 20
_Entry = tuple[int, "ObjectID"]
Folders = dict["ObjectID", dict[bytes, _Entry]]
"""What is in folders: file mode and id by name."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read of changed files: so many bytes of each, and of all in sum."""

    each: int = 256 * 2**10
    total: int = 2 * 2**20


def changes(store: DiskObjectStore, before: ObjectID | None, after: ObjectID, bounds: Bounds) -> Iterator[FileChange]:
    """Yield the files that differ between two trees, by path; *before* None is an empty one."""
    left = bounds.total
    for path, old, new in _differing(store, before, after, b"", 0):
        sides: list[FileSide | None] = []
        for blob in (old, new):
            if blob is None:
                sides.append(None)
                continue
            size = object_size(store, blob)
            readable = size <= min(bounds.each, left)
            left -= size if readable else 0
            sides.append(FileSide(size, blob_content(store, blob) if readable else None))
        yield FileChange(path.decode(errors="replace"), *sides)


def _differing(
    store: DiskObjectStore, before: ObjectID | None, after: ObjectID | None, prefix: bytes, depth: int
) -> Iterator[tuple[bytes, ObjectID | None, ObjectID | None]]:
    if before == after or depth > _DEEPEST:
        return
    old, new = _entries(store, before), _entries(store, after)
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        folders = [entry[1] if entry and stat.S_ISDIR(entry[0]) else None for entry in (one, other)]
        files = [entry[1] if entry and stat.S_ISREG(entry[0]) else None for entry in (one, other)]
        if any(files) and files[0] != files[1]:
            yield prefix + name, files[0], files[1]
        if any(folders):
            yield from _differing(store, folders[0], folders[1], prefix + name + b"/", depth + 1)


def _entries(store: DiskObjectStore, folder: ObjectID | None) -> dict[bytes, _Entry]:
    """Return what is in *folder*; nothing where there is none, or it is larger than any that is meant."""
    if folder is None or object_size(store, folder) > LARGEST_FOLDER:
        return {}
    entries: dict[bytes, _Entry] = {}
    for name, mode, object_id in listed(store, folder):
        entries.setdefault(name, (mode, object_id))  # of a name that is there twice, Git takes the first, too
    return entries


def listed(store: DiskObjectStore, folder: ObjectID) -> list[tuple[bytes, int, ObjectID]]:
    """Return names, modes and ids of what is in *folder*, by name; a name may be there twice.

    Raises KeyError if there is no such folder, ValueError if it is damaged.
    """
    kind, content = store.get_raw(folder)
    if kind != Tree.type_num:
        raise KeyError(folder)
    entries = [(name, mode, ObjectID(object_id)) for name, mode, object_id in parse_tree(content, _ID_BYTES)]
    return sorted(entries, key=lambda entry: entry[0] + b"/" * stat.S_ISDIR(entry[1]))


def file_entry(store: DiskObjectStore, tree: ObjectID, path: bytes, folders: Folders | None = None) -> ObjectID | None:
    """Return the id of the regular file at *path*, None if there is none; *folders* are kept between calls."""
    folders = Folders() if folders is None else folders
    entry: _Entry = (stat.S_IFDIR, tree)
    for name in path.split(b"/"):
        if not stat.S_ISDIR(entry[0]):
            return None
        if entry[1] not in folders:
            folders[entry[1]] = _entries(store, entry[1])
        inner = folders[entry[1]].get(name)
        if inner is None:
            return None
        entry = inner
    return entry[1] if stat.S_ISREG(entry[0]) else None


def blob_content(store: DiskObjectStore, blob: ObjectID) -> bytes:
    """Return what is in *blob*, having made sure that it is what it is called after."""
    kind, content = store.get_raw(blob)
    ShaFile.from_raw_string(kind, content, verify_sha=blob)
    if kind != Blob.type_num:
        raise ValueError(f"object {blob.decode()} is no file")
    return content


def last_change(
    store: DiskObjectStore, commit: StoredCommit, path: bytes, most: int, folders: Folders
) -> StoredCommit | None:
    """Return the commit that brought the file at *path* to what it is in *commit*; None if *most* don't reach it.

    Of several parents, one that has the same file is followed, so that it is no merge that gets the blame. *folders*
    are kept between calls.
    """
    blob = file_entry(store, commit.tree, path, folders)
    for _step in range(most):
        parents = (read_commit(store, parent) for parent in commit.parents)
        same = next((parent for parent in parents if file_entry(store, parent.tree, path, folders) == blob), None)
        if same is None:
            return commit
        commit = same
    return None
