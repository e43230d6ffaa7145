"""How pages word numbers, times, ids and links: filters and functions for templates."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request, url_for

from gitupd.core.deployments.signature import mark, sentence
from gitupd.core.people.audit import deed
from gitupd.core.words import capital, counted
from gitupd.service.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

_SHORT_ID = 8
_NEAR = ("today", "yesterday")
_WEEK_DAYS = 7
_YEAR_SECONDS = 365 * 86400
_STEPS = (
    (_YEAR_SECONDS, "year", "years"),
    (30 * 86400, "month", "months"),
    (86400, "day", "days"),
    (3600, "h", "h"),
    (60, "min", "min"),
)


def install(app: Flask) -> None:
    """Give the templates of *app* the filters and functions of this module."""
    app.jinja_env.filters.update(
        ago=ago,
        exact=exact,
        moment=moment,
        day=day,
        short=short,
        counted=counted,
        grouped=grouped,
        capital=capital,
        listed=listed,
        deed=deed,
        signature_sentence=sentence,
        signature_mark=mark,
    )
    app.jinja_env.globals.update(here=here, asset=asset, page_exists=lambda endpoint: endpoint in app.view_functions)


def ago(at: datetime | None, present: datetime | None = None) -> str:
    """Return how long ago *at* was, seen from *present* (None: now), such as ``4 min ago``; ``never`` for None."""
    if at is None:
        return "never"
    seconds = ((present or now()) - at).total_seconds()
    words = span(abs(seconds))
    if words is None:
        return "just now" if seconds >= 0 else "in a moment"
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def span(seconds: float) -> str | None:
    """Return a duration in its largest unit, such as ``4 min``; None below a minute."""
    for size, one, many in _STEPS:
        number = int(seconds // size)
        if number:
            return f"{number} {one if number == 1 else many}"
    return None


def exact(at: datetime) -> str:
    """Return *at* to the second in the server's zone: ``Thu 15 Jan 2026, 10:30:05 CET``."""
    return at.astimezone().strftime("%a %d %b %Y, %H:%M:%S %Z")


def moment(at: datetime) -> str:
    """Return *at* to the minute in the server's zone, for tables of times: ``15 Jan 2026, 10:30``."""
    return at.astimezone().strftime("%d %b %Y, %H:%M")


def day(at: datetime, present: datetime | None = None) -> str:
    """Return the day of *at* in the server's zone as one says it: today, ``Tuesday``, ``3 November 2025``."""
    then, today = at.astimezone().date(), (present or now()).astimezone().date()
    days = (today - then).days
    if 0 <= days < len(_NEAR):
        return _NEAR[days]
    return (
        f"{then:%A}" if 0 < days < _WEEK_DAYS else f"{then:%-d %B}{f' {then.year}' if then.year != today.year else ''}"
    )


def short(identifier: str) -> str:
    """Return the first digits of a commit id, enough to tell it from others."""
    return identifier[:_SHORT_ID]


def grouped(number: int) -> str:
    """Return *number* with its thousands apart: ``1,250``."""
    return f"{number:,}"


def listed(words: list[str] | tuple[str, ...], nothing: str = "none") -> str:
    """Return *words* with commas between them, *nothing* if there are none."""
    return ", ".join(words) or nothing


def here(**changes: Any) -> str:
    """Return the address of the page at hand with some of its arguments changed; None takes an argument away."""
    arguments = request.args.to_dict() | changes
    given = {name: value for name, value in arguments.items() if value not in (None, "")}
    return f"{request.path}?{urlencode(given)}" if given else request.path


def asset(filename: str) -> str:
    """Return the address of a file of ``static/``, which changes with its content, so that it may be kept for long."""
    return url_for("static", filename=filename, v=_digest(filename))


@cache
def _digest(filename: str) -> str:
    content = (Path(__file__).parent / "static" / filename).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]
