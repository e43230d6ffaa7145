"""What would be committed: the files in the index of a work tree, as a hook before a commit has to look at them.

Git names the index to the hook in its environment, and it is not always the usual one. So ``git`` is asked, with the
environment that it gave us, and nothing is read from the work tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.intake import EntryKind, TreeEntry, admit
from gitupd.errors import GitupdError
from gitupd.store.git.asking import git_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_KINDS = {"100644": EntryKind.FILE, "100755": EntryKind.FILE, "120000": EntryKind.LINK, "160000": EntryKind.SUBMODULE}


def staged_files(folder: Path) -> Mapping[str, bytes]:
    """Return the configuration files in the index of the work tree at *folder*, by path.

    Raises InvalidConfiguration as :func:`admit` does, GitupdError if *folder* is in no work tree.
    """
    entries = list(_entries(folder))
    sizes = _sizes(folder, [digest for kind, digest, _ in entries if kind is EntryKind.FILE])
    paths = admit(TreeEntry(path, kind, sizes.get(digest, 0)) for kind, digest, path in entries)
    digests = {path.decode(): digest for _, digest, path in entries if path.isascii() or _is_utf8(path)}
    contents = _contents(folder, [digests[path] for path in paths])
    return {path: contents[digests[path]] for path in paths}


def _entries(folder: Path) -> Iterator[tuple[EntryKind, str, bytes]]:
    """Yield kind, id and path of each entry of the index; of one that is not merged, the first that there is."""
    seen = set()
    for line in git_output(folder, "ls-files", "--stage", "-z", "--full-name", ":/", in_hook=True).split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, digest, _ = facts.decode().split(" ")
        if path not in seen:
            seen.add(path)
            yield _KINDS.get(mode, EntryKind.OTHER), digest, path


def _sizes(folder: Path, digests: Sequence[str]) -> Mapping[str, int]:
    """Return the size in bytes of each object, before any is read."""
    lines = git_output(folder, "cat-file", "--batch-check", given=_listed(digests), in_hook=True).decode().splitlines()
    facts = (line.split(" ") for line in lines)
    return {parts[0]: int(parts[2]) for parts in facts if parts[1] == "blob"}


def _contents(folder: Path, digests: Sequence[str]) -> Mapping[str, bytes]:
    output = git_output(folder, "cat-file", "--batch", given=_listed(digests), in_hook=True)
    contents, at = {}, 0
    while at < len(output):
        end = output.index(b"\n", at)
        digest, kind, size = output[at:end].decode().split(" ")
        if kind != "blob":
            raise GitupdError(f"the index names the object {digest}, which is no file but a {kind}")
        contents[digest] = output[end + 1 : end + 1 + int(size)]
        at = end + 1 + int(size) + 1
    return contents


def _listed(digests: Sequence[str]) -> bytes:
    return "".join(f"{digest}\n" for digest in dict.fromkeys(digests)).encode()


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True
