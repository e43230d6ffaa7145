"""Searches for devices that are saved: above the list, and on a page of their own, where they are changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for

from gitupd.core.searches.saved import LONGEST_NAME, MOST_SAVED, ListView, parse_search_name
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.service.listing.columns import USUAL, still_there
from gitupd.service.listing.saved import (
    SHARING,
    checked_view,
    may_change,
    remove_search,
    rename_search,
    save_search,
    share_search,
    usual_view,
    visible_search,
)
from gitupd.web.access import actor
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.pages.listing import policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask.typing import ResponseReturnValue

    from gitupd.core.search import Search
    from gitupd.core.searches.saved import SavedSearch
    from gitupd.service.fleet import Sort

_LINKED = 8
"""So many saved searches stand above the list; the others are in the menu."""


@dataclass(frozen=True, slots=True)
class SavedLink:
    """A saved search as a link; ``is_at_hand`` if the page shows just that."""

    search: SavedSearch
    url: str
    is_at_hand: bool


@dataclass(frozen=True, slots=True)
class SavedMenu:
    """What stands above the list of devices: one's ``own`` searches, ``shared`` ones, and the ``view`` to be saved."""

    own: tuple[SavedLink, ...]
    shared: tuple[SavedLink, ...]
    view: ListView
    may_share: bool
    longest_name: int = LONGEST_NAME

    @property
    def first(self) -> tuple[SavedLink, ...]:
        """A few of them, one's own first."""
        return (*self.own, *self.shared)[:_LINKED]


def saved_menu(search: Search, sort: Sort, *, descending: bool) -> SavedMenu:
    """Return the saved searches as whoever asks sees them, beside the one at hand."""
    columns = ",".join(request.args.getlist("columns"))
    view = usual_view(policy().queries, search.text, columns, sort, descending=descending)
    links = [
        SavedLink(each, address_of(each.view), _today(each.view) == view)
        for each in served().site.saved_searches.seen_by(actor().name)
    ]
    own, shared = (tuple(link for link in links if link.search.is_shared is is_shared) for is_shared in (False, True))
    return SavedMenu(own, shared, view, actor().role.allows(SHARING))


def _today(view: ListView) -> ListView:
    """Return *view* without the columns that are none any more, since somebody has taken their query away."""
    if view.columns == USUAL:
        return view
    names = ",".join(column.name for column in still_there(view.columns, policy().queries))
    return replace(view, columns=names)


def address_of(view: ListView) -> str:
    """Return where the list of devices shows *view*, without columns that are none any more."""
    return _list_at(_today(view).address)


def _list_at(arguments: dict[str, Any]) -> str:
    return url_for("devices.index", **arguments)


def index() -> str:
    """Show all of them, with what can be done with each."""
    searches = served().site.saved_searches.seen_by(actor().name)
    return render_template(
        "searches.html",
        own=[each for each in searches if not each.is_shared],
        shared=[each for each in searches if each.is_shared],
        address=address_of,
        may_change=lambda search: may_change(actor(), search),
        may_share=actor().role.allows(SHARING),
        most=MOST_SAVED,
        longest_name=LONGEST_NAME,
    )


def save() -> ResponseReturnValue:
    """Save the search at hand; ask first if that replaces one."""
    form, shared = request.form, request.form.get("shared") == "1"
    if shared and not actor().role.allows(SHARING):
        abort(403)
    back = _list_at({each: form[each] for each in ("q", "sort", "desc", "columns") if form.get(each)})
    try:
        name = parse_search_name(form.get("name", ""))
        view = checked_view(
            served().fleet(),
            policy().queries,
            form.get("q", ""),
            form.get("columns", ""),
            form.get("sort", ""),
            descending=form.get("desc") == "1",
        )
        known = served().site.saved_searches.named(None if shared else actor().name, name)
        if known and known.view != view and not _is_agreed():
            return _question(known, view, back)
        save_search(served().site, actor(), name, view, now(), shared=shared, replace=known is not None)
    except GitupdError as error:
        return _refused(error, back)
    flash(
        gettext("Saved for everybody as “%(name)s”.", name=name)
        if shared
        else gettext("Saved as “%(name)s”.", name=name),
        "success",
    )
    return redirect(address_of(view), 303)


def rename(number: int) -> ResponseReturnValue:
    """Give a saved search another name; ask first if there is one of that name."""

    def renamed(search: SavedSearch) -> ResponseReturnValue | None:
        name = parse_search_name(request.form.get("name", ""))
        known = served().site.saved_searches.named(search.owner, name)
        if known and known.id != search.id and not _is_agreed():
            return _question(known, search.view, url_for("devices.searches"))
        rename_search(served().site, actor(), search, name, now(), replace=_is_agreed())
        flash(gettext("“%(old)s” is called “%(new)s” now.", old=search.name, new=name), "success")
        return None

    return _change(number, renamed)


def share(number: int) -> ResponseReturnValue:
    """Make a saved search everybody's; ask first if there is a shared one of that name."""
    if not actor().role.allows(SHARING):
        abort(403)

    def shared(search: SavedSearch) -> ResponseReturnValue | None:
        known = served().site.saved_searches.named(None, search.name)
        if known and known.id != search.id and not _is_agreed():
            return _question(known, search.view, url_for("devices.searches"))
        share_search(served().site, actor(), search, now(), replace=_is_agreed())
        flash(gettext("“%(name)s” is there for everybody now.", name=search.name), "success")
        return None

    return _change(number, shared)


def remove(number: int) -> ResponseReturnValue:
    """Remove a saved search."""

    def removed(search: SavedSearch) -> None:
        remove_search(served().site, actor(), search, now())
        flash(gettext("“%(name)s” is removed. Devices stay as they are.", name=search.name), "success")

    return _change(number, removed)


def nothing_asked(**_: int) -> ResponseReturnValue:
    """Lead back to all of them whoever reloads a question."""
    return redirect(url_for("devices.searches"))


def _change(number: int, deed: Callable[[SavedSearch], ResponseReturnValue | None]) -> ResponseReturnValue:
    """Do something with a saved search, and lead back to all of them unless there is something to ask."""
    back, search = url_for("devices.searches"), visible_search(served().site, actor(), number)
    if search is None:
        flash(gettext("Nothing was done: that search is gone meanwhile."), "warning")
        return redirect(back, 303)
    if not may_change(actor(), search):
        abort(403)
    try:
        return deed(search) or redirect(back, 303)
    except GitupdError as error:
        return _refused(error, back)


def _is_agreed() -> bool:
    return request.form.get("replace") == "1"


def _refused(error: GitupdError, back: str) -> ResponseReturnValue:
    flash(gettext("Nothing was saved: %(fault)s.", fault=in_words(error)), "warning")
    return redirect(back, 303)


def _question(known: SavedSearch, view: ListView, back: str) -> str:
    fields: Mapping[str, str] = {
        name: text for name, text in request.form.items() if name not in ("csrf_token", "replace")
    }
    return render_template("search_replace.html", known=known, view=view, fields=fields, back=back)
