"""The page that finds devices by a text in their configuration: those that have it, had it ever, or do not have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from flask import Response, render_template, request

from gitupd.core.people.person import Role
from gitupd.core.search import parse_search
from gitupd.core.words import capital
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.backups.finding import HoldersFound, find_all_holders, find_holders
from gitupd.service.backups.search import TextQuery, parse_text
from gitupd.web.access import actor
from gitupd.web.backup_reading import searched, visible_history
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import counted, marked, translated
from gitupd.web.pages import paging
from gitupd.web.showing import downloaded, show_secrets
from gitupd.web.tables import AT_ONCE, spreadsheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitupd.core.caller import Serial
    from gitupd.service.backups.history import BackupHistory
    from gitupd.service.backups.search import Held, HistorySearch
    from gitupd.service.site import Site

T = TypeVar("T")
_HEADINGS = (marked("serial number"), marked("name"), marked("line"))
SCOPES = ("latest", "history", "without")
_LAST = 10**9
_LARGEST_ID = 2**63 - 1
_SIZE = 50
_MOST_HITS = 5_000
_MOST_HOLDERS = 200
_HISTORY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: a ``text``, where to look for it, and the words that find the devices to look at.

    With ``hidden`` also what nobody is shown else is looked through, which takes longer.
    """

    text: str
    scope: str
    whole: bool
    devices: str
    hidden: bool

    def query(self) -> TextQuery:
        """Return what to look for; raises SiteError or InvalidEntry."""
        search = served().fleet().checked(self.devices)
        among = frozenset(served().fleet().serials(search)) if search.terms else None
        return TextQuery(parse_text(self.text), self.whole, among)

    @property
    def coded(self) -> str | None:
        """The text as devices write values, None if that is the same."""
        coded = quote(self.text, safe="/*.,-_()")
        return coded if coded != self.text else None

    @property
    def words(self) -> str | None:
        """What to type to find the same devices in their list, None if that can't be written there."""
        if self.hidden or '"' in self.text or " ".join(self.text.split()) != self.text:
            return None
        found = f'{"word" if self.whole else "text"}:"{self.text}"'
        return f"{f'-{found} has:backup' if self.scope == 'without' else found} {self.devices}".strip()

    def __str__(self) -> str:
        """Return where is looked, as the audit says it."""
        where = {"latest": "the latest versions", "history": "the history", "without": "versions without it"}
        return f"{where[self.scope]} of {self.devices!r}" if self.devices else where[self.scope]


@dataclass(frozen=True, slots=True)
class Holder:
    """A device with its ``latest`` version, and the number of the line that was looked for, None if it has none."""

    serial: Serial
    name: str | None
    latest: str
    number: int | None


def _asked() -> Asked:
    scope = request.args.get("scope", "")
    return Asked(
        request.args.get("q", ""),
        scope if scope in SCOPES else SCOPES[0],
        request.args.get("word") == "1",
        parse_search(request.args.get("of", "")).text,
        hidden=request.args.get("hidden") == "1" and actor().role.allows(Role.OPERATOR),
    )


def search() -> tuple[str, int] | str:
    """Show which devices hold a text, in their latest version or ever, or don't."""
    asked = _asked()
    if asked.hidden:
        show_secrets()
    if not asked.text:
        return _page(asked)
    try:
        query = asked.query()
        if asked.scope == "history":
            return _through_history(visible_history(), asked, query)
        found = _found(asked, query)
        return _without(asked, found) if asked.scope == "without" else _latest(asked, query, found)
    except (SiteError, InvalidEntry) as error:
        return _page(asked, f"{capital(in_words(error))}."), 400


@downloaded
def table() -> Response:
    """Return all devices that have a text in their latest version, or do not have it, as a table for spreadsheets."""
    asked = _asked()
    try:
        query = asked.query()
    except SiteError as error:
        raise InvalidEntry(str(error)) from error
    found = _found(asked, query)
    rows = ((serial, "") for serial in found.lacking) if asked.scope == "without" else found.by_device()
    return spreadsheet("backups.csv", tuple(map(translated, _HEADINGS)), _with_names(served().site, list(rows)))


def _with_names(site: Site, rows: Sequence[tuple[Serial, str]]) -> Iterator[tuple[str | None, ...]]:
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        names = site.backup_timeline.names({serial for serial, _ in some})
        yield from ((str(serial), names.get(serial), line) for serial, line in some)


def _found(asked: Asked, query: TextQuery) -> HoldersFound:
    found = find_all_holders(visible_history(), query) if asked.hidden else find_holders(served().site, query)
    searched(asked.text, str(asked), (line.text for line in found.lines))
    return found


def _page(asked: Asked, fault: str = "", **results: object) -> str:
    return render_template(
        "backups/search.html", asked=asked, text=asked.text, scope=asked.scope, fault=fault, **results
    )


def _latest(asked: Asked, query: TextQuery, found: HoldersFound) -> str:
    number = paging.number(request.args.get("line"), 0, _LARGEST_ID, 0)
    line = found.line(number) if "line" in request.args else None
    if line is not None:
        serials, pages = _part(found.of(line))
        return _page(asked, line=line, pages=pages, unread=found.unread, holders=_holders(serials, query, line.text))
    lines, pages = _part(found.lines)
    alone = found.alone(lines)
    of_one = {each.serial: each for each in _holders(list(alone.values()), query, "")}
    return _page(
        asked,
        lines=lines,
        pages=pages,
        alone={line: of_one[serial] for line, serial in alone.items() if serial in of_one},
        count=found.count,
        listed=_listed(asked),
        unread=found.unread,
    )


def _listed(asked: Asked) -> int | None:
    """Return how many of the devices their list has, None if it can't be asked for them."""
    return served().fleet().count(served().fleet().checked(asked.words)) if asked.words else None


def _part(rows: Sequence[T]) -> tuple[Sequence[T], paging.Paging]:
    """Return the rows of the page at hand."""
    pages = paging.Paging(paging.asked(request.args)[0], _SIZE, len(rows))
    return rows[pages.first - 1 : pages.last], pages


def _holders(serials: Sequence[Serial], query: TextQuery | None, line: str) -> list[Holder]:
    """Return devices with their latest versions, and where these hold a *line*, or else what *query* finds."""
    names, latest = served().site.backup_timeline.names(serials), _latest_commits(serials)
    numbers: dict[str, int] = {}
    if query is not None and serials:
        hits, _ = visible_history().search(TextQuery(query.text, query.whole, frozenset(serials)), _MOST_HITS)
        for hit in sorted(hits, key=lambda hit: hit.text != line):
            numbers.setdefault(hit.serial, hit.number)
    return [
        Holder(serial, names.get(serial), latest[serial], numbers.get(str(serial)))
        for serial in serials
        if serial in latest  # unless the history was begun anew meanwhile
    ]


def _latest_commits(serials: Iterable[Serial]) -> dict[Serial, str]:
    """Return the latest version of each device, by which links stay what they are."""
    return {serial: version.commit for serial, version in served().site.backup_index.latest(serials).items()}


def _without(asked: Asked, found: HoldersFound) -> str:
    serials, pages = _part(found.lacking)
    holders = _holders(serials, None, "")
    return _page(asked, holders=holders, pages=pages, count=pages.total, listed=_listed(asked), unread=found.unread)


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
