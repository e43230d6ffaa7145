"""Backups of the whole fleet, for programs: what changed, what is kept, who is overdue, who drifted, who has a text."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.core.caller import parse_serial
from gitupd.errors import SiteError
from gitupd.service.backups.facts import drift_facts, drift_figures_facts, overdue_facts, version_facts
from gitupd.service.backups.finding import find_all_holders, find_holders
from gitupd.service.backups.history import parse_beginning, parse_moment
from gitupd.service.backups.overdue import OverdueBackups
from gitupd.service.backups.search import LONGEST_TEXT, TextQuery, parse_text
from gitupd.service.clock import now
from gitupd.service.facts import plain
from gitupd.web.api.answering import page
from gitupd.web.api.reading import (
    FEW,
    LATEST,
    LONGEST_SEARCH,
    MOST,
    PAGING,
    RefusedRequest,
    one_of,
    query,
    search_of,
    serial,
    switch,
    text,
    time_of,
    whole,
)
from gitupd.web.backup_reading import searched, viewed, visible_history
from gitupd.web.context import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flask import Response

    from gitupd.core.caller import Serial
    from gitupd.core.search import Search
    from gitupd.core.standing import Yardstick
    from gitupd.service.backups.finding import HoldersFound
    from gitupd.service.backups.search import Hit

bp = Blueprint("backups", __name__)
_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_MOST_DAYS = 10_000
_HISTORY_SECONDS = 5.0
_MOST_HITS, _HITS_OF_A_DEVICE = 100_000, 5
_WORDS = text(LONGEST_SEARCH)
_LIMIT = whole(1, MOST)


@bp.get("/backups")
def timeline() -> Response:
    """Tell which versions came, the latest first."""
    asked = query(q=_WORDS, since=time_of(parse_beginning), until=time_of(parse_moment), **LATEST)
    limit = asked.get("limit", FEW)
    between = (asked.get("since", _ALWAYS[0]), asked.get("until", _ALWAYS[1]))
    listed = served().site.backup_timeline.versions(
        limit + 1, before=asked.get("before"), between=None if between == _ALWAYS else between, of=_of(asked)
    )
    versions = [{"number": each.number, **version_facts(each.version)} for each in listed[:limit]]
    return page({"versions": versions}, before=listed[limit - 1].number if len(listed) > limit else None)


def _of(asked: dict[str, Any]) -> tuple[Search, Yardstick] | None:
    """Return what finds the devices that were asked for, None for all."""
    search = search_of(asked.get("q", ""))
    return (search, served().fleet().yardstick) if search.terms else None


@bp.get("/backups/devices")
def kept() -> Response:
    """Tell what is kept of each device."""
    asked = query(q=_WORDS, limit=_LIMIT, after=serial)
    limit = asked.get("limit", FEW)
    found = served().site.backup_timeline.kept(limit + 1, after=asked.get("after"), of=_of(asked))
    devices = [
        {
            "serial": str(each.latest.serial),
            "name": each.name,
            "count": each.count,
            "seen": plain(each.seen),
            "latest": version_facts(each.latest),
        }
        for each in found[:limit]
    ]
    return page({"devices": devices}, after=_last(devices, goes_on=len(found) > limit))


def _last(devices: Sequence[dict[str, Any]], *, goes_on: bool) -> str | None:
    return devices[-1]["serial"] if goes_on else None


@bp.get("/backups/overdue")
def overdue() -> Response:
    """Tell which devices are overdue with a backup."""
    asked = query(because=one_of(("late", "never")), days=whole(1, _MOST_DAYS), limit=_LIMIT, after=serial)
    limit, days = asked.get("limit", FEW), asked.get("days")
    backups = OverdueBackups(served().site, served().live, now(), timedelta(days=days) if days else None)
    find = backups.never if asked.get("because") == "never" else backups.late
    found = find(limit + 1, asked.get("after"))
    devices = [overdue_facts(device) for device in found[:limit]]
    after = _last(devices, goes_on=len(found) > limit)
    return page({"devices": devices, "counts": asdict(backups.count())}, after=after)


@bp.get("/backups/drift")
def drift() -> Response:
    """Tell which devices are not as their scripts want them, and in which options."""
    asked = query(q=_WORDS, limit=_LIMIT, after=serial)
    limit, search, yardstick = asked.get("limit", FEW), search_of(asked.get("q", "")), served().fleet().yardstick
    drifts = served().site.drifts
    found = drifts.listed(search, yardstick, limit + 1, asked.get("after"))
    latest = served().site.backup_index.latest(each.serial for each in found[:limit])
    viewed("", f"which devices are not as wanted{f', of {search.text!r}' if search.text else ''}")
    devices = [
        drift_facts(each, latest[each.serial].commit if each.serial in latest else None) for each in found[:limit]
    ]
    facts = {
        "devices": devices,
        "figures": drift_figures_facts(drifts.figures(search, yardstick)),
        "options": [asdict(each) for each in drifts.options(search, yardstick)[:MOST]],
    }
    return page(facts, after=_last(devices, goes_on=len(found) > limit))


# Which devices have a text


@bp.get("/backups/search")
def search() -> Response:
    """Tell which devices have a text in their configuration, had it ever, or don't have it."""
    asked = query(
        text=text(LONGEST_TEXT, 1), q=_WORDS, word=switch, scope=one_of(_SCOPES), hidden=switch,
        before=LATEST["before"], **PAGING,
    )  # fmt: skip
    if "text" not in asked:
        raise RefusedRequest(400, "text: missing")
    devices = search_of(asked.get("q", ""))
    among = frozenset(served().fleet().serials(devices)) if devices.terms else None
    try:
        wanted = TextQuery(parse_text(asked["text"]), asked.get("word", False), among)
    except SiteError as error:
        raise RefusedRequest(400, f"text: {error}") from error
    where, look = _SCOPES[asked.get("scope", "latest")]
    facts, lines, further = look(wanted, asked)
    searched(wanted.text, f"{where} of {devices.text!r}" if devices.text else where, lines)
    return page(facts, **further)


