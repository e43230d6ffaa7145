"""What people type to find devices: words, and ``key:value``, which may be several, or not be.

docs/reference/search.md is for those who type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitupd.core.backups.overdue import Overdue
from gitupd.core.backups.text_in_line import TextInLine
from gitupd.core.certificates.standing import WORDS as CERTIFICATES
from gitupd.core.deployments.convergence import WORDS as PARTS
from gitupd.core.names import fold
from gitupd.core.searches.times import Seen, SeenOn, seen_on, seen_within
from gitupd.core.searches.versions import VersionRange, ends_of, version_range
from gitupd.errors import InvalidEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    "target",
    "commit",
    "sent",
    "seen",
    "state",
    "has",
    "certificate",
    "backup",
    "deployment",
    "runs",
    "never",
    "drift",
    "text",
    "word",
)
"""What may stand in front of a colon; ``commit`` is the confirmed one, ``runs`` the one that it surely runs, ``never``
one that it was to run and did not confirm; these and ``sent`` are matched from the beginning. ``text`` and ``word`` are
what the latest backup holds."""

ADMISSIONS = ("unknown", "quarantined", "refused", "accepted")
"""Words that stand for the verdict on a device, and whoever spoke it."""

STATES = ("present", "missing", "current", "waiting", "warned", "alarmed", *ADMISSIONS)
"""Words that stand for a state and not for a value."""

THINGS = ("warning", "message", "backup")
"""What may stand behind ``has:``."""

OVERDUE = tuple(reason.value for reason in Overdue)
"""What may stand behind ``backup:``."""

DRIFTS = ("yes", "no", "unknown")
"""What may stand behind ``drift:``, besides a module and its option."""

ORDERED = ("firmware", "bootcode", "target")
"""Keys whose values are builds, of which one is before the other."""

_QUOTED = r'"[^"]*"?'
_COLUMN = r"[^\W\d][\w-]*(?:\.[\w-]+)+"
_TERM = re.compile(rf'(?P<minus>-(?=\S))?(?:(?P<key>[A-Za-z]+|{_COLUMN}):)?(?P<values>(?:{_QUOTED}|[^"\s])+)|\S+')
_ALTERNATIVE = re.compile(rf'(?:{_QUOTED}|[^",])+')
_WILD = re.compile("[*?]")
_ADDRESS_START = re.compile(r"(?:\d{1,3}\.){1,3}")
_BUILDS = re.compile(r"(?P<than>[<>])(?P<only>[0-9a-z]+)|(?P<least>[0-9a-z]+)\.\.(?P<most>[0-9a-z]+)")
_OPTION = re.compile(r"\S(?:.*\S)? /\S*")
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,4}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TIMES = "write seen:15m, seen:1h-1d, seen:>30d, or days such as seen:2026-05-01..2026-05-07"
_LONGEST = 500
_MOST_TERMS = 20
_MOST_LOOSENED = 4
_CLOSED = {"has": THINGS, "certificate": ("", *CERTIFICATES), "backup": OVERDUE, "deployment": PARTS}
"""Keys that have some values and no others."""

_SOUGHT_IN_PARTS = ("env", "type", "class")
"""Keys of whose values a word is no part, though people may have meant one."""

_FEW_WORDS = 2

_IN_PARTS = ("sn", "hwid", "name", "type", "address", "phase", "class", "env")
"""Keys of whose values people may know a part."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that must equal some value of a device, whole but without regard to letter case; it is folded."""

    text: str


@dataclass(frozen=True, slots=True)
class PartOf:
    """A word that must be a part of a name, serial number, hardware id or address, or some other value as a whole."""

    text: str


@dataclass(frozen=True, slots=True)
class Wild:
    """A word that must equal some value of a device as a whole, with any characters for ``*`` and one for ``?``."""

    pattern: str


@dataclass(frozen=True, slots=True)
class AddressStart:
    """The beginning of an address, up to and with a dot, such as ``10.1.``."""

    text: str


