"""Searches for devices that are saved: checked before, by whoever may, and told in the audit if they are shared."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import TYPE_CHECKING

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role
from gitupd.core.searches.saved import ListView, SavedSearch, parse_search_name
from gitupd.errors import InvalidEntry
from gitupd.service.fleet import SORTS
from gitupd.service.listing.columns import USUAL, chosen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gitupd.core.people.person import Actor
    from gitupd.core.policy import Query
    from gitupd.service.fleet import Fleet
    from gitupd.service.site import Site

SHARING = Role.OPERATOR
"""Who may share searches with everybody, and change those that are shared."""


def checked_view(
    fleet: Fleet,
    queries: Iterable[Query],
    text: str = "",
    columns: str = "",
    sort: str = "",
    *,
    descending: bool = False,
) -> ListView:
    """Return what the list of devices is to show, written the usual way; raises InvalidEntry if it can't be shown now.

    *columns* are names with commas between them, ``usual``, or empty for those that a reader keeps; *sort* is one of
    SORTS, empty for the usual one.
    """
    if sort and sort not in SORTS:
        raise InvalidEntry(f"devices are not sorted by {sort[:60]!r}; choose {', '.join(SORTS)}")
    return usual_view(queries, fleet.checked(text).text, columns, sort, descending=descending)


def usual_view(queries: Iterable[Query], text: str, columns: str, sort: str, *, descending: bool) -> ListView:
    """Return the same of what a page shows already; raises InvalidEntry for a column that is none."""
    named = columns and columns != USUAL
    names = ",".join(column.name for column in chosen(columns, queries)) if named else columns
    return ListView(text, names, "" if sort == SORTS[0] else sort, descending)


def visible_search(site: Site, actor: Actor, number: int) -> SavedSearch | None:
    """Return a saved search by its id, None if there is none, or it is somebody else's own."""
    found = site.saved_searches.find(number)
    return found if found is not None and found.owner in (None, actor.name) else None


def may_change(actor: Actor, search: SavedSearch) -> bool:
    """Whether *actor* may rename, replace and remove a *search* that they see."""
    return search.owner == actor.name or (search.is_shared and actor.role.allows(SHARING))


def save_search(
    site: Site, actor: Actor, name: str, view: ListView, now: datetime, *, shared: bool = False, replace: bool = False
) -> SavedSearch:
    """Save *view* as the actor's own, or *shared* with everybody, and return it.

    One of that name is replaced, or SiteError raised; it is raised, too, if there are too many. Raises InvalidEntry for
    what can be no name.
    """
    search = SavedSearch(0, None if shared else actor.name, parse_search_name(name), view, now, actor.name)
    return site.saved_searches.save(search, _shared(actor, search, now, str(view)), replace=replace)


def rename_search(
    site: Site, actor: Actor, search: SavedSearch, name: str, now: datetime, *, replace: bool = False
) -> SavedSearch:
    """Give *search* another name, and return it; raises what :func:`save_search` does."""
    named = changed(search, name=parse_search_name(name), at=now, who=actor.name)
    event = _shared(actor, named, now, f"was {search.name}")
    return site.saved_searches.save(named, event, replace=replace)


def share_search(site: Site, actor: Actor, search: SavedSearch, now: datetime, *, replace: bool = False) -> SavedSearch:
    """Make *search* everybody's, so that it is no longer the actor's own; raises what :func:`save_search` does."""
    shared = changed(search, owner=None, at=now, who=actor.name)
    return site.saved_searches.save(shared, _shared(actor, shared, now, str(search.view)), replace=replace)


def remove_search(site: Site, actor: Actor, search: SavedSearch, now: datetime) -> bool:
    """Remove *search*; return whether it was still there."""
    event = Event(now, actor.name, Kind.SEARCH_REMOVE, search.name, str(search.view), actor.address)
    return site.saved_searches.remove(search.id, event if search.is_shared else None)


def _shared(actor: Actor, search: SavedSearch, now: datetime, detail: str) -> Event | None:
    """Return what the audit is to say of *search*, None if it is somebody's own."""
    if not search.is_shared:
        return None
    return Event(now, actor.name, Kind.SEARCH_SHARE, search.name, detail, actor.address)
