"""People: their names, passwords and roles, what they do, and how long they wait after failed log-ins."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.names import fold
from gitupd.errors import InvalidEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1024
LONGEST_TITLE = 100
LONGEST_TOKEN_DAYS = 3650

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}")
_LONGEST = {"who": 100, "subject": 200, "detail": 2000, "address": 64}


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


class Kind(StrEnum):
    """What somebody did."""

    LOGIN = "login"
    LOGIN_REFUSED = "login-refused"
    LOGOUT = "logout"
    PASSWORD = "password"  # noqa: S105 - a kind, no password
    USER_ADD = "user-add"
    USER_CHANGE = "user-change"
    USER_REMOVE = "user-remove"
    TOKEN_ADD = "token-add"  # noqa: S105 - a kind, no token
    TOKEN_REVOKE = "token-revoke"  # noqa: S105 - as above
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    UNBLOCK = "unblock"
    DEVICE_FORGET = "device-forget"
    DEVICE_TOUCH = "device-touch"
    FIRMWARE_ADD = "firmware-add"
    EXPORT = "export"
    BACKUP_VIEW = "backup-view"
    BACKUP_BEGIN_ANEW = "backup-begin-anew"
    RESTORE = "restore"
    RESTORE_CANCEL = "restore-cancel"


_DEEDS: Mapping[str, str] = {
    Kind.LOGIN: "logged in",
    Kind.LOGIN_REFUSED: "failed to log in",
    Kind.LOGOUT: "logged out",
    Kind.PASSWORD: "set a password",
    Kind.USER_ADD: "added somebody",
    Kind.USER_CHANGE: "changed somebody's rights",
    Kind.USER_REMOVE: "removed somebody",
    Kind.TOKEN_ADD: "made a token",
    Kind.TOKEN_REVOKE: "revoked a token",
    Kind.DEPLOY: "deployed a commit",
    Kind.ROLLBACK: "rolled back to a commit",
    Kind.UNBLOCK: "unblocked a commit",
    Kind.DEVICE_FORGET: "forgot devices",
    Kind.DEVICE_TOUCH: "touched devices",
    Kind.FIRMWARE_ADD: "added firmware",
    Kind.EXPORT: "fetched the configuration",
    Kind.BACKUP_VIEW: "looked at backups",
    Kind.BACKUP_BEGIN_ANEW: "began the backup history anew",
    Kind.RESTORE: "asked for a restore",
    Kind.RESTORE_CANCEL: "cancelled a restore",
}


def deed(kind: str) -> str:
    """Return the words for a :class:`Kind`, which follow a name: ``Vera`` ``logged in``; an unknown one is its own."""
    return _DEEDS.get(kind, kind)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, or for the command line ``user@host``; from which address, None if it is this machine."""

    name: str
    role: Role
    address: str | None


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in, unless ``disabled``; ``name`` is folded."""

    name: str
    role: Role
    created: datetime
    disabled: bool = False


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


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done, as the audit keeps it."""

    at: datetime
    who: str
    kind: str
    subject: str = ""
    detail: str = ""
    address: str | None = None

    def safe(self) -> Event:
        """Return the event with texts of bounded length, which can be shown in one line."""
        address = None if self.address is None else _safe(self.address, "address")
        who, subject, detail = _safe(self.who, "who"), _safe(self.subject, "subject"), _safe(self.detail, "detail")
        return Event(self.at, who, self.kind, subject, detail, address)


def _safe(text: str, field: str) -> str:
    longest = _LONGEST[field]
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


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


# Failed log-ins

WINDOW = timedelta(minutes=15)
"""How long a failed log-in counts."""

FREE_FOR_PAIR, FREE_FOR_ADDRESS, FREE_FOR_NAME = 5, 20, 50
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Failures:
    """Log-ins that failed within the last WINDOW: how many, and when the latest did, None if there is none."""

    count: int = 0
    latest: datetime | None = None

    def pause(self, free: int, now: datetime) -> timedelta:
        """Return how long the next try has to wait: twice as long with each failure after the *free* ones."""
        if self.latest is None or self.count < free:
            return timedelta()
        doublings = min(self.count - free, 10)
        return max(self.latest + min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE) - now, timedelta())


@dataclass(frozen=True, slots=True)
class Guesses:
    """The failures of one name from one address, of that address with any name, of that name from anywhere."""

    pair: Failures = Failures()
    address: Failures = Failures()
    name: Failures = Failures()

    def pause(self, now: datetime, *, familiar: bool) -> timedelta:
        """Return how long the next try has to wait before its password is looked at.

        Whoever guesses is slowed down by the pair and by the address, whoever has many addresses by the name. The
        name alone would let anybody with a few addresses lock an administrator out. So it does not count where the
        person is *familiar*: where they logged in lately. There, only failures from that very address matter, and the
        command line remains to everybody who has the machine. No pause is longer than a quarter of an hour, and tries
        that are refused for the pause don't make it longer.
        """
        return max(
            self.pair.pause(FREE_FOR_PAIR, now),
            self.address.pause(FREE_FOR_ADDRESS, now),
            timedelta() if familiar else self.name.pause(FREE_FOR_NAME, now),
        )


def neighbourhood(address: str | None) -> str:
    """Return by what an address counts: itself, for IPv6 its /64 network, since anybody has all addresses of that."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))


def is_familiar(address: str | None, known: Iterable[str | None]) -> bool:
    """Whether *address* is near one of the *known* ones."""
    return neighbourhood(address) in {neighbourhood(each) for each in known}