_Answer = tuple[dict[str, Any], "Iterable[str]", dict[str, "int | None"]]
"""What is told, the lines that were found, and where to go on."""


def _found(wanted: TextQuery, asked: dict[str, Any]) -> HoldersFound:
    if asked.get("hidden"):
        return find_all_holders(visible_history(), wanted)
    return find_holders(served().site, wanted)


def _latest(wanted: TextQuery, asked: dict[str, Any]) -> _Answer:
    found = _found(wanted, asked)
    holders = found.holders
    some, further = _part(holders, asked)
    names, latest = _known(some)
    hits, _ = visible_history().search(replace(wanted, among=frozenset(some)), _MOST_HITS)
    by_device: dict[Serial, list[Hit]] = defaultdict(list)
    for hit in hits:
        by_device[parse_serial(hit.serial)].append(hit)
    devices = [
        _holder(each, names.get(each), latest[each], len(by_device[each]), by_device[each][:_HITS_OF_A_DEVICE])
        for each in some
        if each in latest  # unless its history was begun anew meanwhile
    ]
    lines = [{"text": each.text[:_LONGEST_LINE], "devices": each.devices} for each in found.lines[:MOST]]
    facts = {"devices": devices, "total": len(holders), "lines": lines, "different_lines": len(found.lines)}
    return {**facts, **_completeness(found, further)}, (each.text for each in found.lines), further


def _part(serials: list[Serial], asked: dict[str, Any]) -> tuple[list[Serial], dict[str, int | None]]:
    """Return those to be told, and where to go on."""
    first, limit = asked.get("offset", 0), asked.get("limit", FEW)
    following = first + limit
    return serials[first:following], {"offset": following if following < len(serials) else None}


def _completeness(found: HoldersFound, further: dict[str, int | None]) -> dict[str, Any]:
    return {"complete": further["offset"] is None, "unread": found.unread}


def _without(wanted: TextQuery, asked: dict[str, Any]) -> _Answer:
    found = _found(wanted, asked)
    lacking = found.lacking
    some, further = _part(lacking, asked)
    names, latest = _known(some)
    devices = [_holder(each, names.get(each), latest[each], 0, ()) for each in some if each in latest]
    facts = {"devices": devices, "total": len(lacking), "lines": [], "different_lines": 0}
    return {**facts, **_completeness(found, further)}, (each.text for each in found.lines), further


def _ever(wanted: TextQuery, asked: dict[str, Any]) -> _Answer:
    result = visible_history().search_through(wanted, before=asked.get("before"), seconds=_HISTORY_SECONDS)
    devices = [
        {
            **_holder(held.serial, held.name, held.last.commit, held.count, held.lines),
            "first_received": plain(held.first.received),
            "last_received": plain(held.last.received),
        }
        for held in result.held
    ]
    facts = {"devices": devices, "total": len(devices), "lines": [], "different_lines": 0}
    found = (hit.text for held in result.held for hit in held.lines)
    return {**facts, "complete": result.left is None, "unread": 0}, found, {"before": result.left}


_SCOPES: dict[str, tuple[str, Callable[[TextQuery, dict[str, Any]], _Answer]]] = {
    "latest": ("the latest versions", _latest),
    "history": ("the history", _ever),
    "without": ("versions without it", _without),
}
"""Where to look, as the audit says it, and how."""


def _known(serials: list[Serial]) -> tuple[dict[Serial, str], dict[Serial, str]]:
    """Return the names of devices, and their latest versions."""
    latest = served().site.backup_index.latest(serials)
    return served().site.backup_timeline.names(serials), {each: version.commit for each, version in latest.items()}


def _holder(device: Serial, name: str | None, version: str, count: int, lines: Sequence[Hit]) -> dict[str, Any]:
    return {
        "serial": str(device),
        "name": name,
        "version": version,
        "count": count,
        "lines": [{"number": hit.number, "text": hit.text[:_LONGEST_LINE]} for hit in lines],
    }


_LONGEST_LINE = 2_000
