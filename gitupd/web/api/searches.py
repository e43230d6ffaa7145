"""Searches for devices that are saved, for programs: those of whoever asks, and those that are everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.searches.saved import LONGEST_NAME
from gitupd.errors import InvalidEntry
from gitupd.service.clock import now
from gitupd.service.facts import search_facts
from gitupd.service.fleet import SORTS
from gitupd.service.listing.columns import LONGEST
from gitupd.service.listing.saved import (
    SHARING,
    checked_view,
    may_change,
    remove_search,
    save_search,
    visible_search,
)
from gitupd.web.access import actor
from gitupd.web.api.answering import answer, done, missing
from gitupd.web.api.reading import LARGEST_ID, LONGEST_SEARCH, RefusedRequest, body, boolean, one_of, query, text, whole
from gitupd.web.context import served

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("searches", __name__)
_NAME = text(LONGEST_NAME, 1)
_SHOWN = {"q": text(LONGEST_SEARCH), "columns": text(LONGEST), "sort": one_of(SORTS), "desc": boolean}


@bp.get("/searches")
def index() -> Response:
    """Tell which searches there are for whoever asks."""
    query()
    return answer({"searches": [search_facts(each) for each in served().site.saved_searches.seen_by(actor().name)]})


@bp.post("/searches")
def save() -> Response:
    """Save a search, over one of its name if that is agreed to."""
    query()
    given = body({"name": _NAME}, {**_SHOWN, "shared": boolean, "replace": boolean})
    shared = given.get("shared", False)
    if shared and not actor().role.allows(SHARING):
        raise RefusedRequest(403, f"To share searches needs the role {SHARING}; yours is {actor().role}.")
    live = served().live
    queries = live.snapshot.policy.queries if live else ()
    wanted = (given.get("q", ""), given.get("columns", ""), given.get("sort", ""))
    replace = given.get("replace", False)
    try:
        view = checked_view(served().fleet(), queries, *wanted, descending=given.get("desc", False))
        saved = save_search(served().site, actor(), given["name"], view, now(), shared=shared, replace=replace)
    except InvalidEntry as error:
        raise RefusedRequest(400, str(error)) from error
    return answer(search_facts(saved), 201)


@bp.delete("/searches/<search>")
def remove(search: str) -> Response:
    """Remove a saved search."""
    query()
    try:
        number: int = whole(1, LARGEST_ID)(search)
    except ValueError as error:
        raise RefusedRequest(400, f"search: {error}") from error
    found = visible_search(served().site, actor(), number)
    if found is None:
        raise missing(f"saved search {number}")
    if not may_change(actor(), found):
        raise RefusedRequest(403, f"To remove a shared search needs the role {SHARING}; yours is {actor().role}.")
    remove_search(served().site, actor(), found, now())
    return done()
