"""What the commits of the backup history say, and how they are read again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitupd.core.backups.change import Delta, Fingerprint
from gitupd.core.backups.version import BackupVersion
from gitupd.core.caller import parse_serial
from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.store.backups.inbox import Incoming
    from gitupd.store.backups.objects import Kept, Recorded

_TRAILER = re.compile(r"^([A-Z][A-Za-z-]*): (.*)$", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
"""Characters that end a line, or change what a terminal shows of the others."""

_LONGEST_FACT = 200
_TITLES = {
    "hardware_id": "Hardware-Id",
    "type": "Type",
    "name": "Name",
    "firmware": "Firmware",
    "address": "Address",
    "authenticated": "Authenticated",
    "deployed": "Deployed",
    "delivered": "Delivered",
    "topics": "Topics",
    "note": "Note",
}
"""Facts of a version, and the trailers that tell them."""


def facts_of(incoming: Incoming, device: Device | None) -> dict[str, str]:
    """Return what is worth telling of a version: what the upload said, and what is remembered of the device."""
    facts = dict(incoming.facts)
    if device is not None:
        remembered = {
            "hardware_id": device.hardware_id,
            "type": device.model,
            "name": device.name,
            "firmware": device.firmware,
            "delivered": device.sent,
        }
        facts = {**remembered, **{name: value for name, value in facts.items() if value}}
    if not facts.get("type"):
        facts["type"] = _model(str(facts.get("hardware_id") or ""), incoming.serial)
    return {name: _CONTROL.sub(" ", str(facts[name]))[:_LONGEST_FACT] for name in _TITLES if facts.get(name)}


def _model(hardware_id: str, serial: Serial) -> str | None:
    """Return the model in ``IP222-46-0a-f2``, None if this is not how the hardware id of *serial* is put together.

    A device may upload before it has ever told its model.
    """
    model, _, rest = hardware_id.partition("-")
    return model if model and rest.lower() == str(serial)[-8:] else None


def message_of(incoming: Incoming, facts: Mapping[str, str], lines: int, changed: Delta, *, first: bool) -> str:
    """Return the message of a version's commit: a title to read, and all that its index needs."""
    name = f' "{facts["name"]}"' if "name" in facts else ""
    title = " ".join(filter(None, (facts.get("type"), str(incoming.serial)))) + name
    trailers = [
        ("Device", str(incoming.serial)),
        *((title, facts[fact]) for fact, title in _TITLES.items() if fact in facts),
        ("Lines", f"{lines} +{changed.added} -{changed.removed}"),
        ("Fingerprint", incoming.fingerprint),
        ("Upload", incoming.key),
    ]
    listed = "".join(f"{title}: {value}\n" for title, value in trailers)
    return f"{title}: {change_in_words(changed, lines, first=first)}\n\n{listed}"


def change_in_words(changed: Delta, lines: int, *, first: bool) -> str:
    """Return what a version changed, such as ``4 lines changed``; *lines* is how many it has."""
    if first:
        return f"first version, {lines} line{'' if lines == 1 else 's'}"
    if changed.changed == 0:
        return "the order of lines changed"
    return f"{changed.changed} line{'' if changed.changed == 1 else 's'} changed"


def change_of(version: BackupVersion) -> str:
    """Return what a version changed, and what that is about, such as ``4 lines changed (gatekeeper, time)``."""
    changed, topics = version.delta, version.facts.get("topics")
    words = change_in_words(changed, version.lines, first=not changed.removed and changed.added == version.lines)
    return f"{words} ({topics})" if topics else words


def upload_of(message: str) -> str | None:
    """Return the key under which the version of this *message* lay in the inbox, None if it tells none."""
    return _trailers(message).get("Upload")


def device_of(message: str) -> Serial | None:
    """Return whose version a commit with this *message* is, None if it is none."""
    try:
        return parse_serial(_trailers(message)["Device"])
    except (KeyError, GitupdError):
        return None


def indexed_as(recorded: Recorded, serial: Serial, place: Kept) -> BackupVersion | None:
    """Return what a commit tells of the version of *serial* that it brought, None if it is no version."""
    trailers = _trailers(recorded.message)
    try:
        counted, added, removed = map(int, trailers["Lines"].replace("+", "").replace("-", "").split())
        fingerprint = Fingerprint(trailers["Fingerprint"])
    except (KeyError, ValueError):
        return None
    facts = {fact: trailers[title] for fact, title in _TITLES.items() if title in trailers}
    change = Delta(added, removed)
    return BackupVersion(
        serial, recorded.at, recorded.commit, place.blob, fingerprint, place.length, counted, change, facts
    )


def _trailers(message: str) -> dict[str, str]:
    return dict(_TRAILER.findall(message))
