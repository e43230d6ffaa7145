"""The repository that the site follows, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import SiteError, UnusableDatabase
from gitupd.service.clock import now
from gitupd.service.upstream.fetching import accept as accept_head
from gitupd.service.upstream.news import spread_news
from gitupd.service.upstream.telling import followed, upstream_facts
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, missing
from gitupd.web.api.reading import RefusedRequest, body, query, text
from gitupd.web.context import served

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.upstream.standing import UpstreamStanding

bp = Blueprint("upstream", __name__)
_LONGEST_REASON = 500
_COMMIT = "[0-9a-f]{40}"


@bp.get("/upstream")
def upstream() -> Response:
    """Tell how it stands."""
    query()
    return answer(upstream_facts(_followed()))


@bp.post("/upstream/fetch")
@needs(Role.OPERATOR)
def fetch() -> Response:
    """Have it fetched."""
    query()
    stands = _followed()
    spread_news(served().site.path)
    return answer(upstream_facts(stands), 202)


@bp.post("/upstream/accept")
@needs(Role.ADMINISTRATOR)
def accept() -> Response:
    """Agree to what was refused, and have it fetched."""
    query()
    asked = body({"commit": text(40, 40, _COMMIT), "reason": text(_LONGEST_REASON, 1)})
    _followed()
    site, who = served().site, actor()
    try:
        accept_head(site, asked["commit"], who=who.name, now=now(), reason=asked["reason"], address=who.address)
    except UnusableDatabase:
        raise
    except SiteError as error:
        raise RefusedRequest(409, f"{capital(str(error))}.") from error
    spread_news(site.path)
    return answer(upstream_facts(_followed()), 202)


def _followed() -> UpstreamStanding:
    stands = followed(served().site, served().live)
    if stands is None:
        raise missing("repository that is followed")
    return stands
