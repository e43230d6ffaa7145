"""The page of one device: how it stands, what it was sent, why, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import Response, render_template, request

from gitupd.core.script import differences
from gitupd.service.answers import shown_answers
from gitupd.service.clock import now
from gitupd.service.fleet import Fleet
from gitupd.service.inspection import Inspection
from gitupd.service.scripting.device_xml import device_state_xml
from gitupd.web.context import served
from gitupd.web.pages.device_certificate import certificate_panel
from gitupd.web.pages.links import own_page, pair, polled_at
from gitupd.web.pages.stories.device import device_at
from gitupd.web.pages.stories.scripts import readable_line, readable_row
from gitupd.web.pages.stories.timeline import story_of
from gitupd.web.revisions import veil, veil_for
from gitupd.web.showing import downloaded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.core.script import Row, Script
    from gitupd.service.answers import ShownAnswer

_MOST_COMPARED = 3_000
_MOST_LINES = 750
_MOST_BESIDE, _AROUND = 400, 3
_HAPPENINGS = 12


@dataclass(frozen=True, slots=True)
class Scripts:
    """What a device would get ``now`` and got ``last``, as the reader may see it.

    ``rows`` has them side by side if there are both, or where they are long what differs with a few lines around it;
    ``changes`` lines differ. ``view`` is what is shown: compare, now, last, or nothing, but for ``left_out`` lines.
    """

    now: Script | None
    last: Script | None
    rows: tuple[Row, ...]
    changes: int
    view: str
    left_out: int


def show(serial: str) -> str:
    """Show the device of a *serial* number, which may be written in any way."""
    live, at = served().live, now()
    fleet = Fleet(served().site, live, at)
    device = device_at(fleet, serial)
    inspection = Inspection(
        device, live, served().snapshots, at, served().computing, decisions=fleet.decisions(device.serial)
    )
    queries = live.snapshot.policy.queries if live else ()
    current, last = inspection.now_lines(), inspection.last_lines()
    hide = veil()
    known = served().site.answers.of(device.serial)
    answers = [_veiled(each, hide) for each in shown_answers(queries, known)]
    progress = served().measures().progress(device)
    return render_template(
        "device.html",
        device=replace(device, check=hide.check(device.check)),
        live=live,
        state=fleet.state(device),
        present=fleet.is_present(device),
        warnings=fleet.warnings(device),
        progress=progress,
        next_step=inspection.next_step(),
        decided=fleet.decision(device.serial),
        panel=certificate_panel(device, live, known),
        pages={each: own_page(each, live) for each in (device.address, device.own_address, device.proxy)},
        poll_address=polled_at(own) if (own := own_page(device.address, live)) else None,
        answers=answers,
        story=story_of(device).page(_HAPPENINGS),
        scripts=_scripts(current, last),
        names=inspection.snippet_names(),
        asked=_asked(device),
        pair=pair,
        backups=served().site.backup_timeline.extent(device.serial),
        recording=served().site.recordings.of(device.serial),
    )


@downloaded
def state(serial: str) -> Response:
    """Return all that is remembered of a device as XML, as the configuration's own code sees it."""
    device = device_at(served().fleet(), serial)
    document = device_state_xml(device, served().site.answers.of(device.serial), veil())
    headers = {"Content-Disposition": f'attachment; filename="state-{device.serial}.xml"'}
    return Response(document, content_type="application/xml; charset=utf-8", headers=headers)


def _veiled(answer: ShownAnswer, hide: Veil) -> ShownAnswer:
    values = tuple((title, hide.variable(title, text)) for title, text in answer.values)
    return replace(answer, values=values, error=answer.error and hide.line(answer.error))


def _asked(device: Device) -> dict[str, str]:
    """Return what the page Preview is to be asked, so that it answers for *device* as it called last.

    Nothing for one that has not said what it is.
    """
    if device.request is None or not device.model:
        return {}
    said = device.request.arguments
    named = {
        "env": said.get("env"),
        "phase": said.get("phase"),
        "firmware": said.get("PROT"),
        "bootcode": said.get("BOOT"),
    }
    return {"type": device.model, "sn": str(device.serial), **{name: text for name, text in named.items() if text}}


def _scripts(current: Script | None, last: Script | None) -> Scripts:
    rows: list[Row] = []
    hide = veil_for(last)
    if current and last and all(0 < len(script.lines) <= _MOST_COMPARED for script in (current, last)):
        # Compared as they are, and hidden then: that a secret has changed may be told.
        rows = list(differences(last, current))
    changes = sum(row.changed for row in rows)
    beside = tuple(readable_row(row, hide) for row in _beside(rows))
    scripts = {"now": current, "last": last}
    views = ["compare"] if changes else []
    views += [name for name, script in scripts.items() if script is not None and script.lines]
    asked = request.args.get("script", "")
    view = asked if asked in views else next(iter(views), "")
    shown = scripts.get(view)
    left_out = max(0, len(shown.lines) - _MOST_LINES) if shown else len(rows) - len(beside)
    return Scripts(_readable(current, hide), _readable(last, hide), beside, changes, view, left_out)


def _beside(rows: Sequence[Row]) -> Sequence[Row]:
    """Return what a page has room for: all of a few *rows*, else those that differ with some around them."""
    if len(rows) <= _MOST_BESIDE:
        return rows
    near = {
        at for number, row in enumerate(rows) if row.changed for at in range(number - _AROUND, number + _AROUND + 1)
    }
    return [rows[at] for at in sorted(near) if 0 <= at < len(rows)][:_MOST_BESIDE]


def _readable(script: Script | None, hide: Veil) -> Script | None:
    """Return *script* without secrets, and no longer than a page can be."""
    if script is None:
        return None
    return replace(script, lines=tuple(readable_line(line, hide) for line in script.lines[:_MOST_LINES]))
