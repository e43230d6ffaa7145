"""Who has pushed the latest commits: noted before a branch is moved, for it may be deployed in the next moment."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.settings import FILE_NAME
from gitupd.store.durable import replacing
from gitupd.store.places import CONFIG, DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

PUSHERS = "pushers"
_MOST_KEPT = 2_000
"""Lines: twice as many as a push over HTTP may name references, so that none is hidden behind others."""


def site_of(repository: Path) -> Path | None:
    """Return the folder of the site whose configuration *repository* is, None if it is no site's."""
    place = repository.parent
    is_a_site = repository.name == CONFIG and any((place / name).exists() for name in (DATABASE, FILE_NAME))
    return place if is_a_site else None


def note_pusher(site: Path, commits: Iterable[CommitId], who: str) -> None:
    """Note that *who* pushes *commits* to *site*; whoever can't be noted pushes all the same."""
    name = " ".join(who.split())
    lines = dict.fromkeys([*(f"{commit} {name}" for commit in commits), *_lines(site)])
    with suppress(OSError), replacing(site / PUSHERS) as file:
        file.write("".join(f"{line}\n" for line in islice(lines, _MOST_KEPT)).encode())


def pusher_of(site: Path, commit: CommitId) -> str | None:
    """Return who has pushed *commit* to *site*, None if that is not known, or was long ago."""
    return next(iter(pushers(site).get(commit, ())), None)


def pushers(site: Path) -> Mapping[CommitId, Sequence[str]]:
    """Return by commit who has pushed it to *site*, the last one first; those are missing that came long ago."""
    found = defaultdict[CommitId, list[str]](list)
    for line in _lines(site):
        commit, _, name = line.partition(" ")
        found[CommitId(commit)].append(name)
    return found


def _lines(site: Path) -> list[str]:
    with suppress(OSError, UnicodeDecodeError):
        return (site / PUSHERS).read_text("utf-8").splitlines()
    return []
