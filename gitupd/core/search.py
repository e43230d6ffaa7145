"""What people type to find devices: words that must equal a whole value, and ``key:value``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.certificates.standing import WORDS as CERTIFICATES
from gitupd.core.deployments.convergence import WORDS as PARTS
from gitupd.core.names import fold
from gitupd.errors import InvalidEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS = (
    "sn",
    "hwid",
    "name",
    "type",
    "address",
    "phase",
    "class",
    "env",
    "firmware",
    "bootcode",
    "commit",
    "sent",
    "seen",
    "state",
    "has",
    "certificate",
    "deployment",
    "runs",
    "never",
)
"""What may stand in front of a colon; ``commit`` is the confirmed one, ``runs`` the one that it surely runs, ``never``
one that it was to run and did not confirm; these and ``sent`` are matched from the beginning."""

ADMISSIONS = ("unknown", "quarantined", "refused", "accepted")
"""Words that stand for the verdict on a device, and whoever spoke it."""

STATES = ("present", "missing", "current", "waiting", "warned", "alarmed", *ADMISSIONS)
"""Words that stand for a state and not for a value."""

THINGS = ("warning", "message")
"""What may stand behind ``has:``."""

_TERM = re.compile(r'(?:(?P<key>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S+))')
_ADDRESS_START = re.compile(r"(?:\d{1,3}\.){1,3}")
_AGES = re.compile(r"(?P<beyond>>)?(?P<one>[0-9]{1,5}[mhd])(?:-(?P<other>[0-9]{1,5}[mhd]))?")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,4}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TIMES = "write seen:15m, seen:1h-1d or seen:>30d"
_LONGEST = 500
_MOST_TERMS = 20


@dataclass(frozen=True, slots=True)
class Word:
    """A word that must equal some value of a device, whole but without regard to letter case; it is folded."""

    text: str


@dataclass(frozen=True, slots=True)
class AddressStart:
    """The beginning of an address, up to and with a dot, such as ``10.1.``."""

    text: str


@dataclass(frozen=True, slots=True)
class InState:
    """One of :data:`STATES`."""

    state: str


@dataclass(frozen=True, slots=True)
class Seen:
    """When a device called last: longer ago than ``beyond``, and within ``within``; None if that does not matter."""

    beyond: timedelta | None
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A value for one of :data:`KEYS`, folded; ``*`` in it stands for any characters."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Nonsense:
    """What has a key that is none, or a value that its key can't have, as ``fault`` says; no device meets it."""

    fault: str


Term = Word | AddressStart | InState | Seen | Pair | Nonsense


@dataclass(frozen=True, slots=True)
class Search:
    """What was typed, and the terms in it: a device is found if it meets all of them, so none finds every device."""

    text: str = ""
    terms: tuple[Term, ...] = ()

    @property
    def fault(self) -> str:
        """Why it finds nothing whatever there is; empty if it may find something."""
        return next((term.fault for term in self.terms if isinstance(term, Nonsense)), "")


def parse_search(text: str) -> Search:
    """Return the search that *text* means. Anything means something, though it may be :class:`Nonsense`."""
    text = " ".join(_CONTROL.sub(" ", text[:_LONGEST]).encode(errors="replace").decode().split())
    matches = list(_TERM.finditer(text))
    if len(matches) > _MOST_TERMS:
        return Search(text, (Nonsense(f"{len(matches)} words are too many; up to {_MOST_TERMS} are looked for"),))
    return Search(text, tuple(map(_term, matches)))


def checked_search(text: str) -> Search:
    """Return the search that *text* means; raises InvalidEntry if it finds nothing whatever there is.

    For those who would take no devices for an answer.
    """
    search = parse_search(text)
    if search.fault:
        raise InvalidEntry(search.fault)
    return search


def typed(words: Iterable[str]) -> str:
    """Return *words* of a command line as one text to search by, in which a word with blanks stays one."""
    return " ".join(f'"{word}"' if " " in word and ":" not in word else word for word in words)


def _term(match: re.Match[str]) -> Term:
    key = (match["key"] or "").lower()
    value = fold(match["plain"] if match["quoted"] is None else match["quoted"])
    match key:
        case "state":
            return InState(value) if value in STATES else _none_of(value, key, STATES)
        case "has":
            return Pair(key, value) if value in THINGS else _none_of(value, key, THINGS)
        case "certificate":
            return Pair(key, value) if value in ("", *CERTIFICATES) else _none_of(value, key, CERTIFICATES)
        case "deployment":
            return Pair(key, value) if value in PARTS else _none_of(value, key, PARTS)
        case "seen":
            return _seen(value) or Nonsense(f"{value!r} is no time to search by; {_TIMES}")
        case _ if key in KEYS:
            return Pair(key, value)
        case _ if key and not _HEXADECIMAL.fullmatch(key):  # addresses have colons, too
            return Nonsense(f"{key!r} is nothing to search by; keys are {', '.join(KEYS)}")
        case _:
            return _word(match, value)


def _none_of(value: str, key: str, values: tuple[str, ...]) -> Nonsense:
    cure = " or ".join(f"{key}:{possible}" for possible in values)
    return Nonsense(f"{value!r} is nothing to search by as {key!r}; write {cure}")


def _word(match: re.Match[str], value: str) -> Term:
    if match["quoted"] is None:
        value = fold(match[0])
        if value in STATES:
            return InState(value)
        if _ADDRESS_START.fullmatch(value):
            return AddressStart(value)
    return Word(value)


def _seen(value: str) -> Seen | None:
    """Return what ``15m``, ``1h-1d`` or ``>30d`` stands for, None for anything else."""
    match = _AGES.fullmatch(value)
    if match is None or (match["beyond"] and match["other"]):
        return None
    one = _age(match["one"])
    if match["beyond"]:
        return Seen(beyond=one, within=None)
    return Seen(beyond=one, within=_age(match["other"])) if match["other"] else Seen(beyond=None, within=one)


def _age(text: str) -> timedelta:
    return int(text[:-1]) * _UNITS[text[-1]]
