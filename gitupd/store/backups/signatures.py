"""Commits of the backup history with signatures, and what becomes of them later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.objects import Commit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.snapshot import CommitId
    from gitupd.store.signing import Signers, SigningKey


def signed(contents: Iterable[bytes], key: SigningKey) -> list[Commit]:
    """Return the commits of *contents*, each of which is the only parent of the next one, signed with *key*."""
    commits: list[Commit] = []
    for content in contents:
        commit = Commit.from_string(content)
        if commits:
            commit.parents = [commits[-1].id]
        commit.gpgsig = key.sign(commit.as_raw_string())
        commits.append(commit)
    return commits


@dataclass(frozen=True, slots=True)
class Signatures:
    """What signatures say of a history.

    ``signed`` commits are. The ``unsigned`` ones before them are vouched for by those behind, since a commit names the
    one before it; for the ``last`` ones nobody vouches. ``foreign`` is the newest commit whose signature is not one of
    ours, None if there is none.
    """

    signed: int = 0
    unsigned: int = 0
    last: int = 0
    foreign: CommitId | None = None


def signatures(commits: Iterable[tuple[CommitId, bytes]], signers: Signers) -> Signatures:
    """Return what *signers* have signed of *commits*, which come with what Git has of them, the newest first."""
    count = unsigned = last = 0
    for name, content in commits:
        commit = Commit.from_string(content)
        if commit.gpgsig is None:
            unsigned, last = unsigned + 1, last + (count == 0)
        elif signers.vouch(commit.raw_without_sig(), commit.gpgsig):
            count += 1
        else:
            return Signatures(count, unsigned - last, last, name)
    return Signatures(count, unsigned - last, last)
