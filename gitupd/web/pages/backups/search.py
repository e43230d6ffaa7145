"""The page that finds devices by a text in their configuration: those that have it, had it ever, or do not have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import render_template, request

from gitupd.core.caller import parse_serial
from gitupd.core.search import checked_search, parse_search
from gitupd.core.words import counted
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.backups.search import TextQuery, parse_text
from gitupd.web.backup_reading import searched, visible_history
from gitupd.web.context import served
from gitupd.web.pages import paging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.caller import Serial
    from gitupd.service.backups.history import BackupHistory
    from gitupd.service.backups.search import Held, HistorySearch, Hit

SCOPES = ("latest", "history", "without")
_LAST = 10**9
_MOST_HITS = 500
_HITS_OF_A_DEVICE = 5
_MOST_HOLDERS = 200
_MOST_WITHOUT = 1_000
_HISTORY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: a ``text``, where to look for it, and the words that find the devices to look at."""

    text: str
    scope: str
    whole: bool
    devices: str

    def query(self) -> TextQuery:
        """Return what to look for; raises SiteError or InvalidEntry."""
        search = checked_search(self.devices)
        among = frozenset(served().fleet().serials(search)) if search.terms else None
        return TextQuery(parse_text(self.text), self.whole, among)

    @property
    def coded(self) -> str | None:
        """The text as devices write values, None if that is the same."""
        coded = quote(self.text, safe="/*.,-_()")
        return coded if coded != self.text else None

    def __str__(self) -> str:
        """Return where is looked, as the audit says it."""
        where = {"latest": "the latest versions", "history": "the history", "without": "versions without it"}
        return f"{where[self.scope]} of {self.devices!r}" if self.devices else where[self.scope]


@dataclass(frozen=True, slots=True)
class Holder:
    """A device whose ``latest`` version holds what was looked for, in ``count`` lines of which some are shown."""

    serial: str
    name: str | None
    latest: str
    hits: tuple[Hit, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """A device whose ``latest`` version does not hold what was looked for."""

    serial: Serial
    name: str | None
    latest: str


def search() -> tuple[str, int] | str:
    """Show which devices hold a text, in their latest version or ever, or don't."""
    scope = request.args.get("scope", "")
    devices = parse_search(request.args.get("of", "")).text
    asked = Asked(
        request.args.get("q", ""), scope if scope in SCOPES else SCOPES[0], request.args.get("word") == "1", devices
    )
    if not asked.text:
        return _page(asked)
    try:
        query, history = asked.query(), visible_history()
        match asked.scope:
            case "history":
                return _through_history(history, asked, query)
            case "without":
                return _without(history, asked, query)
            case _:
                return _latest(history, asked, query)
    except (SiteError, InvalidEntry) as error:
        return _page(asked, f"{str(error)[:1].upper()}{str(error)[1:]}."), 400


def _page(asked: Asked, fault: str = "", **results: object) -> str:
    return render_template(
        "backups/search.html", asked=asked, text=asked.text, scope=asked.scope, fault=fault, **results
    )


def _latest(history: BackupHistory, asked: Asked, query: TextQuery) -> str:
    hits, complete = history.search(query, _MOST_HITS)
    searched(asked.text, str(asked), [hit.text for hit in hits])
    by_device: dict[str, list[Hit]] = {}
    for hit in hits:
        by_device.setdefault(hit.serial, []).append(hit)
    names = served().site.backup_timeline.names(map(parse_serial, by_device))
    latest = _latest_commits(map(parse_serial, by_device))
    holders = [
        Holder(
            serial,
            names.get(parse_serial(serial)),
            latest[parse_serial(serial)],
            tuple(some[:_HITS_OF_A_DEVICE]),
            len(some),
        )
        for serial, some in by_device.items()
    ]
    return _page(asked, holders=holders, lines=len(hits), complete=complete)


def _latest_commits(serials: Iterable[Serial]) -> dict[Serial, str]:
    """Return the latest version of each device, by which links stay what they are."""
    return {serial: version.commit for serial, version in served().site.backup_index.latest(serials).items()}


def _without(history: BackupHistory, asked: Asked, query: TextQuery) -> str:
    serials, hits = history.lacking(query)
    searched(asked.text, str(asked), [hit.text for hit in hits])
    some = serials[:_MOST_WITHOUT]
    names, latest = served().site.backup_timeline.names(some), _latest_commits(some)
    lacking = [Lacking(serial, names.get(serial), latest[serial]) for serial in some]
    return _page(asked, lacking=lacking, count=len(serials))


def _through_history(history: BackupHistory, asked: Asked, query: TextQuery) -> str:
    before = paging.number(request.args.get("before"), 0, _LAST) or None
    result = history.search_through(query, before=before, seconds=_HISTORY_SECONDS)
    searched(asked.text, str(asked), [hit.text for held in result.held for hit in held.lines])
    return _page(
        asked,
        result=result,
        before=before,
        looked=_looked(result),
        span=_span,
        latest=_latest_commits(held.serial for held in result.held[:_MOST_HOLDERS]),
    )


def _looked(result: HistorySearch) -> str:
    return counted(result.looked_at, "version")


def _span(held: Held) -> bool:
    """Whether more than one version of a device holds the text."""
    return held.first.commit != held.last.commit
