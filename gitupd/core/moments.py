"""Times as people write them where a list begins or ends: a day, a month, a minute, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gitupd.errors import InvalidEntry

_LONGEST_SHOWN = 40
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?P<seconds>:\d\d(?P<parts>[.]\d{1,6})?)? ?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS_AGO = {"today": 0, "yesterday": 1}
_DAY_LONG = timedelta(days=1)


def beginning(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Return when what *text* names begins, in UTC, for a list that starts with it.

    It is a day, ``2026-05-01``, a month, ``2026-05``, a time, ``2026-05-01 14:30``, ``today`` or ``yesterday``, or how
    long before *now*: ``90m``, ``12h``, ``7d``. Days and times are those of *zone* unless they say another one. Raises
    InvalidEntry.
    """
    return _span(text, zone, now)[0]


def ending(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Return when what *text* names is over, in UTC, for a list that ends with it: a day is in it, and so is a minute.

    It is written as for :func:`beginning`. Raises InvalidEntry.
    """
    return _span(text, zone, now)[1]


def _span(text: str, zone: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    """Return when what *text* names begins, and when it is over; both are the same for how long ago."""
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            moment = now.astimezone(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return moment, moment
        if text.lower() in _DAYS_AGO:
            day = now.astimezone(zone).date() - timedelta(days=_DAYS_AGO[text.lower()])
            return _days(day, day + _DAY_LONG, zone)
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return _days(day, day + _DAY_LONG, zone)
        if month := _MONTH.fullmatch(text):
            first = date(int(month[1]), int(month[2]), 1)
            return _days(first, (first + timedelta(days=31)).replace(day=1), zone)
        if written := _TIME.fullmatch(text):
            return _minute(written, zone)
    except (ValueError, OverflowError):
        pass  # there is no such day or time
    shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    example = now.astimezone(zone)
    raise InvalidEntry(
        f"{shown!r} is no time; write a day, {example:%Y-%m-%d}, a time, '{example:%Y-%m-%d %H:%M}', a month,"
        f" {example:%Y-%m}, yesterday, or 7d for seven days ago"
    )


def _days(first: date, behind: date, zone: tzinfo) -> tuple[datetime, datetime]:
    return _midnight(first, zone), _midnight(behind, zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _minute(written: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when a time begins and is over: it is as long as what it names, a minute, a second, or less."""
    moment = datetime.fromisoformat(written[0].replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    start = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    if written["parts"]:
        return start, start + timedelta(microseconds=1)
    return start, start + (timedelta(seconds=1) if written["seconds"] else timedelta(minutes=1))
