"""What people call commits: each kind of name is looked up where names of that kind are, and never among all.

Ids win where a name could be one, so that nobody gets a commit deployed by calling a branch after another's id; and
branches win against tags (docs/reference/cli.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dulwich.objects import ObjectID
from dulwich.refs import Ref, check_ref_format

from gitupd.store.git.commits import LARGEST_COMMIT, peeled, read_commit
from gitupd.store.git.size import object_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dulwich.object_store import DiskObjectStore
    from dulwich.refs import RefsContainer

_ANCESTRY = re.compile(r"(.*?)((?:[~^]\d*)*)", re.DOTALL)
_STEP = re.compile(r"([~^])(\d*)")
_ID = re.compile(r"[0-9a-fA-F]{40}")
_SHORT_ID = re.compile(r"[0-9a-fA-F]{7,39}")
_VERY_SHORT_ID = re.compile(r"[0-9a-fA-F]{4,6}")
_PLACES = ("refs/heads/{}", "refs/tags/{}", "refs/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")


def commit_of(refs: RefsContainer, store: DiskObjectStore, revision: str) -> ObjectID:
    """Return the commit that *revision* names: an id or its beginning, a branch, a tag, or ``HEAD~2`` and the like.

    Raises KeyError if there is none, ValueError if it may be several.
    """
    name, steps = _ANCESTRY.fullmatch(revision).groups()  # type: ignore[union-attr] # it matches every text
    commit = _named(refs, store, name)
    for sign, number in _STEP.findall(steps):
        commit = _ancestor(store, commit, sign, int(number or 1))
    return peeled(store, commit)


def branch_head(refs: RefsContainer, store: DiskObjectStore, branch: str) -> ObjectID:
    """Return the commit that *branch* is at; raises KeyError if there is no such branch."""
    head = _reference(refs, f"refs/heads/{branch}")
    if head is None:
        raise KeyError(f"branch {branch!r}")
    return peeled(store, head)


def _named(refs: RefsContainer, store: DiskObjectStore, name: str) -> ObjectID:
    if _ID.fullmatch(name):
        return peeled(store, ObjectID(name.lower().encode()))
    if _SHORT_ID.fullmatch(name) and (commit := _beginning_with(store, name)):
        return commit
    for place in ("{}", *_PLACES) if name == "HEAD" or name.startswith("refs/") else _PLACES:
        if (target := _reference(refs, place.format(name))) is not None:
            return peeled(store, target)
    if _VERY_SHORT_ID.fullmatch(name) and (commit := _beginning_with(store, name)):
        return commit
    raise KeyError(name)


def _reference(refs: RefsContainer, name: str) -> ObjectID | None:
    """Return what the reference *name* stands for, None if there is none."""
    raw = name.encode(errors="surrogateescape")
    if raw != b"HEAD" and not check_ref_format(Ref(raw)):
        return None
    try:
        return refs[Ref(raw)]
    except (KeyError, OSError):  # a name may be too long for a file
        return None


def _beginning_with(store: DiskObjectStore, name: str) -> ObjectID | None:
    """Return the commit whose id begins with *name*, None if there is none; raises ValueError if there are several."""
    commits: set[ObjectID] = set()
    for candidate in store.iter_prefix(name.lower().encode()):
        if object_size(store, candidate) > LARGEST_COMMIT:
            continue  # a file, or nothing that would be read
        try:
            commits.add(peeled(store, candidate))
        except KeyError:
            continue  # a file or a folder
    if len(commits) > 1:
        raise ValueError(f"{name} is how the ids of {len(commits)} commits begin; give more of it")
    return next(iter(commits), None)


def _ancestor(store: DiskObjectStore, commit: ObjectID, sign: str, number: int) -> ObjectID:
    """Return what ``~number`` (so many generations back) or ``^number`` (the so-manyth parent) means to Git."""
    if sign == "^":
        return commit if number == 0 else _nth(read_commit(store, commit).parents, number - 1)
    for _ in range(number):
        commit = _nth(read_commit(store, commit).parents, 0)
    return commit


def _nth(parents: Sequence[ObjectID], index: int) -> ObjectID:
    if index >= len(parents):
        raise KeyError("commit so far back")
    return parents[index]
