"""The pages of one device's backups: its versions, what differs between two, and going back to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response, abort, flash, redirect, render_template, request, url_for

from gitupd.core.intent import Intent, Verdict, intent
from gitupd.core.outlook import hours_in_words
from gitupd.core.people import Role
from gitupd.core.secrets import HIDDEN
from gitupd.errors import SiteError
from gitupd.service.backup_difference import Fold
from gitupd.service.clock import now
from gitupd.service.restoring import Restoring
from gitupd.store.backup_timeline import BackupTimeline
from gitupd.web import paging
from gitupd.web.access import actor, needs
from gitupd.web.backup_views import change, device_serial, history, named, policy, readable, viewed
from gitupd.web.backup_views import version as version_named
from gitupd.web.context import served
from gitupd.web.layout import error_page
from gitupd.web.revisions import veil
from gitupd.web.wording import short

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.wrappers import Response as BaseResponse

    from gitupd.core.device import Device, Serial
    from gitupd.service.backup_difference import DiffRow
    from gitupd.service.backup_history import BackupHistory
    from gitupd.service.inspection import Script
    from gitupd.store.backup_index import Indexed

_LISTED = 25
_LINES_OF_A_PAGE = 2_000
_MOST_ROWS = 1_500
_CONTEXT = 3
_LAST = 10**9
NOW = "now"
"""What stands in an address for what the device would get now."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of a device and what differs; ``old`` is None if ``new`` is the first one."""

    old: Indexed | None
    new: Indexed
    rows: list[DiffRow | Fold]
    added: int
    removed: int

    @property
    def folds(self) -> bool:
        """Whether equal lines are folded away."""
        return any(isinstance(row, Fold) and not row.changed for row in self.rows)


def show(serial: str) -> str:
    """Show the versions of a device, and what the latest of them changed."""
    number = device_serial(serial)
    found, timeline = history(), BackupTimeline(served().site.database)
    extent = timeline.extent(number)
    before = _before(found, number)
    versions = found.versions(number, _LISTED + 1, before)
    heads = served().site.backup_inbox.heads([number])
    device = served().site.inventory.device(number)
    if not extent.count and device is None:
        text = f"No device with the serial number {number} has called yet or uploaded a backup, or it was forgotten."
        abort(error_page(404, "No such device", text, "Go to the backups, and look for the device there."))
    latest = (versions[0] if before is None else found.version(number)) if extent.count else None
    shown = _difference(found, timeline.before(latest), latest) if latest else None
    if shown is not None:
        viewed(str(number), _views(shown))
    return render_template(
        "backup_device.html",
        serial=number,
        title=_title(number, device, latest),
        device=device,
        enabled=policy().enabled,
        count=extent.count,
        first=extent.first,
        latest=latest,
        seen=heads[number].seen if number in heads else None,
        versions=versions[:_LISTED],
        older=versions[_LISTED - 1].commit if len(versions) > _LISTED else None,
        before=before,
        shown=shown,
        change=change,
        restores=_restores(number),
    )


def _before(found: BackupHistory, serial: Serial) -> datetime | None:
    """Return the time of the version that the address names as the last one of the page before."""
    text = request.args.get("before", "")
    return version_named(found, serial, text).received if text else None


def _restores(serial: Serial) -> dict[str, object]:
    """Return what there is to say of restores: the open one, and the last one that is done."""
    all_of_it = Restoring(served().site).of(serial)
    found = next((each for each in all_of_it if each.done is None), None)
    return {"open": found, "last": next((each for each in all_of_it if each.done is not None), None)}


def _title(serial: Serial, device: Device | None, latest: Indexed | None) -> str:
    name = device.name if device is not None else None
    return name or (latest.facts.get("name") if latest else None) or str(serial)


def _views(found: Difference) -> str:
    return f"what {named(found.new)} changed" + (f" against {short(found.old.commit)}" if found.old else "")


def _difference(found: BackupHistory, old: Indexed | None, new: Indexed, *, whole: bool = False) -> Difference:
    comparison = found.comparison(old, new)
    rows = comparison.folded(None if whole else _CONTEXT, _MOST_ROWS)
    return Difference(old, new, rows, comparison.added, comparison.removed)


def version(serial: str, revision: str) -> str:
    """Show one version, with numbered lines."""
    number = device_serial(serial)
    found = history()
    chosen = version_named(found, number, revision)
    page = paging.number(request.args.get("page"), 1, _LAST)
    lines, total = found.some_lines(chosen, (page - 1) * _LINES_OF_A_PAGE + 1, _LINES_OF_A_PAGE)
    pages = paging.Paging(page, _LINES_OF_A_PAGE, total)
    if page > pages.pages:
        abort(404)
    viewed(str(number), named(chosen))
    device = served().site.inventory.device(number)
    return render_template(
        "backup_version.html",
        serial=number,
        title=_title(number, device, chosen),
        version=chosen,
        previous=BackupTimeline(served().site.database).before(chosen),
        latest=found.version(number),
        lines=lines,
        paging=pages,
        change=change,
        hides=any(line.secret for line in lines),
    )


