"""What a fleet answered to a query, in columns, for programs and for spreadsheets."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.service.answers import columns_of, shown_of_each
from gitupd.service.facts import plain
from gitupd.web.api.answering import missing, page
from gitupd.web.api.reading import FEW, LONGEST_SEARCH, PAGING, RefusedRequest, query, search_of, text
from gitupd.web.context import served
from gitupd.web.revisions import veil
from gitupd.web.tables import AT_ONCE, plain_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flask import Response

    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.core.policy import Query
    from gitupd.service.answers import ShownAnswer

bp = Blueprint("answers", __name__)
_QUERY = text(100, 1)
_WORDS = text(LONGEST_SEARCH)


@bp.get("/answers")
def index() -> Response:
    """Tell what each device answered to a query."""
    asked = query(query=_QUERY, q=_WORDS, **PAGING)
    wanted, search = _wanted(asked), search_of(asked.get("q", ""))
    limit, offset = asked.get("limit", FEW), asked.get("offset", 0)
    matches = served().fleet().find(search, limit=limit, offset=offset)
    hide = veil()
    rows = [_row(wanted, *each, hide) for each in shown_of_each(served().site, wanted, matches.devices)]
    facts = {
        "query": wanted.id,
        "title": wanted.title,
        "columns": [show.title for show in wanted.show],
        "devices": rows,
        "total": matches.total,
    }
    goes_on = matches.devices and offset + limit < matches.total
    return page(facts, offset=offset + limit if goes_on else None)


def _wanted(asked: dict[str, Any]) -> Query:
    """Return the query of the deployed configuration that is asked for; raises RefusedRequest."""
    if "query" not in asked:
        raise RefusedRequest(400, "query: missing")
    live = served().live
    queries = live.snapshot.policy.queries if live else ()
    found = next((each for each in queries if each.id == asked["query"]), None)
    if found is None:
        known = ", ".join(each.id for each in queries) or "none"
        raise missing(f"query {asked['query']!r} in what is deployed; known: {known}")
    return found


def _row(wanted: Query, device: Device, shown: ShownAnswer, hide: Veil) -> dict[str, Any]:
    return {
        "serial": str(device.serial),
        "name": device.name,
        "type": device.model,
        "received": plain(shown.received),
        "values": list(_values(wanted, shown, hide)),
        "error": shown.error and hide.line(shown.error),
    }


def _values(wanted: Query, shown: ShownAnswer, hide: Veil) -> Iterator[str | None]:
    """Yield the values of an answer as whoever asks may see them, one for each column."""
    for show, value in zip(wanted.show, columns_of(wanted, shown), strict=True):
        yield None if value is None else hide.variable(show.title, value)


@bp.get("/answers.csv")
def table() -> Response:
    """Return what all devices answered to a query, as a table."""
    asked = query(query=_QUERY, q=_WORDS)
    wanted = _wanted(asked)
    devices = served().fleet().each(search_of(asked.get("q", "")))
    headings = ["serial number", "name", "type", "answered (UTC)", *(show.title for show in wanted.show), "error"]
    return plain_table(headings, _rows(wanted, devices, veil()))


def _rows(wanted: Query, devices: Iterable[Device], hide: Veil) -> Iterator[list[str]]:
    site, rest = served().site, iter(devices)
    while some := list(islice(rest, AT_ONCE)):
        rows = (_row(wanted, *each, hide) for each in shown_of_each(site, wanted, some))
        yield from ([cell or "" for cell in _cells(row)] for row in rows)


def _cells(row: dict[str, Any]) -> Iterator[str | None]:
    yield from (row[name] for name in ("serial", "name", "type", "received"))
    yield from row["values"]
    yield row["error"]
