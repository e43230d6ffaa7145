"""What the backup pages have in common: the history as the reader may see it, what is written of that, and lines."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import abort, redirect, request

from gitupd.config.builtin import BUILTIN
from gitupd.config.patterns import compiled
from gitupd.core.device import parse_serial
from gitupd.core.people import Kind, Role
from gitupd.core.policy import Backup
from gitupd.errors import MalformedRequest, SiteError
from gitupd.service.backup_history import BackupHistory
from gitupd.service.backup_messages import change_in_words
from gitupd.web.access import actor, record
from gitupd.web.context import served
from gitupd.web.layout import error_page
from gitupd.web.revisions import veil
from gitupd.web.wording import short

if TYPE_CHECKING:
    from gitupd.core.device import Serial
    from gitupd.store.backup_index import Indexed

LONGEST_LINE = 2_000
"""Characters of a line that a page shows."""

_PICTURES = {number: 0x2400 + number for number in (*range(0x09), *range(0x0A, 0x20))} | {0x7F: 0x2421}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def history() -> BackupHistory:
    """Return the history of the site at hand as the one who asks may see it."""
    secrets = actor().role.allows(Role.OPERATOR)
    return BackupHistory(served().site, policy(), secrets=secrets, veil=veil())


def policy() -> Backup:
    """Return what the deployed configuration says of backups; what a new one says if nothing is deployed."""
    live = served().live
    if live is not None:
        return live.snapshot.policy.backup
    return Backup(ignore=tuple(map(compiled, BUILTIN.volatile_lines)))


def viewed(subject: str, detail: str) -> None:
    """Write into the audit that a configuration is being looked at."""
    record(Kind.BACKUP_VIEW, subject, detail)


def device_serial(text: str) -> Serial:
    """Return the serial number in an address; ends the request if it is none, or is written in another way."""
    try:
        serial = parse_serial(text)
    except MalformedRequest as error:
        cure = "Go to the backups, and look for the device there."
        abort(error_page(404, "No such device", f"{str(error)[:1].upper()}{str(error)[1:]}.", cure))
    if str(serial) != text:
        path = request.path.replace(text, str(serial), 1)
        abort(redirect(f"{path}?{urlencode(request.args)}" if request.args else path, 301))
    return serial


def version(found: BackupHistory, serial: Serial, revision: str) -> Indexed:
    """Return the version that an address names; ends the request if there is none."""
    try:
        return found.version(serial, revision)
    except SiteError:
        shown = revision if len(revision) <= 60 else f"{revision[:60]}…"  # noqa: PLR2004 - fits into a sentence
        text = f"Device {serial} has no version {shown!r}."
        abort(error_page(404, "No such version", text, "Go to the device's backups, and choose one there."))


def named(found: Indexed) -> str:
    """Return what the audit calls a version."""
    return f"version {short(found.commit)}"


def change(found: Indexed) -> str:
    """Return what a version changed, such as ``4 lines changed``."""
    delta = found.delta
    return change_in_words(delta, found.lines, first=not delta.removed and delta.added == found.lines)


def readable(text: str) -> str:
    """Return a line from a device as a page may show it: no longer than that, and all of it visible.

    What would be invisible, or turn the order of letters round, is shown as a sign or by its number.
    """
    rest = len(text) - LONGEST_LINE
    text = text[:LONGEST_LINE].translate(_PICTURES)
    if not text.isprintable():
        text = "".join(_visible(letter) for letter in text)
    return f"{text}… ({rest:,} more characters)" if rest > 0 else text


def _visible(letter: str) -> str:
    hidden = letter != "\t" and unicodedata.category(letter) in _INVISIBLE
    return f"⟨U+{ord(letter):04X}⟩" if hidden else letter
