"""The pages of all backups: what changed where, and which devices hold a text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from gitupd.core.device import Serial, parse_serial
from gitupd.core.search import parse_search
from gitupd.errors import MalformedRequest, SiteError
from gitupd.service.backup_search import parse_text
from gitupd.service.clock import now
from gitupd.store.backup_timeline import BackupTimeline
from gitupd.web import backup_device, paging
from gitupd.web.backup_views import change, history, policy, readable, viewed
from gitupd.web.context import reached, served
from gitupd.web.heatmap import first_day, heatmap
from gitupd.web.wording import counted

if TYPE_CHECKING:
    from gitupd.service.backup_history import BackupHistory
    from gitupd.service.backup_search import Held, HistorySearch, Hit
    from gitupd.store.backup_timeline import Kept, Listed, Silent
    from gitupd.web.heatmap import Heatmap

bp = Blueprint("backups", __name__)
bp.add_url_rule("/backups/<serial>", "device", backup_device.show)
bp.add_url_rule("/backups/<serial>/diff", "diff", backup_device.diff)
bp.add_url_rule("/backups/<serial>/restore", "confirm_restore", backup_device.confirm_restore)
bp.add_url_rule("/backups/<serial>/restore", "restore", backup_device.restore, methods=["POST"])
bp.add_url_rule("/backups/<serial>/cancel", "cancel", backup_device.cancel, methods=["POST"])
bp.add_url_rule("/backups/<serial>/<revision>", "version", backup_device.version)
bp.add_url_rule("/backups/<serial>/<revision>/raw", "raw", backup_device.raw)

bp.add_app_template_filter(readable, "safe_line")

_LISTED = 50
_LAST = 10**9
_MOST_HITS = 500
_HITS_OF_A_DEVICE = 5
_HISTORY_SECONDS = 5.0
SCOPES = ("latest", "history")


@dataclass(frozen=True, slots=True)
class View:
    """What is listed: ``show`` is changes, devices, or never; one of the lists has it, ``more`` is where it goes on.

    ``fault`` says what of the address could not be understood.
    """

    show: str
    day: date | None
    words: str
    changes: list[Listed]
    kept: list[Kept]
    silent: list[Silent]
    more: str | int | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """A device whose latest version holds what was looked for, in ``count`` lines of which some are shown."""

    serial: str
    name: str | None
    hits: tuple[Hit, ...]
    count: int


@bp.get("/backups")
def index() -> str:
    """Show what changed where: in numbers, by day, and the newest changes."""
    today = now().date()
    timeline = BackupTimeline(served().site.database)
    return render_template(
        "backups.html",
        live=served().live,
        enabled=policy().enabled,
        counts=timeline.counts(_midnight(today)),
        today=today,
        calendar=_calendar(timeline, today),
        view=_view(timeline),
        before=request.args.get("before") or request.args.get("after"),
        change=change,
        update_url=reached().full("update.php"),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _calendar(timeline: BackupTimeline, today: date) -> Heatmap:
    counts = timeline.per_day(_midnight(first_day(today)))
    return heatmap({date.fromisoformat(day): count for day, count in counts}, today)


def _view(timeline: BackupTimeline) -> View:
    """Return what the address asks for."""
    day, fault = _day(request.args.get("day", ""))
    search = parse_search(request.args.get("q", ""))
    of = (search, served().fleet().yardstick) if search.terms else None
    match request.args.get("show"):
        case "never":
            silent = timeline.silent(_LISTED + 1, _after())
            more = str(silent[_LISTED - 1].serial) if len(silent) > _LISTED else None
            return View("never", None, "", [], [], silent[:_LISTED], more)
        case "devices":
            kept = timeline.kept(_LISTED + 1, after=_after(), of=of)
            more = str(kept[_LISTED - 1].latest.serial) if len(kept) > _LISTED else None
            return View("devices", None, search.text, [], kept[:_LISTED], [], more)
        case _:
            before = paging.number(request.args.get("before"), 0, _LAST) or None
            between = (_midnight(day), _midnight(day) + timedelta(days=1)) if day else None
            found = timeline.versions(_LISTED + 1, before=before, between=between, of=of)
            number = found[_LISTED - 1].number if len(found) > _LISTED else None
            return View("changes", day, search.text, found[:_LISTED], [], [], number, fault)


def _after() -> Serial | None:
    try:
        return parse_serial(request.args.get("after", ""))
    except MalformedRequest:
        return None


def _day(text: str) -> tuple[date | None, str]:
    """Return the day that *text* names, or else why it names none."""
    if not text.strip():
        return None, ""
    try:
        day = date.fromisoformat(text.strip())
        _midnight(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        return None, f"{readable(text[:40])} is no day; write it like {now():%Y-%m-%d}."
    return day, ""


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
        viewed("", f"search for {text!r} in {'the history' if scope == 'history' else 'the latest versions'}")
        return _through_history(found, text) if scope == "history" else _latest(found, text)
    except SiteError as error:
        fault = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return render_template("backup_search.html", text=text, scope=scope, fault=fault), 400


def _latest(found: BackupHistory, text: str) -> str:
    hits, complete = found.search(text, _MOST_HITS)
    by_device: dict[str, list[Hit]] = {}
    for hit in hits:
        by_device.setdefault(hit.serial, []).append(hit)
    names = BackupTimeline(served().site.database).names(map(parse_serial, by_device))
    holders = [
        Holder(serial, names.get(parse_serial(serial)), tuple(some[:_HITS_OF_A_DEVICE]), len(some))
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


def _through_history(found: BackupHistory, text: str) -> str:
    before = paging.number(request.args.get("before"), 0, _LAST) or None
    result = found.search_through(text, before=before, seconds=_HISTORY_SECONDS)
    return render_template(
        "backup_search.html",
        text=text,
        scope="history",
        fault="",
        result=result,
        before=before,
        looked=_looked(result),
        span=_span,
    )


def _looked(result: HistorySearch) -> str:
    return counted(result.looked_at, "version")


def _span(held: Held) -> bool:
    """Whether more than one version of a device holds the text."""
    return held.first.commit != held.last.commit
