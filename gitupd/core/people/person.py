"""People: their names, passwords, roles and tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.names import fold
from gitupd.errors import InvalidEntry

if TYPE_CHECKING:
    from datetime import datetime

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1024
LONGEST_TITLE = 100
LONGEST_TOKEN_DAYS = 3650

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}")


class Role(StrEnum):
    """What somebody may do: a ladder, on which each may do what those before may."""

    VIEWER = "viewer"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    def allows(self, needed: Role) -> bool:
        """Whether this role may do what *needed* may."""
        ladder = tuple(Role)
        return ladder.index(self) >= ladder.index(needed)


def lower_role(one: Role, other: Role) -> Role:
    """Return the one that may do less."""
    return other if one.allows(other) else one


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, or for the command line ``user@host``; from which address, None if it is this machine."""

    name: str
    role: Role
    address: str | None


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in, unless ``disabled``; ``name`` is folded, ``language`` None is that of the browser.

    ``device_columns`` are the names of those that their list of devices has, with commas; None are the usual ones.
    """

    name: str
    role: Role
    created: datetime
    disabled: bool = False
    language: str | None = None
    device_columns: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A key for programs, which act as ``user``, with ``role`` at the most; ``expires`` None means never."""

    id: int
    user: str
    title: str
    role: Role
    created: datetime
    expires: datetime | None
    used: datetime | None


# What people enter


def parse_role(text: str) -> Role:
    """Return the role that *text* names; raises InvalidEntry."""
    try:
        return Role(fold(text.strip()))
    except ValueError:
        raise InvalidEntry(f"there is no role {text!r}; choose {', '.join(Role)}") from None


def parse_name(text: str) -> str:
    """Return the name of a person as it is kept, without regard to letter case; raises InvalidEntry."""
    if not _NAME.fullmatch(text.strip()):
        raise InvalidEntry(
            "a name starts with a letter or digit, goes on with these or . _ - @, and has 64 of them at the most"
        )
    return fold(text.strip())


def parse_password(text: str) -> str:
    """Return a password that somebody has chosen; raises InvalidEntry if it can't be one."""
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise InvalidEntry(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; choose another one")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidEntry("this password is not UTF-8; choose another one, or another terminal")
    return text


def parse_title(text: str) -> str:
    """Return what a token is called; raises InvalidEntry for an empty or long title."""
    title = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise InvalidEntry(f"a token needs a title of 1 to {LONGEST_TITLE} characters, such as: monitoring")
    return title


def parse_days(text: str) -> int | None:
    """Return for how many days a token is to be good, None for an empty *text*: for ever; raises InvalidEntry."""
    if not text.strip():
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text.strip()) or not 1 <= int(text) <= LONGEST_TOKEN_DAYS:
        raise InvalidEntry(f"{text!r} is no number of days from 1 to {LONGEST_TOKEN_DAYS}; leave it empty for ever")
    return int(text)
