"""The pages of one device's backups: its versions, what differs between two, and going back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for

from gitupd.core.backups.intent import Verdict
from gitupd.core.outlook import hours_in_words
from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import SiteError
from gitupd.service.backups.difference import MOST_ROWS
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now
from gitupd.web import clock
from gitupd.web.access import actor, needs
from gitupd.web.backup_reading import policy, version_name, viewed, visible_history
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.pages.backups.compare import difference, held_against_script, view_of
from gitupd.web.pages.backups.period import period_in
from gitupd.web.pages.backups.story import MOST, Changed, deployments_between, happenings_of, restores_between
from gitupd.web.pages.backups.views import (
    change_of,
    device_serial,
    no_such_device,
    permanent,
    readable,
    title_of,
    version_named,
)
from gitupd.web.wording import here

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.wrappers import Response

    from gitupd.core.backups.version import BackupVersion, Extent
    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.service.backups.history import BackupHistory
    from gitupd.web.pages.backups.period import Period
    from gitupd.web.pages.backups.story import Deployed, Happening, Restored

_LISTED = 25


def show(serial: str) -> str:
    """Show the versions of a device, and what the latest of them changed, or what changed on some days."""
    number = device_serial(serial)
    history, timeline = visible_history(), served().site.backup_timeline
    extent, device = timeline.extent(number), served().site.inventory.device(number)
    if not extent.count and device is None:
        text = gettext(
            "No device with the serial number %(serial)s has called yet or uploaded a backup, or it was forgotten.",
            serial=number,
        )
        abort(no_such_device(text))
    period, before = period_in(request.args, clock.today()), _before(history, number)
    happenings, older = _timeline(history, number, period, before, extent)
    latest = history.version(number) if extent.count else None
    span = _span(history, number, period, latest)
    shown = difference(history, *span) if span else None
    if shown is not None:
        viewed(str(number), view_of(shown))
    return render_template(
        "backups/device.html",
        **_about(number, device, latest),
        extent=extent,
        happenings=happenings,
        older=older,
        before=before,
        period=period,
        within=timeline.extent(number, period.between) if period.is_chosen else None,
        deployments=deployments_between(period.start, period.end) if period.is_chosen else [],
        most=MOST,
        shown=shown,
        link=permanent(here(before=None)),
        today=clock.today(),
        change=change_of,
    )


def _about(serial: Serial, device: Device | None, latest: BackupVersion | None) -> dict[str, object]:
    """Return what the page tells of the device as it is now."""
    head = served().site.backup_inbox.heads([serial]).get(serial)
    return {
        "serial": serial,
        "title": title_of(serial, device, latest),
        "device": device,
        "enabled": policy().enabled,
        "latest": latest,
        "seen": head and head.seen,
        "restores": _restores(serial),
    }


def _timeline(
    history: BackupHistory, serial: Serial, period: Period, before: datetime | None, extent: Extent
) -> tuple[list[Happening], str | None]:
    """Return what happened to a device, the newest first, and the version from which to go on, None at the end."""
    end = min((each for each in (before, period.end) if each), default=None)
    versions = history.versions(serial, _LISTED + 1, end)
    versions = [each for each in versions if period.start is None or each.received >= period.start]
    listed, rest = versions[:_LISTED], versions[_LISTED:]
    start = listed[-1].received if rest else period.start or extent.first
    others: list[Deployed | Restored] = []
    if extent.count:
        others += deployments_between(start, end)
        others += restores_between(serial, start, end)
    return happenings_of(map(Changed, listed), others), listed[-1].commit if rest else None


def _span(
    history: BackupHistory, serial: Serial, period: Period, latest: BackupVersion | None
) -> tuple[BackupVersion | None, BackupVersion] | None:
    """Return the two versions to be compared: those around the days that were asked for, else the last two.

    The first is None if there is none before. None if the device had no version by then.
    """
    if not period.is_chosen:
        return (served().site.backup_timeline.before(latest), latest) if latest else None
    new = history.last_before(serial, period.end) if period.end else latest
    if new is None:
        return None
    old = history.last_before(serial, period.start) if period.start else None
    return old or history.oldest(serial), new


def _before(history: BackupHistory, serial: Serial) -> datetime | None:
    """Return the time of the version that the address names as the last one of the page before."""
    text = request.args.get("before", "")
    return version_named(history, serial, text).received if text else None


def _restores(serial: Serial) -> dict[str, object]:
    """Return what there is to say of restores: the open one, and the last one that is done."""
    restores = SiteRestores(served().site).of(serial)
    return {
        "open": next((restore for restore in restores if restore.done is None), None),
        "last": next((restore for restore in restores if restore.done is not None), None),
    }


# Going back to a version


@needs(Role.OPERATOR)
def confirm_restore(serial: str) -> str:
    """Show what going back to a version would change and what it can't undo, and ask."""
    number = device_serial(serial)
    return _question(number, request.args.get("rev", ""))


def _question(serial: Serial, revision: str) -> str:
    """Ask about one version against another: which they are is looked up once, for more may come at any moment."""
    history = visible_history()
    target, present = version_named(history, serial, revision), history.version(serial)
    staying = SiteRestores(served().site).left_behind(present, target, policy(), history, MOST_ROWS)
    viewed(str(serial), f"going back to {version_name(target)}")
    device = served().site.inventory.device(serial)
    return render_template(
        "backups/restore.html",
        serial=serial,
        title=title_of(serial, device, present),
        device=device,
        target=target,
        present=present,
        shown=difference(history, present, target),
        left_behind=[readable(line) for line in staying.lines],
        staying=staying.count,
        open=_restores(serial)["open"],
        hours=_hours(),
        overruled=_overruled(history, device, target),
    )


def _overruled(history: BackupHistory, device: Device | None, target: BackupVersion) -> int:
    """Return how many options of a version are not as the script of today wants them, which will set them again."""
    _, result = held_against_script(history, device, target)
    return len(result.of(Verdict.DIFFERENT, Verdict.ABSENT, Verdict.PRESENT)) if result is not None else 0


def _hours() -> str:
    """Return when devices may execute anything, in words; empty for always."""
    live = served().live
    window = live.snapshot.policy.delivery.window if live else None
    return hours_in_words(window) if window else ""


@needs(Role.OPERATOR)
def restore(serial: str) -> Response:
    """Have the device go back to a version with its next poll."""
    number = device_serial(serial)
    target = version_named(visible_history(), number, request.form.get("rev", ""))
    SiteRestores(served().site).ask(target, actor(), now(), policy())
    return redirect(url_for("backups.device", serial=str(number)), 303)


@needs(Role.OPERATOR)
def cancel(serial: str) -> Response:
    """Take back that a device is to go back to a version."""
    number = device_serial(serial)
    try:
        SiteRestores(served().site).cancel(number, actor(), now())
        flash(gettext("The restore is taken back; the device stays as it is."))
    except SiteError as error:
        flash(f"{capital(in_words(error))}.", "error")
    return redirect(url_for("backups.device", serial=str(number)), 303)
