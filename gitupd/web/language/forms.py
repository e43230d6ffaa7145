"""Numbers and times in the forms of the reader's language; times are by the clock of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.web.language.choosing import reader

if TYPE_CHECKING:
    from datetime import date, datetime

    from gitupd.language.reader import Grouped


def grouped(number: int) -> Grouped:
    """Return *number*, which is written with its thousands apart from now on: ``1,250``."""
    return reader().grouped(number)


def decimal(number: float, digits: int = 1) -> str:
    """Return *number* with so many *digits* behind the point: ``2.5``, ``2,5``."""
    return reader().decimal(number, digits)


def exact(at: datetime) -> str:
    """Return *at* to the second: ``Thu 15 Jan 2026, 10:30:05 CET``."""
    return reader().exact(at)


def moment(at: datetime) -> str:
    """Return *at* to the minute, for tables of times: ``15 Jan 2026, 10:30 CET``."""
    return reader().moment(at)


def second(at: datetime) -> str:
    """Return *at* to the second, where the zone is said elsewhere: ``15 Jan 2026, 10:30:05``."""
    return reader().second(at)


def date_of(on: date) -> str:
    """Return the day for tables and sentences of exact days: ``05 Mar 2026``."""
    return reader().date_of(on)


def full_date(on: date) -> str:
    """Return the day with that of the week: ``Thu 05 Mar 2026``."""
    return reader().full_date(on)


def day_of_month(on: date) -> str:
    """Return the day, where its month is said elsewhere: ``Thu 05``."""
    return reader().day_of_month(on)


def month(on: date) -> str:
    """Return the month: ``March 2026``."""
    return reader().day(on, "LLLL y")


def short_month(on: date) -> str:
    """Return the month in a few letters: ``Mar``."""
    return reader().day(on, "LLL")


def short_weekday(on: date) -> str:
    """Return the day of the week in a few letters: ``Mon``."""
    return reader().day(on, "ccc")


def weekday(on: date) -> str:
    """Return the day of the week: ``Tuesday``."""
    return reader().day(on, "EEEE")


def day_of(on: date, *, year: bool) -> str:
    """Return the day, if need be with its *year*: ``3 November``, ``3 November 2025``."""
    return reader().day_of(on, year=year)


def short_day(on: date) -> str:
    """Return the day with a short month: ``3 Nov``."""
    return reader().short_day(on)
