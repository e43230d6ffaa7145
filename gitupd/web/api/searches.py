"""Searches for devices that are saved, for programs: those of whoever asks, and those that are everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    rename_search,
    save_search,
    share_search,
    visible_search,
)
from gitupd.web.access import actor
from gitupd.web.api.answering import answer, done, missing
from gitupd.web.api.reading import LARGEST_ID, LONGEST_SEARCH, RefusedRequest, body, boolean, one_of, query, text, whole
from gitupd.web.context import served

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.searches.saved import SavedSearch

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
    if shared:
        _check_sharing()
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


@bp.patch("/searches/<search>")
def change(search: str) -> Response:
    """Give a saved search another name, or make it everybody's."""
    query()
    given = body({}, {"name": _NAME, "shared": _shared, "replace": boolean})
    replace = given.pop("replace", False)
    if len(given) != 1:
        raise RefusedRequest(400, "Change one thing at a time: name or shared.")
    found, site = _changeable(search), served().site
    if "name" not in given:
        _check_sharing()
        return answer(search_facts(share_search(site, actor(), found, now(), replace=replace)))
    try:
        return answer(search_facts(rename_search(site, actor(), found, given["name"], now(), replace=replace)))
    except InvalidEntry as error:
        raise RefusedRequest(400, str(error)) from error


@bp.delete("/searches/<search>")
def remove(search: str) -> Response:
    """Remove a saved search."""
    query()
    remove_search(served().site, actor(), _changeable(search), now())
    return done()


def _shared(value: Any) -> bool:
    if value is not True:
        raise ValueError("what is shared stays so; save it as your own, and remove this one")
    return True


def _check_sharing() -> None:
    """Raise RefusedRequest if whoever asks may not share searches."""
    if not actor().role.allows(SHARING):
        raise RefusedRequest(403, f"To share searches needs the role {SHARING}; yours is {actor().role}.")


def _changeable(search: str) -> SavedSearch:
    """Return a saved search by its id; raises RefusedRequest if it is not there, or whoever asks may not change it."""
    try:
        number: int = whole(1, LARGEST_ID)(search)
    except ValueError as error:
        raise RefusedRequest(400, f"search: {error}") from error
    found = visible_search(served().site, actor(), number)
    if found is None:
        raise missing(f"saved search {number}")
    if not may_change(actor(), found):
        raise RefusedRequest(403, f"To change a shared search needs the role {SHARING}; yours is {actor().role}.")
    return found
