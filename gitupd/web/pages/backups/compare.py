"""What differs between two versions of a device, or between one and what the device would get now."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import render_template, request, url_for

from gitupd.core.backups.intent import Verdict
from gitupd.core.concealing import HIDDEN
from gitupd.service.backups.difference import MOST_COMPARED, MOST_ROWS, Fold
from gitupd.service.backups.drift import held_against
from gitupd.web.backup_reading import policy, version_name, viewed, visible_history
from gitupd.web.context import served
from gitupd.web.pages.backups.story import MOST, deployment_behind, deployments_between, happenings_of, restores_between
from gitupd.web.pages.backups.views import change_of, device_serial, permanent, readable, title_of, version_named
from gitupd.web.wording import short

if TYPE_CHECKING:
    from gitupd.core.backups.intent import Intent
    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.core.script import Script
    from gitupd.service.backups.difference import DiffRow
    from gitupd.service.backups.history import BackupHistory
    from gitupd.web.pages.backups.story import Happening

_CONTEXT = 3
SNIPPET = "snippet"
"""The view of a difference as commands that bring it about."""

NOW = "now"
"""What stands in an address for what the device would get now."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of a device and what differs; ``old`` is None if ``new`` is the first one."""

    old: BackupVersion | None
    new: BackupVersion
    rows: list[DiffRow | Fold]
    added: int
    removed: int

    @property
    def folds(self) -> bool:
        """Whether equal lines are folded away."""
        return any(isinstance(row, Fold) and not row.changed for row in self.rows)


def difference(
    history: BackupHistory, old: BackupVersion | None, new: BackupVersion, *, whole: bool = False
) -> Difference:
    """Return what differs, as a page shows it: only what changed and lines around that, or the *whole* of it."""
    comparison = history.comparison(old, new, MOST_COMPARED)
    rows = comparison.folded(None if whole else _CONTEXT, MOST_ROWS)
    return Difference(old, new, rows, comparison.added, comparison.removed)


def view_of(shown: Difference) -> str:
    """Return what the audit says of somebody who looks at a difference."""
    return f"what {version_name(shown.new)} changed" + (f" against {short(shown.old.commit)}" if shown.old else "")


def diff(serial: str) -> str:
    """Show what differs between two versions, or between the latest one and what the device would get now."""
    number = device_serial(serial)
    history, timeline = visible_history(), served().site.backup_timeline
    a, b = request.args.get("a", "").strip(), request.args.get("b", "").strip()
    if b == NOW:
        return _against_now(number, history, a)
    new = version_named(history, number, b or "latest")
    old = version_named(history, number, a) if a else timeline.before(new)
    if old is not None and old.received > new.received:
        old, new = new, old  # whichever way they were chosen, the older one comes first
    whole, view = request.args.get("all") == "1", request.args.get("view")
    shown, side_by_side = difference(history, old, new, whole=whole), view == "split"
    as_snippet = history.snippet(old, new, MOST_COMPARED) if view == SNIPPET and old is not None else None
    viewed(str(number), view_of(shown))
    previous = timeline.before(new)
    return render_template(
        "backups/diff.html",
        serial=number,
        title=title_of(number, served().site.inventory.device(number), new),
        shown=shown,
        side_by_side=side_by_side,
        snippet=None if as_snippet is None else as_snippet[:MOST_ROWS],
        more_commands=len(as_snippet or ()) > MOST_ROWS,
        whole=whole,
        change=change_of,
        link=_link(number, shown, view if view in ("split", SNIPPET) else None),
        had=deployment_behind(new),
        meanwhile=_meanwhile(number, old, new),
        most=MOST,
        # Steps from change to change, where it is one that is looked at.
        previous=old if old and previous and old.commit == previous.commit else None,
        following=timeline.after(new) if old == previous else None,
    )


def _link(serial: Serial, shown: Difference, view: str | None) -> str:
    """Return the URL that will always show this difference."""
    old = shown.old and shown.old.commit
    return permanent(url_for("backups.diff", serial=str(serial), a=old, b=shown.new.commit, view=view))


def _meanwhile(serial: Serial, old: BackupVersion | None, new: BackupVersion) -> list[Happening]:
    """Return what happened between two versions, besides changes; nothing before the first one."""
    if old is None:
        return []
    between = old.received, new.received
    return happenings_of([], [*deployments_between(*between), *restores_between(serial, *between)])


# Against what the device would get now


def _against_now(serial: Serial, history: BackupHistory, revision: str) -> str:
    present = version_named(history, serial, revision or "latest")
    device = served().site.inventory.device(serial)
    script, result = held_against_script(history, device, present)
    viewed(str(serial), f"{version_name(present)} against what it would get now")
    return render_template(
        "backups/intent.html",
        serial=serial,
        title=title_of(serial, device, present),
        version=present,
        is_deployed=served().live is not None,
        script=script,
        result=result,
        verdicts=Verdict,
        shown_value=partial(_shown_value, history.veil_of(present)),
    )


def held_against_script(
    history: BackupHistory, device: Device | None, version: BackupVersion
) -> tuple[Script | None, Intent | None]:
    """Return what a device would get now, and how *version* stands to that; None if that can't be told."""
    script = served().inspection(device).now_lines() if device is not None else None
    return script, held_against(script, history.plain(version), policy().hide) if script is not None else None


def _shown_value(hide: Veil, module: str, option: str, value: str | None) -> str | None:
    """Return a value as the reader may see it: hidden if the line that it would stand in has it hidden."""
    if not value:
        return value
    line = f"config change {module} {option} {value}"
    seen = hide.line(line)
    return readable(value) if seen == line else HIDDEN
