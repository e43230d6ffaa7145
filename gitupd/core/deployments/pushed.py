"""What a push does to a repository: the references that it moves, and whether it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_BRANCHES = "refs/heads/"
_PARTS = 3
FORCE_OPTION = "force-with-reason"
"""The push option by which the followed branch may be rewound: its value is the reason."""


@dataclass(frozen=True, slots=True)
class PushedRef:
    """A reference that a push moves: ``old`` is None for one that is new, ``new`` None for one that is deleted."""

    name: str
    old: CommitId | None
    new: CommitId | None

    @property
    def branch(self) -> str | None:
        """The name of the branch that it is, None for a tag and anything else."""
        return self.name.removeprefix(_BRANCHES) if self.name.startswith(_BRANCHES) else None


def pushed_ref(old: str, new: str, name: str) -> PushedRef:
    """Return the reference called *name* that moves from *old* to *new*; an id of nothing but zeros is none."""
    return PushedRef(name, *(CommitId(text) if text.strip("0") else None for text in (old, new)))


def parse_push(lines: Iterable[str]) -> tuple[PushedRef, ...]:
    """Return the references that *lines* name, ``OLD NEW NAME`` each, as Git gives them to hooks on standard input.

    Raises GitupdError for anything else.
    """
    refs = []
    for line in lines:
        parts = line.rstrip("\n").split(" ", _PARTS - 1)
        if len(parts) != _PARTS:
            raise GitupdError(f"{line!r} is no line that Git gives to a hook: OLD NEW REF is")
        refs.append(pushed_ref(*parts))
    return tuple(refs)


def force_reason(options: Iterable[str]) -> str:
    """Return why the followed branch is to be rewound, as the *options* of a push say; empty if they don't."""
    for option in options:
        name, _, reason = option.partition("=")
        if name == FORCE_OPTION and reason.strip():
            return reason.strip()
    return ""


def objection_to_move(
    ref: PushedRef, followed: Collection[str], *, rewinds: bool, reason: str, may_force: bool = True
) -> str | None:
    """Return why *ref* may not be moved so, None if it may: what is deployed comes from the *followed* branches.

    *rewinds* is whether commits that were there are not in what comes, *reason* why that is meant, empty for none;
    *may_force* whether whoever pushes may do that for a reason.
    """
    if ref.branch not in followed:
        return None
    if ref.new is None:
        return "it is the branch that is deployed from, and can't be deleted"
    if rewinds and not may_force:
        return (
            "it is the branch that is deployed from, and commits that are in it are not in what is pushed; git pull"
            " --rebase, and push again; only an administrator may have them go"
        )
    if rewinds and not reason:
        return (
            "it is the branch that is deployed from, and commits that are in it are not in what is pushed; git pull"
            " --rebase, and push again; or, if they are to go:"
            f' git push --force -o {FORCE_OPTION}="WHY"'
        )
    return None


def movement(ref: PushedRef) -> str:
    """Return what a push has done to *ref*, in a few words."""
    name = ref.branch or ref.name
    if ref.new is None:
        return f"{name} deleted"
    return f"{name} {ref.old[:12]}..{ref.new[:12]}" if ref.old is not None else f"{name} {ref.new[:12]} new"
