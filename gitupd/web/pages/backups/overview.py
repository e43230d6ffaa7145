"""The pages of all backups: what changed where, and of which devices there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from gitupd.core.caller import Serial, parse_serial
from gitupd.core.search import parse_search
from gitupd.errors import MalformedRequest
from gitupd.service.backups.messages import change_of
from gitupd.service.backups.troubles import backup_troubles
from gitupd.service.clock import now
from gitupd.web.context import reached, served
from gitupd.web.pages import paging
from gitupd.web.pages.backups import compare, device, drift, export, origins, pair, search, version
from gitupd.web.pages.backups.heatmap import first_day, heatmap
from gitupd.web.pages.backups.period import asked_for, midnight
from gitupd.web.pages.backups.story import Changed, deployed, told
from gitupd.web.pages.backups.views import marked, policy, readable, utc, veiled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.backups.version import Kept, Late, Listed, Silent
    from gitupd.store.backups.timeline import BackupTimeline
    from gitupd.web.pages.backups.heatmap import Heatmap
    from gitupd.web.pages.backups.period import Period
    from gitupd.web.pages.backups.story import Happening

bp = Blueprint("backups", __name__)
bp.add_url_rule("/backups/search", "search", search.search)
bp.add_url_rule("/backups/export", "export", export.export)
bp.add_url_rule("/backups/drift", "drift", drift.drift)
bp.add_url_rule("/backups/<serial>", "device", device.show)
bp.add_url_rule("/backups/<serial>/diff", "diff", compare.diff)
bp.add_url_rule("/backups/<serial>/against", "against", pair.against)
bp.add_url_rule("/backups/<serial>/restore", "confirm_restore", device.confirm_restore)
bp.add_url_rule("/backups/<serial>/restore", "restore", device.restore, methods=["POST"])
bp.add_url_rule("/backups/<serial>/cancel", "cancel", device.cancel, methods=["POST"])
bp.add_url_rule("/backups/<serial>/<revision>", "version", version.version)
bp.add_url_rule("/backups/<serial>/<revision>/raw", "raw", version.raw)
bp.add_url_rule("/backups/<serial>/<revision>/since", "since", origins.since)

bp.add_app_template_filter(readable, "safe_line")
bp.add_app_template_filter(utc, "utc")
bp.add_app_template_filter(veiled, "veiled")
bp.add_app_template_filter(marked, "marked")

_LISTED = 50
_LAST = 10**9
_MOST_DEPLOYMENTS = 1_000
_DAY = 86_400
_LATE_AFTER = 7
_MOST_DAYS = 10_000


@dataclass(frozen=True, slots=True)
class View:
    """What is listed: ``show`` is changes, devices, late, or never; one of the lists has it.

    ``more`` is where it goes on; who has not uploaded for so many ``days`` is late.
    """

    show: str
    words: str = ""
    happenings: Sequence[Happening] = ()
    kept: Sequence[Kept] = ()
    late: Sequence[Late] = ()
    days: int = 0
    silent: Sequence[Silent] = ()
    more: str | int | None = None


@bp.get("/backups")
def index() -> str:
    """Show what changed where: in numbers, by day, and the newest changes."""
    today = now().date()
    period = asked_for(request.args, today)
    timeline = served().site.backup_timeline
    troubles, warnings = backup_troubles(served().site, now())
    return render_template(
        "backups/overview.html",
        live=served().live,
        troubles=[*troubles, *warnings],
        enabled=policy().enabled,
        counts=timeline.counts(midnight(today)),
        late=timeline.count_late(_days_ago(_late_after())),
        late_after=_late_after(),
        present_since=served().fleet().yardstick.present_since,
        today=today,
        calendar=_calendar(timeline, today),
        period=period,
        view=_view(timeline, period),
        before=request.args.get("before") or request.args.get("after"),
        change=change_of,
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
        case "late":
            days = paging.number(request.args.get("days"), _late_after(), _MOST_DAYS)
            late = timeline.late(_days_ago(days), _LISTED + 1, _after())
            more = str(late[_LISTED - 1].serial) if len(late) > _LISTED else None
            return View("late", late=late[:_LISTED], days=days, more=more)
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


def _late_after() -> int:
    """Return after how many days without an upload a device is late: as many as it may be missing for, at least one."""
    live = served().live
    seconds = live.snapshot.policy.status.missing_after if live else 0
    return max(1, round(seconds / _DAY)) if seconds else _LATE_AFTER


def _days_ago(days: int) -> datetime:
    return now() - timedelta(days=days)


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