def raw(serial: str, revision: str) -> Response:
    """Return one version as a file, as it was uploaded but for secrets that the reader may not see."""
    number = device_serial(serial)
    found = history()
    chosen = version_named(found, number, revision)
    viewed(str(number), f"{named(chosen)} as a file")
    name = f"{number}-{chosen.received:%Y%m%d-%H%M%S}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.raw(chosen), content_type="text/plain; charset=utf-8", headers=headers)


def diff(serial: str) -> str:
    """Show what differs between two versions, or between the latest one and what the device would get now."""
    number = device_serial(serial)
    found, timeline = history(), BackupTimeline(served().site.database)
    a, b = request.args.get("a", "").strip(), request.args.get("b", "").strip()
    if b == NOW:
        return _against_now(number, found, a)
    new = version_named(found, number, b or "latest")
    old = version_named(found, number, a) if a else timeline.before(new)
    if old is not None and old.received > new.received:
        old, new = new, old  # whichever way they were chosen, the older one comes first
    shown = _difference(found, old, new, whole=request.args.get("all") == "1")
    viewed(str(number), _views(shown))
    return render_template(
        "backup_diff.html",
        serial=number,
        title=_title(number, served().site.inventory.device(number), new),
        shown=shown,
        side_by_side=request.args.get("view") == "split",
        whole=request.args.get("all") == "1",
        change=change,
    )


# Against what the device would get now


def _against_now(serial: Serial, found: BackupHistory, revision: str) -> str:
    present = version_named(found, serial, revision or "latest")
    device = served().site.inventory.device(serial)
    script = served().inspection(device).now_lines() if device is not None else None
    result = _intent(script, found.plain(present)) if script is not None else None
    viewed(str(serial), f"{named(present)} against what it would get now")
    return render_template(
        "backup_intent.html",
        serial=serial,
        title=_title(serial, device, present),
        version=present,
        is_deployed=served().live is not None,
        script=script,
        result=result,
        verdicts=Verdict,
        shown_value=_shown_value,
    )


def _intent(script: Script, backup: list[str]) -> Intent:
    secrets = policy().hide

    def is_secret(line: str) -> bool:
        return any(pattern.search(line) for pattern in secrets)

    return intent(((line.number, line.text) for line in script.lines), backup, is_secret)


def _shown_value(module: str, option: str, value: str | None) -> str | None:
    """Return a value as the reader may see it: hidden if the line that it would stand in has it hidden."""
    if not value:
        return value
    line = f"config change {module} {option} {value}"
    seen = veil().line(line)
    return readable(value) if seen == line else HIDDEN


# Going back to a version


@needs(Role.OPERATOR)
def confirm_restore(serial: str) -> str:
    """Show what going back to a version would change and what it can't undo, and ask."""
    number = device_serial(serial)
    return _question(number, request.args.get("rev", ""))


def _question(serial: Serial, revision: str) -> str:
    found = history()
    target = version_named(found, serial, revision)
    present = found.version(serial)
    preview = Restoring(served().site).preview(serial, target.commit, policy(), found)
    viewed(str(serial), f"going back to {named(target)}")
    device = served().site.inventory.device(serial)
    return render_template(
        "backup_restore.html",
        serial=serial,
        title=_title(serial, device, present),
        device=device,
        target=target,
        present=present,
        shown=_difference(found, present, target),
        left_behind=[readable(line) for line in preview.left_behind[:_MOST_ROWS]],
        open=_restores(serial)["open"],
        hours=_hours(),
    )


def _hours() -> str:
    """Return when devices may execute anything, in words; empty for always."""
    live = served().live
    window = live.snapshot.policy.delivery.window if live else None
    return hours_in_words(window) if window else ""


@needs(Role.OPERATOR)
def restore(serial: str) -> BaseResponse:
    """Have the device go back to a version with its next poll."""
    number = device_serial(serial)
    target = version_named(history(), number, request.form.get("rev", ""))
    Restoring(served().site).ask(number, target.commit, actor(), now(), policy())
    flash(f"{number} goes back to the version of {target.received:%d %b %Y, %H:%M} UTC with its next poll.")
    return redirect(url_for("backups.device", serial=str(number)), 303)


@needs(Role.OPERATOR)
def cancel(serial: str) -> BaseResponse:
    """Take back that a device is to go back to a version."""
    number = device_serial(serial)
    try:
        Restoring(served().site).cancel(number, actor(), now())
        flash("The restore is taken back; the device stays as it is.")
    except SiteError as error:
        flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "error")
    return redirect(url_for("backups.device", serial=str(number)), 303)