@dataclass(frozen=True, slots=True)
class InState:
    """One of :data:`STATES`."""

    state: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A value for one of :data:`KEYS`, folded; in a ``wild`` one ``*`` stands for any characters, ``?`` for one."""

    key: str
    value: str
    wild: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """A build for one of :data:`ORDERED`, after ``low`` and before ``high``, or with ``ends`` these, too; None is open.

    Of two builds the longer one is the later one, and of those that are equally long the one with the greater digits.
    """

    key: str
    low: str | None
    high: str | None
    ends: bool


@dataclass(frozen=True, slots=True)
class Holds:
    """A text that a line of the latest backup holds, as far as everybody may see it."""

    wanted: TextInLine


@dataclass(frozen=True, slots=True)
class HasAnswered:
    """A value that a device gave to a query, by the name of its column, as in a :class:`Pair`; or one in a ``range``.

    Who has it is told by :func:`with_answers`: it is not known here what is asked.
    """

    key: str
    value: str
    wild: bool = False
    range: VersionRange | None = None


@dataclass(frozen=True, slots=True)
class Among:
    """One of the devices with these serial numbers, each as digits."""

    digits: frozenset[str]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What meets any of some terms, and not only of one."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What does not meet a term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Nonsense:
    """What has a key that is none, or a value that its key can't have, as ``fault`` says; no device meets it."""

    fault: str


Term = (
    Word
    | PartOf
    | Wild
    | AddressStart
    | InState
    | Seen
    | SeenOn
    | Pair
    | Between
    | Holds
    | HasAnswered
    | Among
    | AnyOf
    | Not
    | Nonsense
)


@dataclass(frozen=True, slots=True)
class Search:
    """What was typed, and the terms in it: a device is found if it meets all of them, so none finds every device.

    ``words`` are what was typed for each of the terms.
    """

    text: str = ""
    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """Why it finds nothing whatever there is; empty if it may find something."""
        return next((term.fault for term in self.terms if isinstance(term, Nonsense)), "")

    def without(self, number: int) -> str:
        """Return what to type for a search without term *number*, counted from 0."""
        return " ".join(word for at, word in enumerate(self.words) if at != number)

    def has(self, word: str) -> bool:
        """Whether *word* is one of its words, without regard to letter case."""
        return fold(word) in map(fold, self.words)

    def narrowed(self, word: str) -> str:
        """Return what to type for a search within this one for *word*."""
        return " ".join(self.words if self.has(word) else (*map(_closed, self.words), word))

    def toggled(self, word: str) -> str:
        """Return what to type for a search within this one for *word*, or without it if it is there already.

        Of states there is one at a time.
        """
        states = STATES if word in STATES else ()
        others = [each for each in self.words if fold(each) != fold(word) and each.lower() not in states]
        return " ".join(others if self.has(word) else (*map(_closed, others), word))


def parse_search(text: str) -> Search:
    """Return the search that *text* means. Anything means something, though it may be :class:`Nonsense`."""
    text = " ".join(_CONTROL.sub(" ", text[:_LONGEST]).encode(errors="replace").decode().split())
    matches = list(_TERM.finditer(text))
    words = tuple(match[0] for match in matches)
    if sum(1 + match[0].count(",") for match in matches) > _MOST_TERMS:
        many = Nonsense(
            f"{len(matches)} words are too many; up to {_MOST_TERMS} are looked for, with those behind commas"
        )
        return Search(text, (many,), (text,))
    return Search(text, tuple(map(_term, matches)), words)


def with_answers(search: Search, meaning: Callable[[HasAnswered], Term]) -> Search:
    """Return *search* with the *meaning* of each :class:`HasAnswered` in its place."""
    return replace(search, terms=tuple(_replaced(term, meaning) for term in search.terms))


def _replaced(term: Term, meaning: Callable[[HasAnswered], Term]) -> Term:
    match term:
        case HasAnswered():
            return meaning(term)
        case Not(each):
            other = _replaced(each, meaning)
            return other if isinstance(other, Nonsense) else Not(other)
        case AnyOf(terms):
            others = tuple(_replaced(each, meaning) for each in terms)
            return next((each for each in others if isinstance(each, Nonsense)), AnyOf(others))
        case _:
            return term


