"""What two devices have in common, and what not: what is known of them, and what they would get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import render_template, request

from gitupd.core.script import differences
from gitupd.core.words import capital
from gitupd.web.context import served
from gitupd.web.language.texts import marked, translated
from gitupd.web.pages.stories.device import device_at
from gitupd.web.pages.stories.scripts import readable_row
from gitupd.web.revisions import veil

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.device import Device
    from gitupd.core.script import Row

_LONGEST = 200
_MOST_OFFERED = 20
_MOST_LINES = 3_000
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class PairedFact:
    """What is known of two devices under one title, which is ``within`` in a sentence; empty for nothing."""

    title: str
    within: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        """Whether it is not the same of both."""
        return self.left != self.right


@dataclass(frozen=True, slots=True)
class PairedScripts:
    """How two devices' scripts of today differ: in ``count`` lines, of which ``rows`` are shown.

    ``rows`` is None where it is not known what they would get, or that is too much to be compared on a page.
    """

    rows: tuple[Row, ...] | None
    count: int = 0


def show(serial: str) -> str:
    """Show the device of a *serial* number beside another one, which may be named in any way that finds it."""
    fleet = served().fleet()
    device = device_at(fleet, serial)
    text = request.args.get("with", "").strip()[:_LONGEST]
    found = [each for each in fleet.named(text, _MOST_OFFERED + 2) if each.serial != device.serial] if text else []
    other = fleet.device(found[0].serial) if len(found) == 1 else None  # lists lack what it said last
    return render_template(
        "stories/pair.html",
        device=device,
        other=other,
        text=text,
        offers=found[:_MOST_OFFERED],
        more=len(found) > _MOST_OFFERED,
        facts=list(_facts(device, other)) if other else (),
        scripts=_scripts(device, other) if other else None,
    )


def _facts(device: Device, other: Device) -> Iterator[PairedFact]:
    def of(each: Device) -> dict[str, str | None]:
        return {
            "type": each.model,
            "hardware id": each.hardware_id,
            "address": each.address,
            "phase": each.phase,
            "environments": ", ".join(each.environments),
            "classes": ", ".join(each.classes),
            "firmware": each.firmware,
            "boot code": each.bootcode,
            marked("was sent"): each.sent and each.sent[:12],
            "confirmed": each.confirmed and each.confirmed[:12],
            "certificate": translated(each.certificate.stage) if each.certificate else None,
        }

    others = of(other)
    for title, value in of(device).items():
        yield PairedFact(capital(translated(title)), translated(title), value or "", others[title] or "")


def _scripts(device: Device, other: Device) -> PairedScripts:
    left, right = (served().inspection(each).now_lines() for each in (device, other))
    if left is None or right is None or max(len(left.lines), len(right.lines)) > _MOST_LINES:
        return PairedScripts(None)
    hide = veil()
    changed = [row for row in differences(left, right) if row.changed]
    # Compared as they are, and hidden then: that a secret differs may be told.
    return PairedScripts(tuple(readable_row(row, hide) for row in changed[:_MOST_SHOWN]), len(changed))
