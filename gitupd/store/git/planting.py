"""Files by path become trees of Git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dulwich.objects import Blob, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping


def planted(blobs: Mapping[str, Blob], trees: list[Tree]) -> Tree:
    """Return the tree that has the *blobs* at their paths; it and all below it are added to *trees*."""
    return _plant(_nested(blobs), trees)


def _nested(blobs: Mapping[str, Blob]) -> dict[str, object]:
    root: dict[str, object] = {}
    for path, blob in blobs.items():
        *folders, name = path.split("/")
        folder = root
        for segment in folders:
            inner = folder.setdefault(segment, {})
            assert isinstance(inner, dict)  # noqa: S101 - a path can't be a file and a folder
            folder = inner
        folder[name] = blob
    return root


def _plant(folder: Mapping[str, object], trees: list[Tree]) -> Tree:
    tree = Tree()
    for name, child in folder.items():
        if isinstance(child, Blob):
            tree.add(name.encode(), 0o100644, child.id)
        elif isinstance(child, dict):
            tree.add(name.encode(), 0o040000, _plant(child, trees).id)
    trees.append(tree)
    return tree
