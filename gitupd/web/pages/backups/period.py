"""The days that an address of a backup page asks for, by the clock of the site as the calendar has them."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.web.clock import midnight
from gitupd.web.language.forms import date_of, full_date
from gitupd.web.language.texts import gettext
from gitupd.web.pages.backups.views import readable

if TYPE_CHECKING:
    from collections.abc import Mapping

_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_LONGEST_SHOWN = 40
_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` to ``last``, both of them included; None leaves that side open.

    ``fault`` says what of the address could not be understood.
    """

    first: date | None = None
    last: date | None = None
    fault: str = ""

    @property
    def is_chosen(self) -> bool:
        """Whether any days were asked for."""
        return self.first is not None or self.last is not None

    @property
    def day(self) -> date | None:
        """The day, if it is but one."""
        return self.first if self.first == self.last else None

    @property
    def start(self) -> datetime | None:
        """When it begins."""
        return None if self.first is None else midnight(self.first)

    @property
    def end(self) -> datetime | None:
        """When it is over: the end of its last day."""
        return None if self.last is None else midnight(self.last + timedelta(days=1))

    @property
    def between(self) -> tuple[datetime, datetime] | None:
        """Its beginning and its end, None for all of time."""
        return (self.start or _ALWAYS[0], self.end or _ALWAYS[1]) if self.is_chosen else None

    def __str__(self) -> str:
        """Return it in words, to stand behind a verb: ``from 01 Mar 2026 to 31 May 2026``."""
        if self.day:
            return gettext("on %(day)s", day=full_date(self.day))
        if self.last is None:
            return gettext("since %(day)s", day=date_of(self.first)) if self.first else gettext("ever")
        if self.first is None:
            return gettext("until %(day)s", day=date_of(self.last))
        return gettext("from %(first)s to %(last)s", first=date_of(self.first), last=date_of(self.last))


def period_in(arguments: Mapping[str, str], today: date) -> Period:
    """Return the days that an address asks for: ``day``, or ``from`` and ``to``, in either order.

    Each is a day or a month, such as ``2026-03``. *today* serves to show how to write a day.
    """
    first, one_fault = _days(arguments.get("from") or arguments.get("day") or "", today)
    last, other_fault = _days(arguments.get("to") or arguments.get("day") or "", today)
    if first and last and first[0] > last[1]:
        first, last = last, first
    return Period(first and first[0], last and last[1], one_fault or other_fault)


def _days(text: str, today: date) -> tuple[tuple[date, date] | None, str]:
    """Return the first and the last of the days that *text* names, or else why it names none."""
    text = text.strip()
    if not text:
        return None, ""
    try:
        if month := _MONTH.fullmatch(text):
            first = date(int(month[1]), int(month[2]), 1)
            last = first.replace(day=monthrange(first.year, first.month)[1])
        else:
            first = last = date.fromisoformat(text)
        midnight(last + timedelta(days=1)).astimezone(UTC)
        midnight(first).astimezone(UTC)
    except (ValueError, OverflowError):
        shown = readable(text[:_LONGEST_SHOWN])
        return None, gettext("%(text)s is no day; write it like %(day)s.", text=shown, day=today)
    return (first, last), ""
