"""The backups of one device, for programs: its versions, what they say, and what differs between two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from gitupd.core.caller import parse_serial
from gitupd.errors import SiteError
from gitupd.service.backups.difference import MOST_COMPARED, MOST_ROWS
from gitupd.service.backups.facts import row_facts, version_facts
from gitupd.web.api.answering import answer, missing, page
from gitupd.web.api.reading import FEW, MOST, RefusedRequest, query, serial, text, whole
from gitupd.web.backup_reading import version_name, viewed, visible_history
from gitupd.web.context import served
from gitupd.web.wording import short

if TYPE_CHECKING:
    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.service.backups.history import BackupHistory

bp = Blueprint("versions", __name__)
REVISION = text(60, 1, r"[0-9A-Za-z~][0-9A-Za-z:.+~-]*")
_COMMIT = text(40, 40, "[0-9a-f]*")
_CONTEXT, _MOST_CONTEXT = 3, 10_000


@bp.get("/devices/<sn>/backups")
def index(sn: str) -> Response:
    """Tell the versions of a device."""
    asked = query(limit=whole(1, MOST), before=_COMMIT)
    number, limit, history = parse_serial(sn), asked.get("limit", FEW), visible_history()
    extent = served().site.backup_timeline.extent(number)
    if not extent.count and served().site.inventory.device(number) is None:
        raise missing(f"device {number}")
    before = found(history, number, asked["before"]).received if "before" in asked else None
    versions = history.versions(number, limit + 1, before)
    facts = {"versions": [version_facts(version) for version in versions[:limit]], "total": extent.count}
    return page(facts, before=versions[limit - 1].commit if len(versions) > limit else None)


@bp.get("/devices/<sn>/backups/<revision>")
def show(sn: str, revision: str) -> Response:
    """Tell of a version what is known besides its lines."""
    query()
    version = found(visible_history(), parse_serial(sn), revision)
    timeline = served().site.backup_timeline
    previous, following = timeline.before(version), timeline.after(version)
    return answer(
        {
            "version": version_facts(version),
            "previous": previous and previous.commit,
            "following": following and following.commit,
        }
    )


@bp.get("/devices/<sn>/backups/<revision>/text")
def raw(sn: str, revision: str) -> Response:
    """Return a version as it was uploaded, but for what is secret to the one who asks."""
    query()
    history = visible_history()
    version = found(history, parse_serial(sn), revision)
    viewed(str(version.serial), f"{version_name(version)} as a file")
    return Response(history.raw(version), content_type="text/plain; charset=utf-8")


@bp.get("/devices/<sn>/backups/<revision>/difference")
def difference(sn: str, revision: str) -> Response:
    """Tell what differs between a version and another one, of the same device or of another."""
    asked = query(against=REVISION, of=serial, context=whole(0, _MOST_CONTEXT))
    history, number = visible_history(), parse_serial(sn)
    new = found(history, number, revision)
    other = asked.get("of", number)
    if "against" in asked or other != number:
        old: BackupVersion | None = found(history, other, asked.get("against", "latest"))
    else:
        old = served().site.backup_timeline.before(new)
    comparison = history.comparison(old, new, MOST_COMPARED)
    rows = comparison.folded(asked.get("context", _CONTEXT), MOST_ROWS)
    _note(old, new)
    return answer(
        {
            "old": old and version_facts(old),
            "new": version_facts(new),
            "added": comparison.added,
            "removed": comparison.removed,
            "rows": [row_facts(row) for row in rows],
        }
    )


def _note(old: BackupVersion | None, new: BackupVersion) -> None:
    """Write into the audit what is being looked at, as pages do: of both devices, if it is two."""
    if old is None or old.serial == new.serial:
        detail = f"what {version_name(new)} changed" + (f" against {short(old.commit)}" if old else "")
        viewed(str(new.serial), detail)
        return
    viewed(str(new.serial), f"{version_name(new)} against {old.serial}, version {short(old.commit)}")
    viewed(str(old.serial), f"{version_name(old)} against {new.serial}, version {short(new.commit)}")


def found(history: BackupHistory, number: Serial, revision: str) -> BackupVersion:
    """Return the version of a device that *revision* names; raises RefusedRequest if there is none."""
    try:
        return history.version(number, REVISION(revision))
    except ValueError as error:
        raise RefusedRequest(400, f"revision: {error}") from error
    except SiteError:
        raise missing(f"version {revision!r} of device {number}") from None
