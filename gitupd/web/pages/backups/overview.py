"""The pages of all backups: what changed where, and of which devices there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from gitupd.core.caller import Serial, parse_serial
from gitupd.errors import MalformedRequest
from gitupd.service.backups.overdue import OverdueBackups
from gitupd.service.backups.troubles import backup_troubles
from gitupd.service.clock import now
from gitupd.web import clock
from gitupd.web.backup_reading import policy
from gitupd.web.context import reached, served
from gitupd.web.language.texts import whole
from gitupd.web.pages import paging
from gitupd.web.pages.backups import compare, device, drift, export, origins, pair, search, version
from gitupd.web.pages.backups.heatmap import first_day, heatmap
from gitupd.web.pages.backups.period import period_in
from gitupd.web.pages.backups.story import deployments_between, happenings_of
from gitupd.web.pages.backups.views import change_of, marked, readable, veiled
from gitupd.web.pages.backups.waves import opened, part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.backups.overdue import OverdueDevice
    from gitupd.core.backups.version import DeviceBackups
    from gitupd.web.pages.backups.heatmap import Heatmap
    from gitupd.web.pages.backups.period import Period
    from gitupd.web.pages.backups.story import ChangedAlike, Happening
    from gitupd.web.pages.backups.waves import ChangesPart

bp = Blueprint("backups", __name__)
bp.add_url_rule("/backups/search", "search", search.search)
bp.add_url_rule("/backups/search.csv", "found", search.table)
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
bp.add_app_template_filter(veiled, "veiled")
bp.add_app_template_filter(marked, "marked")

_LISTED = 50
_LAST = 10**9
_MOST_DEPLOYMENTS = 1_000
_WEEK = 7
_MOST_DAYS = 10_000


@dataclass(frozen=True, slots=True)
class View:
    """What is listed: ``show`` is changes, devices, late, or never; one of the lists has it.

    Of changes these may be those of one ``wave``, None for all. ``more`` is where it goes on;
    who has not uploaded for ``span``, about so many ``days``, is late.
    """

    show: str
    words: str = ""
    happenings: Sequence[Happening] = ()
    kept: Sequence[DeviceBackups] = ()
    overdue: Sequence[OverdueDevice] = ()
    days: int = 0
    span: str = ""
    more: str | int | None = None
    wave: ChangedAlike | None = None


@bp.get("/backups")
def index() -> str:
    """Show what changed where: in numbers, by day, and the newest changes."""
    today = clock.today()
    period = period_in(request.args, today)
    overdue = OverdueBackups(served().site, served().live, now())
    troubles, warnings = backup_troubles(served().site, now())
    return render_template(
        "backups/overview.html",
        live=served().live,
        troubles=[*troubles, *warnings],
        enabled=policy().enabled,
        counts=served().site.backup_timeline.counts(clock.midnight(today)),
        overdue=overdue.count(),
        late_after=_span(overdue),
        today=today,
        calendar=_calendar(today),
        period=period,
        view=_view(period),
        before=request.args.get("before") or request.args.get("after"),
        change=change_of,
        fault=served().fleet().understood(request.args.get("q", "")).fault,
        update_url=reached().full("update.php"),
    )


def _calendar(today: date) -> Heatmap:
    start = clock.midnight(first_day(today))
    changes = dict(served().site.backup_timeline.per_day(start, clock.zone()))
    decided = served().site.deployments.between(start, None, _MOST_DEPLOYMENTS)
    return heatmap(changes, today, Counter(clock.local(each.at).date() for each in decided))


def _view(period: Period) -> View:
    """Return what the address asks for."""
    timeline = served().site.backup_timeline
    search = served().fleet().understood(request.args.get("q", ""))
    of = (search, served().fleet().yardstick) if search.terms else None
    match request.args.get("show"):
        case "never":
            never, more = _first(OverdueBackups(served().site, served().live, now()).never(_LISTED + 1, _after()))
            return View("never", overdue=never, more=more)
        case "late":
            days = paging.number(request.args.get("days"), 0, _MOST_DAYS)
            overdue = OverdueBackups(served().site, served().live, now(), timedelta(days=days) if days else None)
            late, more = _first(overdue.late(_LISTED + 1, _after()))
            return View("late", overdue=late, days=days or _whole_days(overdue), span=_span(overdue), more=more)
        case "devices":
            kept = timeline.kept(_LISTED + 1, after=_after(), of=of)
            more = str(kept[_LISTED - 1].latest.serial) if len(kept) > _LISTED else None
            return View("devices", search.text, kept=kept[:_LISTED], more=more)
        case _:
            before = paging.number(request.args.get("before"), 0, _LAST) or None
            number = paging.number(request.args.get("wave"), 0, _LAST)
            wave = opened(number, period, of, before, _LISTED) if number else None
            if wave is not None:
                return View("changes", search.text, wave[1].changes, wave=wave[0], more=wave[1].further)
            part = part_of(period, of, before, _LISTED)
            return View("changes", search.text, _happenings(part, period, before), more=part.further)


def _first(devices: list[OverdueDevice]) -> tuple[list[OverdueDevice], str | None]:
    """Return the devices of a page, and the one behind which the next page begins, None if there is none."""
    more = str(devices[_LISTED - 1].serial) if len(devices) > _LISTED else None
    return devices[:_LISTED], more


def _span(overdue: OverdueBackups) -> str:
    """Return in words for how long a device that is late has not uploaded; empty if none can be."""
    return whole(round(overdue.deadline.span.total_seconds())) if overdue.deadline else ""


def _whole_days(overdue: OverdueBackups) -> int:
    """Return for how many days that is, to be changed in a form."""
    return max(1, round(overdue.deadline.span / timedelta(days=1))) if overdue.deadline else _WEEK


def _happenings(part: ChangesPart, period: Period, before: int | None) -> list[Happening]:
    """Return the changes of a page with what was deployed meanwhile; *before* is where the page before ended."""
    above = served().site.backup_timeline.numbered([before]).get(before) if before else None
    end = above.version.received if above else period.end
    others = deployments_between(part.last.version.received if part.more and part.last else period.start, end)
    return happenings_of(part.changes, others)


def _after() -> Serial | None:
    try:
        return parse_serial(request.args.get("after", ""))
    except MalformedRequest:
        return None
