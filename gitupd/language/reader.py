"""Somebody who reads, in a language and by a clock: texts, numbers and times are made for a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from gitupd.language.catalogues import translations

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo


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
    """A number that is written with its thousands apart, as ``language`` has it: ``1,250``, ``1.250``."""

    language: str

    def __new__(cls, number: int, language: str) -> Self:
        """Return *number*, which is written so from now on."""
        made = super().__new__(cls, number)
        made.language = language
        return made

    def __str__(self) -> str:
        """Return it as the language has it."""
        return format_decimal(int(self), locale=self.language)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads a ``language`` such as ``de``, and times by the clock of a ``zone``."""

    language: str
    zone: tzinfo

    # Texts

    def gettext(self, text: str, /, **values: object) -> str:
        """Return *text* in the reader's language, with *values* filled in."""
        return translations(self.language).gettext(text) % values

    def ngettext(self, one: str, many: str, number: int, /, **values: object) -> str:
        """Return the form of a text for *number*, which it has as ``%(number)s``, with *values* filled in."""
        said = translations(self.language).ngettext(one, many, number)
        return said % {"number": self.grouped(number), **values}

    def pgettext(self, context: str, text: str, /, **values: object) -> str:
        """Return *text*, which means something else elsewhere, as it is meant in *context*."""
        return translations(self.language).pgettext(context, text) % values

    def translated(self, word: object) -> str:
        """Return in the reader's language what is a value of the program, such as a role or a state.

        The word is ``marked`` somewhere; any other, as from a device, stays as it is.
        """
        text = str(word)
        return translations(self.language).gettext(text) if text else text

    def counted(self, number: int, one: str, many: str | None = None) -> str:
        """Return *number* with its noun: ``1 device``, ``1,250 devices``; *many* if it is no mere ``s`` more."""
        return f"{self.grouped(number)} {translations(self.language).ngettext(one, many or one + 's', number)}"

    # Numbers

    def grouped(self, number: int) -> Grouped:
        """Return *number*, which is written with its thousands apart from now on: ``1,250``."""
        return Grouped(number, self.language)

    def decimal(self, number: float, digits: int = 1) -> str:
        """Return *number* with so many *digits* behind the point: ``2.5``, ``2,5``."""
        return format_decimal(round(number, digits), f"#,##0.{'0' * digits}", self.language)

    def number(self, number: float) -> str:
        """Return *number* with as many digits behind the point as it has, three at the most: ``1.5``, ``1,5``."""
        return format_decimal(number, locale=self.language)

    # Times

    def exact(self, at: datetime) -> str:
        """Return *at* to the second: ``Thu 15 Jan 2026, 10:30:05 CET``."""
        return self._time(at, _PATTERNS[self.language].exact, with_zone=True)

    def moment(self, at: datetime) -> str:
        """Return *at* to the minute, for tables of times: ``15 Jan 2026, 10:30 CET``."""
        return self._time(at, _PATTERNS[self.language].moment, with_zone=True)

    def second(self, at: datetime) -> str:
        """Return *at* to the second, where the zone is said elsewhere: ``15 Jan 2026, 10:30:05``."""
        return self._time(at, _PATTERNS[self.language].second, with_zone=False)

    def _time(self, at: datetime, pattern: str, *, with_zone: bool) -> str:
        here = at.astimezone(self.zone)
        written = format_datetime(here.replace(tzinfo=None), pattern, locale=self.language)
        return f"{written} {here:%Z}" if with_zone else written

    def date_of(self, on: date) -> str:
        """Return the day for tables and sentences of exact days: ``05 Mar 2026``."""
        return self.day(on, _PATTERNS[self.language].date)

    def full_date(self, on: date) -> str:
        """Return the day with that of the week: ``Thu 05 Mar 2026``."""
        return self.day(on, _PATTERNS[self.language].full_date)

    def day_of_month(self, on: date) -> str:
        """Return the day, where its month is said elsewhere: ``Thu 05``."""
        return self.day(on, _PATTERNS[self.language].day_of_month)

    def day_of(self, on: date, *, year: bool) -> str:
        """Return the day, if need be with its *year*: ``3 November``, ``3 November 2025``."""
        return self.day(on, _PATTERNS[self.language].day_of_year if year else _PATTERNS[self.language].day)

    def short_day(self, on: date) -> str:
        """Return the day with a short month: ``3 Nov``."""
        return self.day(on, _PATTERNS[self.language].short_day)

    def day(self, on: date, pattern: str) -> str:
        """Return the day by a *pattern* of Unicode's CLDR."""
        return format_date(on, pattern, self.language)
