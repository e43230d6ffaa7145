"""The configurations of all devices as they were at a moment, as files in an archive."""

from __future__ import annotations

from io import RawIOBase
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from flask import Response, abort, request, stream_with_context

from gitupd.core.people.person import Role
from gitupd.core.words import counted
from gitupd.errors import SiteError
from gitupd.service.backups.history import parse_moment
from gitupd.service.clock import now
from gitupd.web.access import needs
from gitupd.web.backup_reading import viewed, visible_history
from gitupd.web.clock import local, zone
from gitupd.web.language.texts import gettext
from gitupd.web.layout import error_page
from gitupd.web.pages.backups.views import minute, readable
from gitupd.web.showing import downloaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from _typeshed import ReadableBuffer

    from gitupd.core.backups.version import BackupVersion
    from gitupd.service.backups.history import BackupHistory

_LONGEST_SHOWN = 40
_FOR_ITS_OWNER = 0o600 << 16


@needs(Role.AUDITOR)
@downloaded
def export() -> Response:
    """Return an archive with a file for each device, as it was at the time ``at``, or as it is now."""
    at = request.args.get("at", "").strip()
    moment = _moment(at)
    history = visible_history()
    versions = history.at(moment)
    viewed("", f"export of {counted(len(versions), 'configuration')}, as of {minute(moment)}")
    name = f"backups-{moment:%Y%m%d-%H%M%S}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(_zipped(history, versions)), content_type="application/zip", headers=headers)


def _moment(at: str) -> datetime:
    try:
        return parse_moment(at, zone()) if at else now()
    except SiteError:
        present = local(now())
        text = gettext(
            "“%(text)s” is no time; write it like %(day)s, or %(minute)s.",
            text=readable(at[:_LONGEST_SHOWN]),
            day=present.strftime("%Y-%m-%d"),
            minute=present.strftime("%Y-%m-%dT%H:%M"),
        )
        abort(error_page(400, gettext("No such time"), text, gettext("Go back, and choose another one.")))


class _Written(RawIOBase):
    """Takes what is written, and gives it away."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: ReadableBuffer) -> int:
        self._parts.append(bytes(part))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _zipped(history: BackupHistory, versions: Sequence[BackupVersion]) -> Iterator[bytes]:
    """Yield an archive piece by piece: it may be larger than what fits into memory."""
    written = _Written()
    with ZipFile(written, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for version, content in zip(versions, history.raws(versions), strict=True):
            info = ZipInfo(f"{version.serial}.txt", version.received.timetuple()[:6])
            info.external_attr, info.compress_type = _FOR_ITS_OWNER, ZIP_DEFLATED
            archive.writestr(info, content)
            yield written.taken()
    yield written.taken()
