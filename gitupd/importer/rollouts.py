"""How far certificates were rolled out by the PHP server: ``certs/SN-request.p10.der`` and the like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gitupd.importer.folders import Unusable
from gitupd.importer.report import shown

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.importer.folders import Installation
    from gitupd.importer.layout import Layout
    from gitupd.importer.report import Report


class RolloutPart(StrEnum):
    """What of a roll-out lies in a file, by the end of its name."""

    REQUEST = "request.p10.der"
    REQUEST_AS_TEXT = "request.p10.pem"
    SIGNED = "signedrequest.cer"
    ERROR = "requesterror"


_NAME = re.compile(
    rf"((?:[0-9a-f]{{2}}[-:]?){{5}}[0-9a-f]{{2}})-({'|'.join(map(re.escape, RolloutPart))})", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a roll-out: ``place`` as messages name it, and how old it is, in seconds since 1970."""

    place: str
    path: Path
    content: bytes = field(repr=False)
    at: float


@dataclass(frozen=True, slots=True)
class RememberedRollout:
    """The files of a device's roll-out, of the device with these 12 digits; None for those that are not there."""

    serial: str
    request: KeptFile | None = None
    request_as_text: KeptFile | None = None
    signed: KeptFile | None = None
    error: KeptFile | None = None

    @property
    def files(self) -> tuple[KeptFile, ...]:
        """All that are there."""
        every = (self.request, self.request_as_text, self.signed, self.error)
        return tuple(file for file in every if file is not None)


def read_rollouts(installation: Installation, layout: Layout, report: Report) -> tuple[RememberedRollout, ...]:
    """Return the roll-outs of *installation*, by serial number; a file that can't be read is reported."""
    folder = layout.certificates
    found: dict[str, RememberedRollout] = {}
    for name in installation.entries(folder) if folder else ():
        match = _NAME.fullmatch(name)
        if match is None or folder is None:
            continue
        path = folder / name
        place = shown(installation.relative(path))[1:-1]
        content = installation.content(path)
        if isinstance(content, Unusable):
            report.note_file(place, f"left out: {content.reason}")
            continue
        serial = match[1].replace("-", "").replace(":", "").lower()
        file = KeptFile(place, path, content, path.stat().st_mtime)
        found[serial] = _with(found.get(serial, RememberedRollout(serial)), RolloutPart(match[2].lower()), file, report)
    return tuple(found[serial] for serial in sorted(found))


def _with(rollout: RememberedRollout, kind: RolloutPart, file: KeptFile, report: Report) -> RememberedRollout:
    """Return *rollout* with *file*; of two files of one kind, whose names differ in form only, the later one counts."""
    attribute = kind.name.lower()
    other: KeptFile | None = getattr(rollout, attribute)
    if other is not None:
        older, file = sorted((other, file), key=lambda each: each.at)
        report.note_file(older.place, f"left out: {file.place} is later, and of the same device")
    news: dict[str, Any] = {attribute: file}
    return replace(rollout, **news)
