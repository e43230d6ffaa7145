"""People, their tokens, and the audit, for programs."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.moments import beginning, ending
from gitupd.core.people.audit import AuditFilter, Kind, Topic
from gitupd.core.people.person import (
    LONGEST_PASSWORD,
    LONGEST_TITLE,
    LONGEST_TOKEN_DAYS,
    SHORTEST_PASSWORD,
    Role,
    parse_name,
)
from gitupd.errors import InvalidEntry
from gitupd.service.clock import now
from gitupd.service.facts import entry_facts, token_facts, user_facts
from gitupd.web.access import access, actor, needs
from gitupd.web.api.answering import answer, done, missing, page
from gitupd.web.api.reading import (
    FEW,
    LARGEST_ID,
    LATEST,
    RefusedRequest,
    any_text,
    body,
    boolean,
    number,
    one_of,
    query,
    text,
    time_of,
    whole,
)
from gitupd.web.context import served

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Response

    from gitupd.core.people.person import User

bp = Blueprint("people", __name__)
_WORDS = text(200, 1)
_NAME = text(64, 1, "[A-Za-z0-9._@-]+")
_ROLE = one_of(Role)
_PASSWORD = any_text(LONGEST_PASSWORD, SHORTEST_PASSWORD)


@bp.get("/audit")
@needs(Role.AUDITOR)
def audit() -> Response:
    """Tell who did what."""
    times = {"since": time_of(_beginning), "until": time_of(_ending)}
    asked = query(show=one_of(Topic), who=_WORDS, kind=one_of(Kind), subject=_WORDS, text=_WORDS, **times, **LATEST)
    limit, before, topic = asked.pop("limit", FEW), asked.pop("before", None), asked.pop("show", None)
    entries = served().site.audit.found(AuditFilter(topic, **asked), limit + 1, before)
    listed = [entry_facts(entry) for entry in entries[:limit]]
    return page({"entries": listed}, before=entries[limit - 1].id if len(entries) > limit else None)


def _beginning(text: str) -> datetime:
    return beginning(text, UTC, now())


def _ending(text: str) -> datetime:
    return ending(text, UTC, now())


@bp.get("/users")
@needs(Role.ADMINISTRATOR)
def users() -> Response:
    """Tell who may log in."""
    query()
    return answer({"users": [user_facts(each) for each in served().site.people.users()]})


@bp.post("/users")
@needs(Role.ADMINISTRATOR)
def add_user() -> Response:
    """Add somebody."""
    query()
    given = body({"name": _NAME, "role": _ROLE, "password": _PASSWORD})
    return answer(user_facts(access().add(actor(), given["name"], given["role"], given["password"], now())), 201)


@bp.get("/users/<name>")
@needs(Role.ADMINISTRATOR)
def user(name: str) -> Response:
    """Tell about somebody."""
    query()
    return answer(user_facts(_person(name)))


@bp.patch("/users/<name>")
@needs(Role.ADMINISTRATOR)
def change_user(name: str) -> Response:
    """Change one thing about somebody."""
    query()
    given = body({}, {"role": _ROLE, "disabled": boolean, "password": _PASSWORD})
    if len(given) != 1:
        raise RefusedRequest(400, "Change one thing at a time: role, disabled or password.")
    person = _person(name)
    match given:
        case {"role": role}:
            access().set_role(actor(), person.name, role, now())
        case {"disabled": disabled}:
            access().set_disabled(actor(), person.name, now(), disabled=disabled)
        case {"password": password}:
            access().set_password(actor(), person.name, password, now())
    return answer(user_facts(_person(name)))


@bp.delete("/users/<name>")
@needs(Role.ADMINISTRATOR)
def remove_user(name: str) -> Response:
    """Remove somebody."""
    query()
    access().remove(actor(), _person(name).name, now())
    return done()


@bp.get("/users/<name>/tokens")
@needs(Role.ADMINISTRATOR)
def tokens(name: str) -> Response:
    """Tell the tokens of somebody."""
    query()
    listed = served().site.people.tokens(_person(name).name)
    return answer({"tokens": [token_facts(token) for token in listed]})


@bp.post("/users/<name>/tokens")
@needs(Role.ADMINISTRATOR)
def add_token(name: str) -> Response:
    """Give somebody a token."""
    query()
    given = body({"title": text(LONGEST_TITLE, 1)}, {"role": _ROLE, "days": number(1, LONGEST_TOKEN_DAYS)})
    person = _person(name)
    token, key = access().add_token(
        actor(), person.name, given["title"], now(), role=given.get("role"), days=given.get("days")
    )
    return answer({"token": token_facts(token), "key": key}, 201)


@bp.delete("/tokens/<token>")
@needs(Role.ADMINISTRATOR)
def revoke_token(token: str) -> Response:
    """Revoke a token."""
    query()
    try:
        token_id: int = whole(1, LARGEST_ID)(token)
    except ValueError as error:
        raise RefusedRequest(400, f"token: {error}") from error
    if served().site.people.token(token_id) is None:
        raise missing(f"token {token_id}")
    access().revoke(actor(), token_id, now())
    return done()


def _person(name: str) -> User:
    """Return somebody by name; raises RefusedRequest if there is nobody, or can't be."""
    try:
        person = served().site.people.user(parse_name(name))
    except InvalidEntry as error:
        raise RefusedRequest(400, f"name: {error}") from error
    if person is None:
        raise missing("person of that name")
    return person
