"""How pages word numbers, times, ids and links: filters and functions for templates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request, url_for

from gitupd.core.deployments.signature import mark, sentence
from gitupd.core.people.audit import deed
from gitupd.core.words import capital
from gitupd.service.clock import now
from gitupd.web.clock import local, zone_name
from gitupd.web.language.forms import date_of, day_of, day_of_month, exact, full_date, grouped, moment, second, weekday
from gitupd.web.language.texts import gettext, marked, ngettext, plural

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

_SHORT_ID = 8
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of time in ``seconds``, and how one says that so many of it are past, or to come: one of them, many."""

    seconds: int
    past: tuple[str, str]
    future: tuple[str, str]


_SPANS = (
    Unit(
        365 * 86400,
        plural("%(number)s year ago", "%(number)s years ago"),
        plural("in %(number)s year", "in %(number)s years"),
    ),
    Unit(
        30 * 86400,
        plural("%(number)s month ago", "%(number)s months ago"),
        plural("in %(number)s month", "in %(number)s months"),
    ),
    Unit(86400, plural("%(number)s day ago", "%(number)s days ago"), plural("in %(number)s day", "in %(number)s days")),
    Unit(3600, plural("%(number)s h ago", "%(number)s h ago"), plural("in %(number)s h", "in %(number)s h")),
    Unit(60, plural("%(number)s min ago", "%(number)s min ago"), plural("in %(number)s min", "in %(number)s min")),
)
"""The largest first."""

_JUST_NOW, _IN_A_MOMENT = marked("just now"), marked("in a moment")


def install(app: Flask) -> None:
    """Give the templates of *app* the filters and functions of this module."""
    app.jinja_env.filters.update(
        ago=ago,
        exact=exact,
        moment=moment,
        second=second,
        date_of=date_of,
        full_date=full_date,
        day_of_month=day_of_month,
        local=local,
        day=day,
        short=short,
        grouped=grouped,
        capital=capital,
        listed=listed,
        deed=deed,
        signature_sentence=sentence,
        signature_mark=mark,
    )
    app.jinja_env.tests["to_come"] = lambda at: at > now()
    app.jinja_env.globals.update(
        here=here,
        asset=asset,
        zone_name=zone_name,
        script_words=script_words,
        page_exists=lambda endpoint: endpoint in app.view_functions,
    )


def ago(at: datetime | None, present: datetime | None = None) -> str:
    """Return how long ago *at* was, seen from *present* (None: now), such as ``4 min ago``; ``never`` for None."""
    if at is None:
        return gettext("never")
    seconds = ((present or now()) - at).total_seconds()
    for span in _SPANS:
        number = int(abs(seconds) // span.seconds)
        if number:
            return ngettext(*(span.past if seconds >= 0 else span.future), number)
    return gettext(_JUST_NOW if seconds >= 0 else _IN_A_MOMENT)


def day(at: datetime, present: datetime | None = None) -> str:
    """Return the day of *at* by the clock of the site as one says it: today, ``Tuesday``, ``3 November 2025``."""
    then, today = local(at).date(), local(present or now()).date()
    match (today - then).days:
        case 0:
            return gettext("today")
        case 1:
            return gettext("yesterday")
        case days if 0 < days < _WEEK_DAYS:
            return weekday(then)
    return day_of(then, year=then.year != today.year)


def script_words() -> dict[str, Any]:
    """Return what the script on the pages says, in the reader's language; ``{}`` stands for a number or another text.

    ``spans`` are the units of time, the largest first: its seconds, and the forms for one and many of the past, and of
    the future.
    """
    spans = [(each.seconds, *(_forms(*said) for said in (each.past, each.future))) for each in _SPANS]
    return {
        "spans": spans,
        "now": gettext(_JUST_NOW),
        "soon": gettext(_IN_A_MOMENT),
        "copy": gettext("Copy"),
        "copyThis": gettext("Copy %(text)s", text="{}"),
        "chosen": gettext("%(number)s chosen", number="{}"),
        "loggedOut": gettext("You are logged out. Load the page again to log in."),
        "answers": gettext("The server answers %(status)s.", status="{}"),
        "unreachable": gettext("The server can't be reached."),
        "asOf": gettext("This is how it was at %(time)s.", time="{}"),
    }


def _forms(one: str, many: str) -> tuple[str, str]:
    said = [ngettext(one, many, number, number="{}") for number in (1, 2)]
    return said[0], said[1]


def short(identifier: str) -> str:
    """Return the first digits of a commit id, enough to tell it from others."""
    return identifier[:_SHORT_ID]


def listed(words: list[str] | tuple[str, ...], nothing: str | None = None) -> str:
    """Return *words* with commas between them, *nothing* if there are none; None says so in a word."""
    return ", ".join(words) or (gettext("none") if nothing is None else nothing)


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