def loosened(search: Search) -> tuple[str, ...]:
    """Return what to type for searches that are like *search* and may find more: a few, each once.

    A value behind a key as a part of one, a value without its key, one or two words as parts of other values, and each
    term left out.
    """
    texts = []
    for at, word in enumerate(search.words[:_MOST_LOOSENED]):
        match = _TERM.fullmatch(word)
        before, after = search.words[:at], search.words[at + 1 :]
        if match is not None and match["key"] and not match["minus"] and match["key"].lower() in _IN_PARTS:
            value = match["values"].strip('"').replace(" ", "?")
            texts += [" ".join((*before, f"{match['key']}:*{value}*", *after)), " ".join((*before, value, *after))]
        if len(search.words) <= _FEW_WORDS and isinstance(search.terms[at], PartOf):
            texts += [" ".join((*before, f"{key}:*{word}*", *after)) for key in _SOUGHT_IN_PARTS]
        if len(search.words) > 1:
            texts.append(search.without(at))
    return tuple(text for text in dict.fromkeys(texts) if text != search.text)


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


def _closed(word: str) -> str:
    """Return *word* with an end to what is quoted in it, so that others may follow."""
    return f'{word}"' if word.count('"') % 2 else word


def _term(match: re.Match[str]) -> Term:
    key = (match["key"] or "").lower()
    if key not in KEYS and "." not in key:
        if key and not _HEXADECIMAL.fullmatch(key):  # addresses have colons, too
            return Nonsense(f"{key!r} is nothing to search by; keys are {', '.join(KEYS)}")
        values, minus = match[0].removeprefix(match["minus"] or ""), match["minus"]
        key = ""
    else:
        values, minus = match["values"], match["minus"]
    terms = [_alternative(key, each) for each in _ALTERNATIVE.findall(values)] or [Word(fold(values))]
    wrong = next((term for term in terms if isinstance(term, Nonsense)), None)
    if wrong is not None:
        return wrong
    term = terms[0] if len(terms) == 1 else AnyOf(tuple(terms))
    return Not(term) if minus else term


def _alternative(key: str, written: str) -> Term:
    """Return what one value behind *key* means, or a word of its own if that is empty."""
    value = fold(written.replace('"', ""))
    literal = written.startswith('"')
    match key:
        case "":
            return Word(value) if literal else _word(value)
        case "state":
            return InState(value) if value in STATES else _none_of(value, key, STATES)
        case _ if key in _CLOSED:
            return (
                Pair(key, value) if value in _CLOSED[key] else _none_of(value, key, tuple(filter(None, _CLOSED[key])))
            )
        case "drift":
            return Pair(key, value) if value in DRIFTS or _OPTION.fullmatch(value) else _none_of(value, key, DRIFTS)
        case "text" | "word":
            wanted = TextInLine(value, whole=key == "word")
            return Holds(wanted) if value else Nonsense(f"type behind '{key}:' what a line of the backup is to hold")
        case "seen":
            return seen_within(value) or seen_on(value) or Nonsense(f"{value!r} is no time to search by; {_TIMES}")
        case _ if key in ORDERED and not literal and (builds := _BUILDS.fullmatch(value)):
            return Between(key, *ends_of(builds))
        case _:
            wild = not literal and _WILD.search(value) is not None
            return _answer(key, value, literal=literal, wild=wild) if "." in key else Pair(key, value, wild)


def _answer(key: str, value: str, *, literal: bool, wild: bool) -> HasAnswered:
    versions = None if literal else version_range(value)
    return HasAnswered(key, value, range=versions) if versions else HasAnswered(key, value, wild)


def _none_of(value: str, key: str, values: tuple[str, ...]) -> Nonsense:
    cure = " or ".join(f"{key}:{possible}" for possible in values)
    return Nonsense(f"{value!r} is nothing to search by as {key!r}; write {cure}")


def _word(value: str) -> Term:
    if value in STATES:
        return InState(value)
    if _ADDRESS_START.fullmatch(value):
        return AddressStart(value)
    return Wild(value) if _WILD.search(value) else PartOf(value)
