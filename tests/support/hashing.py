"""Passwords hashed at next to no cost, unless a test is about that cost: most only want somebody to be logged in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from gitupd.service.people import passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

_REAL = passwords._HASHER
_CHEAP = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1)


def hash_cheaply() -> None:
    """Have this process take no time over passwords, be they somebody's or nobody's."""
    _use(_CHEAP)


@contextmanager
def hashed_as_usual() -> Iterator[None]:
    """Have the block pay what a site pays for each password."""
    _use(_REAL)
    yield
    _use(_CHEAP)


def _use(hasher: PasswordHasher) -> None:
    passwords._HASHER = hasher
    passwords._NOBODY = passwords._nobody()
