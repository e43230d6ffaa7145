"""Values of a site that begin with what somebody has typed so far, each with a few words on it.

Statements are the same for SQLite and PostgreSQL. What is typed is only ever a value of one, in small letters besides,
as what is found may be written otherwise.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from gitupd.core.admission.admittance import OUTSIDE

if TYPE_CHECKING:
    from gitupd.store.glances.database import Glance

Found = tuple[str, str]
"""A value, and what is said of it; nothing is said by an empty text."""

_AFTER_HEXADECIMAL = "g"
_NAME = "COALESCE(given_name, own_name, '')"
_SHORT = 12


def serials(seen: Glance, start: str) -> list[Found]:
    """Return serial numbers that begin with the digits *start*, each with the name and type of its device."""
    statement = (
        f"SELECT serial, {_NAME}, COALESCE(model, '') FROM devices WHERE serial >= ? AND serial < ? ORDER BY serial"
    )
    found = seen.rows(statement, start, f"{start}{_AFTER_HEXADECIMAL}")
    return [(serial, f"{name} {model}".strip()) for serial, name, model in found]


def kept_serials(seen: Glance, start: str) -> list[Found]:
    """Return serial numbers of which backups are kept, as :func:`serials`; of forgotten devices nothing is said."""
    statement = (
        f"SELECT h.serial, {_NAME}, COALESCE(model, '') FROM backup_heads h LEFT JOIN devices d ON d.serial = h.serial"
        " WHERE h.serial >= ? AND h.serial < ? ORDER BY h.serial"
    )
    found = seen.rows(statement, start, f"{start}{_AFTER_HEXADECIMAL}")
    return [(serial, f"{name} {model}".strip()) for serial, name, model in found]


def names(seen: Glance, start: str) -> list[Found]:
    """Return names of devices that are let in, each with the digits of their serial number."""
    named = f"SELECT {_NAME} AS name, serial FROM devices WHERE COALESCE(admission, '') NOT IN (?, ?)"
    statement = (
        f"SELECT name, serial FROM ({named}) AS named WHERE name <> '' AND {_begins('name')} ORDER BY name, serial"
    )
    outside = [verdict.value for verdict in OUTSIDE]
    return [(name, serial) for name, serial in seen.rows(statement, *outside, *_beginning(start))]


def addresses(seen: Glance, start: str) -> list[Found]:
    """Return addresses of devices that are let in, each with the name of its device, else its type."""
    statement = (
        f"SELECT address, {_NAME}, COALESCE(model, '') FROM devices WHERE COALESCE(admission, '') NOT IN (?, ?)"
        f" AND address <> '' AND {_begins('address')} ORDER BY address"
    )
    found = seen.rows(statement, *(verdict.value for verdict in OUTSIDE), *_beginning(start))
    return [(address, name or model) for address, name, model in found]


def own_values(seen: Glance, column: Literal["phase", "model", "firmware", "bootcode"], start: str) -> list[Found]:
    """Return what devices have in a column."""
    statement = f"SELECT DISTINCT {column} FROM devices WHERE {column} <> '' AND {_begins(column)} ORDER BY {column}"
    return [(str(value), "") for (value,) in seen.rows(statement, *_beginning(start))]


def listed_values(seen: Glance, column: Literal["environments", "classes"], start: str) -> list[Found]:
    """Return what devices have in a list."""
    text = f"CAST({column} AS TEXT)"
    statement = f"SELECT DISTINCT {text} FROM devices WHERE {column} IS NOT NULL AND lower({text}) LIKE ? ESCAPE '!'"
    begun = f'%"{_beginning(start)[0]}' if start.isascii() else "%"  # JSON has other letters in its own way
    values = {str(value) for (listed,) in seen.rows(statement, begun) for value in json.loads(listed) or ()}
    return [(value, "") for value in sorted(values) if value.lower().startswith(start.lower())]


def versions(seen: Glance, serial: str, start: str) -> list[Found]:
    """Return the commits of versions that are kept of a device, the latest first, each with when it came."""
    statement = (
        'SELECT "commit", received, lines FROM backup_versions'
        ' WHERE serial = ? AND "commit" >= ? AND "commit" < ? ORDER BY id DESC'
    )
    found = seen.rows(statement, serial, start, f"{start}{_AFTER_HEXADECIMAL}")
    return [(commit[:_SHORT], f"{str(received)[:16]} UTC, {lines} lines") for commit, received, lines in found]


def live_commit(seen: Glance) -> list[Found]:
    """Return the commit that is deployed, if there is one."""
    return [(commit, f"deployed: {subject}") for commit, subject in _decided(seen)[:1]]


def deployed(seen: Glance) -> list[Found]:
    """Return the commits that were deployed before, the latest first; not the one that is deployed."""
    return _decided(seen)[1:]


def _decided(seen: Glance) -> list[Found]:
    statement = f"SELECT d.{_COMMIT} FROM deployments d {_SUBJECT} ORDER BY d.id DESC"
    found: dict[str, str] = dict(seen.rows(statement))
    return [(commit[:_SHORT], subject) for commit, subject in found.items()]


def blocked(seen: Glance) -> list[Found]:
    """Return the commits that a rollback has blocked, the latest first."""
    statement = f"SELECT d.{_COMMIT} FROM blocked_commits d {_SUBJECT} ORDER BY d.at DESC"
    return [(commit[:_SHORT], subject) for commit, subject in seen.rows(statement)]


def refused(seen: Glance) -> list[Found]:
    """Return the commits of the repository elsewhere that are refused, each with why."""
    found = seen.rows("SELECT refused, refusal FROM upstreams WHERE refused IS NOT NULL ORDER BY refused")
    return [(commit[:_SHORT], refusal) for commit, refusal in found]


def people(seen: Glance, start: str) -> list[Found]:
    """Return the names of people, each with what they may."""
    statement = f"SELECT name, role FROM users WHERE {_begins('name')} ORDER BY name"
    return [(name, role) for name, role in seen.rows(statement, *_beginning(start))]


def shared_searches(seen: Glance, start: str) -> list[Found]:
    """Return the names of searches for devices that are saved for everybody, each with what it looks for."""
    statement = f"SELECT name, text FROM saved_searches WHERE owner = '' AND {_begins('name')} ORDER BY name"
    return [(name, text) for name, text in seen.rows(statement, *_beginning(start))]


def tokens(seen: Glance, start: str) -> list[Found]:
    """Return the ids of keys, each with whose it is, and what it is for."""
    found = seen.rows('SELECT id, "user", title FROM tokens ORDER BY id DESC')
    return [(str(number), f"{user}: {title}") for number, user, title in found if str(number).startswith(start)]


def open_codes(seen: Glance, start: str) -> list[Found]:
    """Return the ids of one-time codes that nobody has used or revoked, each with what it is for."""
    found = seen.rows("SELECT id, title FROM codes WHERE used IS NULL AND revoked IS NULL ORDER BY id DESC")
    return [(str(number), title) for number, title in found if str(number).startswith(start)]


def certificate_numbers(seen: Glance, start: str) -> list[Found]:
    """Return the numbers of certificates that are not revoked, the latest first, each with its device."""
    statement = f"SELECT number, serial FROM issued WHERE revoked IS NULL AND {_begins('number')} ORDER BY id DESC"
    return [(number, serial) for number, serial in seen.rows(statement, *_beginning(start))]


_COMMIT = "\"commit\", COALESCE(s.subject, '')"
_SUBJECT = 'LEFT JOIN seen_commits s ON s."commit" = d."commit"'


def _begins(column: str) -> str:
    """Return the condition that a column begins with one of the two values of :func:`_beginning`."""
    return f"(lower({column}) LIKE ? ESCAPE '!' OR {column} LIKE ? ESCAPE '!')"


def _beginning(start: str) -> tuple[str, str]:
    """Return patterns for what begins so: in small letters, and as it is, as SQLite makes only those to Z small."""
    safe = start.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"{safe.lower()}%", f"{safe}%"
