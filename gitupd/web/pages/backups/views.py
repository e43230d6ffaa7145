"""What the backup pages have in common: the history as the reader may see it, what is written of that, and lines."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, abort, redirect, render_template, request

from gitupd.core.caller import parse_serial
from gitupd.core.words import capital
from gitupd.errors import MalformedRequest, SiteError
from gitupd.service.backups.history import parse_moment
from gitupd.web.clock import local, zone
from gitupd.web.context import reached
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext, ngettext
from gitupd.web.layout import error_page
from gitupd.web.revisions import veil

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.service.backups.history import BackupHistory

LONGEST_LINE = 2_000
"""Characters of a line that a page shows."""

_LONGEST_REVISION = 60
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_IN_FRONT = 200
"""Characters that are shown in front of what was found in a long line."""

_PICTURES = {number: 0x2400 + number for number in (*range(0x09), *range(0x0A, 0x20))} | {0x7F: 0x2421}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def veiled(text: str) -> str:
    """Return a sentence in which lines of a configuration are quoted, as the one who asks may see it."""
    return veil().line(text)


def device_serial(text: str) -> Serial:
    """Return the serial number in an address; ends the request if it is none, or is written in another way."""
    try:
        serial = parse_serial(text)
    except MalformedRequest as error:
        abort(no_such_device(f"{capital(in_words(error))}."))
    if str(serial) != text:
        path = request.path.replace(text, str(serial), 1)
        abort(redirect(f"{path}?{urlencode(request.args)}" if request.args else path, 301))
    return serial


def no_such_device(why: str) -> Response:
    """Return the page that says *why* there are no backups of a device."""
    cure = gettext("Go to the backups, and look for the device there.")
    return error_page(404, gettext("No such device"), why, cure)


def change_of(version: BackupVersion) -> str:
    """Return what a version changed, and what that is about, such as ``4 lines changed (gatekeeper, time)``."""
    changed, topics = version.delta, version.facts.get("topics")
    if not changed.removed and changed.added == version.lines:
        words = ngettext("first version, %(number)s line", "first version, %(number)s lines", version.lines)
    elif changed.changed == 0:
        words = gettext("the order of lines changed")
    else:
        words = ngettext("%(number)s line changed", "%(number)s lines changed", changed.changed)
    return f"{words} ({topics})" if topics else words


def version_named(history: BackupHistory, serial: Serial, revision: str) -> BackupVersion:
    """Return the version that an address names; ends the request with a page that helps on if there is none."""
    try:
        moment = parse_moment(revision, zone()).isoformat() if _DAY.match(revision) else revision
        return history.version(serial, moment)
    except SiteError:
        shown = revision if len(revision) <= _LONGEST_REVISION else f"{revision[:_LONGEST_REVISION]}…"
        oldest = history.oldest(serial)
        page = render_template("backups/missing.html", serial=serial, revision=readable(shown), oldest=oldest)
        abort(Response(page, 404))


def title_of(serial: Serial, device: Device | None, latest: BackupVersion | None) -> str:
    """Return what pages call a device: its name, or that in its latest backup, or its serial number."""
    name = device.name if device is not None else None
    return name or (latest.facts.get("name") if latest else None) or str(serial)


def permanent(address: str) -> str:
    """Return the whole URL of a page that stays what it is, to be pasted elsewhere."""
    return reached().full(address)


def minute(at: datetime) -> str:
    """Return *at* to the minute, as the audit has it: ``05 May 2026, 00:51 CEST``, by the clock of the site."""
    return local(at).strftime("%d %b %Y, %H:%M %Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line; ``found`` if it is what was looked for."""

    text: str
    found: bool


def marked(line: str, wanted: str) -> list[Part]:
    """Return *line* in parts, those apart that are *wanted*, as a page may show it.

    Of a long line the beginning is left out if what is wanted is far behind it.
    """
    place = re.search(re.escape(wanted), line, re.IGNORECASE)
    if place and place.end() > LONGEST_LINE:
        line = f"…{line[place.start() - _IN_FRONT :]}"
    parts = re.split(f"({re.escape(readable(wanted))})", readable(line), flags=re.IGNORECASE)
    return [Part(text, found=bool(number % 2)) for number, text in enumerate(parts) if text]


def readable(text: str) -> str:
    """Return a line from a device as a page may show it: no longer than that, and all of it visible.

    What would be invisible, or turn the order of letters round, is shown as a sign or by its number.
    """
    rest = len(text) - LONGEST_LINE
    text = text[:LONGEST_LINE].translate(_PICTURES)
    if not text.isprintable():
        text = "".join(_visible(letter) for letter in text)
    if rest <= 0:
        return text
    return f"{text}… ({ngettext('%(number)s more character', '%(number)s more characters', rest)})"


def _visible(letter: str) -> str:
    hidden = letter != "\t" and unicodedata.category(letter) in _INVISIBLE
    return f"⟨U+{ord(letter):04X}⟩" if hidden else letter
