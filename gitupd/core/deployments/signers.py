"""Who may sign commits, as ``signers/`` of a commit says: SSH keys with conditions, and OpenPGP certificates."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

NAMESPACE = "git"
"""What a signature of Git's is made for; OpenSSH signs files, and whatever else, for other ones."""


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """A line of ``allowed_signers``: a ``key`` as SSH sends it, and on which conditions it counts.

    ``principals`` are patterns that name its holder, or whom the holders of certificates must be if it is an
    ``authority``; ``namespaces`` are patterns, empty for all. It counts from ``after`` on until ``before``, None for
    always.
    """

    line: int
    principals: str
    key: bytes = field(repr=False)
    authority: bool = False
    namespaces: str = ""
    after: datetime | None = None
    before: datetime | None = None

    @property
    def name(self) -> str:
        """What people call its holder."""
        return self.principals.partition(",")[0]


@dataclass(frozen=True)
class CommitSigners:
    """Whose signatures count: ``allowed`` SSH keys, and ``certificates`` of OpenPGP, each with its path.

    Keys in ``revoked`` never count, whatever else says so.
    """

    allowed: tuple[AllowedSigner, ...] = ()
    certificates: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    revoked: frozenset[bytes] = field(default=frozenset(), repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nobody's signature counts."""
        return not (self.certificates or any(each.key not in self.revoked for each in self.allowed))

    @cached_property
    def digest(self) -> str:
        """What differs between two that differ: verdicts are kept by it."""
        allowed = [(str(each), each.key) for each in self.allowed]
        return hashlib.sha256(repr((allowed, self.certificates, sorted(self.revoked))).encode()).hexdigest()


def fingerprint(key: bytes) -> str:
    """Return how OpenSSH names *key*, which is as SSH sends it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode("ascii").rstrip("=")


def listed(name: str, patterns: str) -> bool:
    """Whether *name* fits one of the *patterns*, joined by commas, and none of those that begin with ``!``.

    As in OpenSSH, ``*`` stands for anything, and ``?`` for one letter.
    """
    fits = False
    for pattern in patterns.split(","):
        if _fits(name, pattern.removeprefix("!")):
            if pattern.startswith("!"):
                return False
            fits = True
    return fits


def first_listed(names: Iterable[str], patterns: str) -> str | None:
    """Return the first of *names* that fits *patterns*, None if none does."""
    return next((name for name in names if listed(name, patterns)), None)


def _fits(name: str, pattern: str) -> bool:
    """Whether *name* fits *pattern*; a star is tried again from where it stood last, so that it takes no time."""
    at = place = 0
    star, since = -1, 0
    while at < len(name):
        if place < len(pattern) and pattern[place] == "*":
            star, since = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", name[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            since += 1
            at, place = since, star + 1
        else:
            return False
    return not pattern[place:].strip("*")
