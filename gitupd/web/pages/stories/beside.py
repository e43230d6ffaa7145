"""What two devices have in common, and what not: what is known of them, and what they would get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import render_template, request

from gitupd.core.words import capital
from gitupd.service.stories.beside import paired_facts, paired_scripts
from gitupd.web.context import served
from gitupd.web.language.texts import translated
from gitupd.web.pages.stories.device import device_at
from gitupd.web.pages.stories.scripts import readable_row
from gitupd.web.revisions import veil

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.device import Device
    from gitupd.service.stories.beside import PairedScripts

_LONGEST = 200
_MOST_OFFERED = 20
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class FactRow:
    """What is known of two devices under one title, which is ``within`` in a sentence; empty for nothing."""

    title: str
    within: str
    left: str
    right: str
    differs: bool


def show(serial: str) -> str:
    """Show the device of a *serial* number beside another one, which may be named in any way that finds it."""
    fleet = served().fleet()
    device = device_at(fleet, serial)
    text = request.args.get("with", "").strip()[:_LONGEST]
    found = [each for each in fleet.named(text, _MOST_OFFERED + 2) if each.serial != device.serial] if text else []
    other = fleet.device(found[0].serial) if len(found) == 1 else None  # lists lack what it said last
    scripts, hide = _scripts(device, other) if other else None, veil()
    differing = (scripts and scripts.rows) or ()
    return render_template(
        "stories/pair.html",
        device=device,
        other=other,
        text=text,
        offers=found[:_MOST_OFFERED],
        more=len(found) > _MOST_OFFERED,
        facts=list(_rows(device, other)) if other else (),
        scripts=scripts,
        rows=[readable_row(row, hide) for row in differing[:_MOST_SHOWN]],
        count=len(differing),
    )


def _rows(device: Device, other: Device) -> Iterator[FactRow]:
    for fact in paired_facts(device, other):
        title = translated(fact.title)
        left, right = (text and translated(text) if fact.name == "certificate" else text for text in fact.texts)
        yield FactRow(capital(title), title, left, right, fact.differs)


def _scripts(device: Device, other: Device) -> PairedScripts:
    return paired_scripts(*(served().inspection(each).now_lines() for each in (device, other)))
