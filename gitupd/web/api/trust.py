"""The authorities whose certificates identify devices, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import GitupdError
from gitupd.service.certificates.authorities import add_trust, remove_trust, trust_facts, trusted
from gitupd.service.clock import now
from gitupd.web.access import actor, needs
from gitupd.web.api.answering import answer, done, missing
from gitupd.web.api.reading import RefusedRequest, any_text, body, query
from gitupd.web.context import served

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("trust", __name__)
_LONGEST = 500_000


@bp.get("/trust")
@needs(Role.OPERATOR)
def trust() -> Response:
    """Tell what the site trusts."""
    query()
    return answer(trust_facts(trusted(served().site.trust.read(), now())))


@bp.post("/trust")
@needs(Role.ADMINISTRATOR)
def add() -> Response:
    """Trust the authorities in a text in PEM."""
    query()
    given = body({"pem": any_text(_LONGEST, 1)})
    try:
        files = add_trust(served().site, given["pem"].encode(errors="replace"), actor(), now())
    except GitupdError as error:
        raise RefusedRequest(422, f"{capital(str(error))}.") from error
    return answer({"files": list(files)}, 201)


@bp.delete("/trust/<file>")
@needs(Role.ADMINISTRATOR)
def remove(file: str) -> Response:
    """Trust what is in a file no more."""
    query()
    store = served().site.trust.read()
    if file not in {each.file for each in store.authorities} | {each.file for each in store.lists}:
        raise missing("such file")
    remove_trust(served().site, file, actor(), now())
    return done()
