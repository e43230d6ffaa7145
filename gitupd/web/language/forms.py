"""Numbers and times in the forms of the reader's language; times are by the clock of the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from gitupd.web.clock import local
from gitupd.web.language.choosing import language

if TYPE_CHECKING:
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Patterns:
    """How a language writes times, as patterns of Unicode's CLDR: to the second, to the minute, and days."""

    exact: str
    second: str
    moment: str
    day: str
    day_of_year: str
    short_day: str
    date: str
    full_date: str
    day_of_month: str


_PATTERNS = {
    "en": Patterns(
        "EEE dd MMM y, HH:mm:ss",
        "dd MMM y, HH:mm:ss",
        "dd MMM y, HH:mm",
        "d MMMM",
        "d MMMM y",
        "d MMM",
        "dd MMM y",
        "EEE dd MMM y",
        "EEE dd",
    ),
    "de": Patterns(
        "EEE, d. MMM y, HH:mm:ss",
        "dd.MM.y, HH:mm:ss",
        "dd.MM.y, HH:mm",
        "d. MMMM",
        "d. MMMM y",
        "d. MMM",
        "dd.MM.y",
        "EEE, d. MMM y",
        "EEE, d.",
    ),
}


class Grouped(int):
    """A number that is written with its thousands apart."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return it as the reader's language has it: ``1,250``, ``1.250``."""
        return format_decimal(int(self), locale=language())


def grouped(number: int) -> Grouped:
    """Return *number*, which is written with its thousands apart from now on: ``1,250``."""
    return Grouped(number)


def decimal(number: float, digits: int = 1) -> str:
    """Return *number* with so many *digits* behind the point: ``2.5``, ``2,5``."""
    return format_decimal(round(number, digits), f"#,##0.{'0' * digits}", language())


def exact(at: datetime) -> str:
    """Return *at* to the second: ``Thu 15 Jan 2026, 10:30:05 CET``."""
    here = local(at)
    return f"{format_datetime(here.replace(tzinfo=None), _patterns().exact, locale=language())} {here:%Z}"


def moment(at: datetime) -> str:
    """Return *at* to the minute, for tables of times: ``15 Jan 2026, 10:30 CET``."""
    here = local(at)
    return f"{format_datetime(here.replace(tzinfo=None), _patterns().moment, locale=language())} {here:%Z}"


def second(at: datetime) -> str:
    """Return *at* to the second, where the zone is said elsewhere: ``15 Jan 2026, 10:30:05``."""
    return format_datetime(local(at).replace(tzinfo=None), _patterns().second, locale=language())


def date_of(on: date) -> str:
    """Return the day for tables and sentences of exact days: ``05 Mar 2026``."""
    return format_date(on, _patterns().date, language())


def full_date(on: date) -> str:
    """Return the day with that of the week: ``Thu 05 Mar 2026``."""
    return format_date(on, _patterns().full_date, language())


def day_of_month(on: date) -> str:
    """Return the day, where its month is said elsewhere: ``Thu 05``."""
    return format_date(on, _patterns().day_of_month, language())


def month(on: date) -> str:
    """Return the month: ``March 2026``."""
    return format_date(on, "LLLL y", language())


def short_month(on: date) -> str:
    """Return the month in a few letters: ``Mar``."""
    return format_date(on, "LLL", language())


def short_weekday(on: date) -> str:
    """Return the day of the week in a few letters: ``Mon``."""
    return format_date(on, "ccc", language())


def weekday(on: date) -> str:
    """Return the day of the week: ``Tuesday``."""
    return format_date(on, "EEEE", language())


def day_of(on: date, *, year: bool) -> str:
    """Return the day, if need be with its *year*: ``3 November``, ``3 November 2025``."""
    return format_date(on, _patterns().day_of_year if year else _patterns().day, language())


def short_day(on: date) -> str:
    """Return the day with a short month: ``3 Nov``."""
    return format_date(on, _patterns().short_day, language())


def _patterns() -> Patterns:
    return _PATTERNS[language()]
