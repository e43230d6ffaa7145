"""Commits as Git has them: measured before they are read, and read whatever foreign tools have written into them.

dulwich refuses some of what Git reads, and has no value for what is missing, so the few lines are read here as Git
does (git-commit-tree, "commit information").
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Commit, ObjectID, Tag, hex_to_filename

from gitupd.core.deployments.commit import CommitInfo, CommitText
from gitupd.core.snapshot import CommitId
from gitupd.store.git.size import object_size

LARGEST_COMMIT = 2**20
"""Bytes; a message of this size is no message. A megabyte of pack can hold hundreds of megabytes of them."""
_MOST_TAGS = 10
_LONGEST_HEAD = 64
_KINDS = {b"commit": Commit.type_num, b"tag": Tag.type_num}
_TARGET = re.compile(rb"object ([0-9a-f]{40})\n")
_ID = re.compile(rb"[0-9a-f]{40}")
_PERSON = re.compile(r"(?P<who>.*?)\s*(?<!\S)(?P<seconds>-?\d{1,20})(\s+[+-]\d{1,6})?\s*", re.DOTALL)
_NOBODY = "(no author)"
_LAST_SECOND = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
"""So that every time zone has a name for what was committed at the end of time."""


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """A commit with the ids of its ``tree`` and its ``parents``."""

    tree: ObjectID
    parents: tuple[ObjectID, ...]
    text: CommitText


def read_commit(store: DiskObjectStore, commit: ObjectID) -> StoredCommit:
    """Return *commit*; raises KeyError if there is none of that id, ValueError if it is damaged or too large."""
    kind, content = _small(store, commit)
    if kind != Commit.type_num:
        raise KeyError(commit)
    head, _, message = content.partition(b"\n\n")
    fields = [line.partition(b" ") for line in head.split(b"\n")]  # what goes on in a next line begins with a blank
    trees = [ObjectID(value) for name, _, value in fields if name == b"tree" and _ID.fullmatch(value)]
    if not trees:
        raise ValueError(f"commit {commit.decode()} names no tree")
    parents = tuple(ObjectID(value) for name, _, value in fields if name == b"parent" and _ID.fullmatch(value))
    first = {name: value for name, _, value in reversed(fields)}
    return StoredCommit(trees[0], parents, _text(commit, first, parents, message))


def commit_content(store: DiskObjectStore, commit: ObjectID) -> bytes:
    """Return what Git has of *commit*, having made sure that it is what it is called after; raises as read_commit."""
    kind, content = _small(store, commit)
    if kind != Commit.type_num:
        raise KeyError(commit)
    named = hashlib.sha1(b"commit %d\0%b" % (len(content), content), usedforsecurity=False)
    if named.hexdigest().encode() != commit:
        raise ValueError(f"commit {commit.decode()} is damaged")
    return content


def peeled(store: DiskObjectStore, target: ObjectID) -> ObjectID:
    """Return the commit that *target* is, or is a tag of; raises KeyError if it is neither, ValueError if damaged."""
    for _step in range(_MOST_TAGS):
        kind, content = _small(store, target)
        if kind == Commit.type_num:
            return target
        tagged = _TARGET.match(content) if kind == Tag.type_num else None
        if tagged is None:
            break
        target = ObjectID(tagged[1])
    raise KeyError(target)


def _small(store: DiskObjectStore, object_id: ObjectID) -> tuple[int, bytes]:
    """Return the kind and the content of a commit or a tag, as it is: dulwich looks into loose ones."""
    size = object_size(store, object_id)
    if size > LARGEST_COMMIT:
        raise ValueError(f"{object_id.decode()} has {size:,} bytes, more than any commit or tag that is meant")
    for objects in (store, *store.alternates):
        loose = (
            Path(hex_to_filename(os.fspath(objects.path), object_id)) if isinstance(objects, DiskObjectStore) else None
        )
        if loose is not None and loose.exists():
            return _loose(loose)
    return store.get_raw(object_id)


def _loose(path: Path) -> tuple[int, bytes]:
    head, _, content = (
        zlib.decompressobj().decompress(path.read_bytes(), LARGEST_COMMIT + _LONGEST_HEAD).partition(b"\0")
    )
    kind, _, size = head.partition(b" ")
    if len(content) != int(size):
        raise ValueError(f"{path} is damaged")
    return _KINDS.get(kind, 0), content


def _text(commit: ObjectID, fields: dict[bytes, bytes], parents: tuple[ObjectID, ...], message: bytes) -> CommitText:
    encoding = fields.get(b"encoding", b"utf-8").decode("ascii", "replace")
    author = _decoded(fields.get(b"author", fields.get(b"committer", b"")), encoding)
    committer = _decoded(fields.get(b"committer", b""), encoding)
    text = _decoded(message, encoding).strip()
    subject = text.partition("\n")[0]
    info = CommitInfo(CommitId(commit.decode()), _who(author) or _NOBODY, _when(committer), subject, _who(committer))
    return CommitText(info, text, tuple(CommitId(parent.decode()) for parent in parents))


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding, "replace")
    except (LookupError, ValueError):  # no encoding that is known, or none of text
        return raw.decode(errors="replace")


def _who(person: str) -> str:
    dated = _PERSON.fullmatch(person)
    return dated["who"] if dated else person.strip()


def _when(person: str) -> datetime:
    dated = _PERSON.fullmatch(person)
    seconds = int(dated["seconds"]) if dated else 0
    return datetime.fromtimestamp(seconds if 0 <= seconds < _LAST_SECOND else 0, UTC)
