"""The pages of all backups: what changed where, and which devices hold a text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from gitupd.core.device import Serial, parse_serial
from gitupd.core.search import parse_search
from gitupd.core.words import counted
from gitupd.errors import MalformedRequest, SiteError
from gitupd.service.backup_search import parse_text
from gitupd.service.clock import now
from gitupd.store.backup_timeline import BackupTimeline
from gitupd.web import backup_compare, backup_device, backup_version, paging
from gitupd.web.backup_period import asked_for, midnight
from gitupd.web.backup_story import Changed, deployed, told
from gitupd.web.backup_views import change, history, marked, policy, readable, searched, utc, veiled
from gitupd.web.context import reached, served
from gitupd.web.heatmap import first_day, heatmap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.service.backup_history import BackupHistory
    from gitupd.service.backup_search import Held, HistorySearch, Hit
    from gitupd.store.backup_timeline import Kept, Listed, Silent
    from gitupd.web.backup_period import Period
    from gitupd.web.backup_story import Happening
    from gitupd.web.heatmap import Heatmap

bp = Blueprint("backups", __name__)
bp.add_url_rule("/backups/<serial>", "device", backup_device.show)
bp.add_url_rule("/backups/<serial>/diff", "diff", backup_compare.diff)
bp.add_url_rule("/backups/<serial>/restore", "confirm_restore", backup_device.confirm_restore)
bp.add_url_rule("/backups/<serial>/restore", "restore", backup_device.restore, methods=["POST"])
bp.add_url_rule("/backups/<serial>/cancel", "cancel", backup_device.cancel, methods=["POST"])
bp.add_url_rule("/backups/<serial>/<revision>", "version", backup_version.version)
bp.add_url_rule("/backups/<serial>/<revision>/raw", "raw", backup_version.raw)

bp.add_app_template_filter(readable, "safe_line")
bp.add_app_template_filter(utc, "utc")
bp.add_app_template_filter(veiled, "veiled")
bp.add_app_template_filter(marked, "marked")

_LISTED = 50
_LAST = 10**9
_MOST_DEPLOYMENTS = 1_000
_MOST_HITS = 500
_HITS_OF_A_DEVICE = 5
_MOST_HOLDERS = 200
_HISTORY_SECONDS = 5.0
SCOPES = ("latest", "history")


@dataclass(frozen=True, slots=True)
class View:
    """What is listed: ``show`` is changes, devices, or never; one of the lists has it, ``more`` is where it goes on."""

    show: str
    words: str = ""
    happenings: Sequence[Happening] = ()
    kept: Sequence[Kept] = ()
    silent: Sequence[Silent] = ()
    more: str | int | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A device whose ``latest`` version holds what was looked for, in ``count`` lines of which some are shown."""

    serial: str
    name: str | None
    latest: str
    hits: tuple[Hit, ...]
    count: int


@bp.get("/backups")
def index() -> str:
    """Show what changed where: in numbers, by day, and the newest changes."""
    today = now().date()
    period = asked_for(request.args, today)
    timeline = BackupTimeline(served().site.database)
    return render_template(
        "backups.html",
        live=served().live,
        enabled=policy().enabled,
        counts=timeline.counts(midnight(today)),
        today=today,
        calendar=_calendar(timeline, today),
        period=period,
        view=_view(timeline, period),
        before=request.args.get("before") or request.args.get("after"),
        change=change,
        update_url=reached().full("update.php"),
    )


def _calendar(timeline: BackupTimeline, today: date) -> Heatmap:
    start = midnight(first_day(today))
    changes = {date.fromisoformat(day): count for day, count in timeline.per_day(start)}
    decided = served().site.deployments.between(start, None, _MOST_DEPLOYMENTS)
    return heatmap(changes, today, Counter(each.at.astimezone(UTC).date() for each in decided))


def _view(timeline: BackupTimeline, period: Period) -> View:
    """Return what the address asks for."""
    search = parse_search(request.args.get("q", ""))
    of = (search, served().fleet().yardstick) if search.terms else None
    match request.args.get("show"):
        case "never":
            silent = timeline.silent(_LISTED + 1, _after())
            more = str(silent[_LISTED - 1].serial) if len(silent) > _LISTED else None
            return View("never", silent=silent[:_LISTED], more=more)
        case "devices":
            kept = timeline.kept(_LISTED + 1, after=_after(), of=of)
            more = str(kept[_LISTED - 1].latest.serial) if len(kept) > _LISTED else None
            return View("devices", search.text, kept=kept[:_LISTED], more=more)
        case _:
            before = paging.number(request.args.get("before"), 0, _LAST) or None
            found = timeline.versions(_LISTED + 1, before=before, between=period.between, of=of)
            number = found[_LISTED - 1].number if len(found) > _LISTED else None
            happenings = _happenings(timeline, found[:_LISTED], period, before, is_last=number is None)
            return View("changes", search.text, happenings, more=number)


def _happenings(
    timeline: BackupTimeline, found: Sequence[Listed], period: Period, before: int | None, *, is_last: bool
) -> list[Happening]:
    """Return the changes of a page with what was deployed meanwhile; *before* is where the page before ended."""
    above = timeline.numbered([before]).get(before) if before else None
    end = above.version.received if above else period.end
    others = deployed(period.start if is_last or not found else found[-1].version.received, end)
    return told([Changed(each.version, each.number, each.name) for each in found], others)


def _after() -> Serial | None:
    try:
        return parse_serial(request.args.get("after", ""))
    except MalformedRequest:
        return None


@bp.get("/backups/search")
def search() -> tuple[str, int] | str:
    """Show which devices hold a text, in their latest version or ever."""
    text = request.args.get("q", "")
    scope = request.args.get("scope", "")
    scope = scope if scope in SCOPES else SCOPES[0]
    if not text:
        return render_template("backup_search.html", text="", scope=scope, fault="")
    try:
        parse_text(text)
        found = history()
        return _through_history(found, text) if scope == "history" else _latest(found, text)
    except SiteError as error:
        fault = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return render_template("backup_search.html", text=text, scope=scope, fault=fault), 400


def _latest(found: BackupHistory, text: str) -> str:
    hits, complete = found.search(text, _MOST_HITS)
    searched(text, "the latest versions", [hit.text for hit in hits])
    by_device: dict[str, list[Hit]] = {}
    for hit in hits:
        by_device.setdefault(hit.serial, []).append(hit)
    names = BackupTimeline(served().site.database).names(map(parse_serial, by_device))
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
    return render_template(
        "backup_search.html",
        text=text,
        scope="latest",
        fault="",
        holders=holders,
        lines=len(hits),
        complete=complete,
    )


def _latest_commits(serials: Iterable[Serial]) -> dict[Serial, str]:
    """Return the latest version of each device, by which links stay what they are."""
    return {serial: version.commit for serial, version in served().site.backup_index.latest(serials).items()}


def _through_history(found: BackupHistory, text: str) -> str:
    before = paging.number(request.args.get("before"), 0, _LAST) or None
    result = found.search_through(text, before=before, seconds=_HISTORY_SECONDS)
    searched(text, "the history", [hit.text for held in result.held for hit in held.lines])
    return render_template(
        "backup_search.html",
        text=text,
        scope="history",
        fault="",
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
