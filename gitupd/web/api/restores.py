"""Putting devices back to earlier versions of their configurations, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.service.backups.facts import restore_facts
from gitupd.service.backups.restoring import SiteRestores
from gitupd.service.clock import now
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, missing, page
from gitupd.web.api.reading import FEW, LATEST, body, one_of, query
from gitupd.web.api.versions import REVISION, found
from gitupd.web.backup_reading import policy, visible_history
from gitupd.web.context import served
from gitupd.web.revisions import veil

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.backups.restore import Restore

bp = Blueprint("restores", __name__)


@bp.get("/restores")
def index() -> Response:
    """Tell the restores of all devices."""
    asked = query(state=one_of(("open", "all")), **LATEST)
    limit, only_open = asked.get("limit", FEW), asked.get("state") == "open"
    restores = served().site.restores.newest(limit + 1, asked.get("before"), only_open=only_open)
    before = restores[limit - 1].id if len(restores) > limit else None
    return page({"restores": list(map(_facts, restores[:limit]))}, before=before)


def _facts(restore: Restore) -> dict[str, Any]:
    """Return a restore as whoever asks may see it: what differs afterwards may quote lines."""
    return {**restore_facts(restore), "detail": veil().line(restore.detail)}


@bp.get("/devices/<sn>/restores")
def of_device(sn: str) -> Response:
    """Tell the latest restores of a device."""
    query()
    return answer({"restores": list(map(_facts, SiteRestores(served().site).of(parse_serial(sn))))})


@bp.post("/devices/<sn>/restores")
@needs(Role.OPERATOR)
def order(sn: str) -> Response:
    """Have a device go back to a version with its next poll."""
    query()
    asked = body({"revision": REVISION})
    target = found(visible_history(), parse_serial(sn), asked["revision"])
    return answer(_facts(SiteRestores(served().site).ask(target, actor(), now(), policy())), 201)


@bp.delete("/devices/<sn>/restores")
@needs(Role.OPERATOR)
def withdraw(sn: str) -> Response:
    """Take back that a device is to go back to a version."""
    query()
    number, restores = parse_serial(sn), SiteRestores(served().site)
    if all(restore.done is not None for restore in restores.of(number)):
        raise missing(f"open restore of device {number}")
    restores.cancel(number, actor(), now())
    return done()
