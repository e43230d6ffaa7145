"""``gitupd searches``: searches for devices that are saved for everybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import FILTER, SHARED_SEARCH, Completed
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import print_table, printable, zoned
from gitupd.core.search import typed
from gitupd.core.words import counted
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.facts import search_facts
from gitupd.service.fleet import SORTS, Fleet
from gitupd.service.listing.columns import OWN, USUAL
from gitupd.service.listing.saved import checked_view, remove_search, rename_search, save_search

if TYPE_CHECKING:
    from gitupd.core.searches.saved import SavedSearch
    from gitupd.service.site import Site

_COLUMN_NAMES = Completed("column", [USUAL, *(each.name for each in OWN)], many=True)
_HEADINGS = ("name", "search", "columns", "sorted by", "saved", "by")


@click.group()
def searches() -> None:
    """Save, list, rename and remove searches for devices that are for everybody; one's own are on the pages."""


@searches.command("list")
@as_json
@on_site
def list_searches(site: Site, as_json: bool) -> None:
    """List the searches that are for everybody. gitupd devices --saved NAME lists what one of them finds."""
    listed = site.saved_searches.of(None)
    if as_json:
        click.echo(json.dumps([search_facts(each) for each in listed], indent=2))
        return
    if listed:
        print_table(_HEADINGS, [_row(each) for each in listed], {0})
    click.echo(counted(len(listed), "shared search", "shared searches"), err=True)


def _row(search: SavedSearch) -> list[str]:
    view = search.view
    order = f"{view.order}, descending" if view.descending else view.order
    cells = (search.name, view.text or "-", view.columns or "-", order, zoned(search.at), search.who)
    return [printable(cell) for cell in cells]


@searches.command()
@click.argument("name", type=SHARED_SEARCH)
@click.argument("words", metavar="[FILTER]...", nargs=-1, type=FILTER)
@click.option(
    "--columns",
    default="",
    metavar="NAME,...",
    type=_COLUMN_NAMES,
    help="Which columns, with commas between; or usual.",
)
@click.option("--sort", type=click.Choice(SORTS), default="serial", show_default=True, help="What to sort by.")
@click.option("--descending", is_flag=True, help="Sort the other way round.")
@click.option("--replace", is_flag=True, help="Replace the one of that name, if there is one.")
@on_site
def save(
    site: Site, *, name: str, words: tuple[str, ...], columns: str, sort: Any, descending: bool, replace: bool
) -> None:
    """Save a search under NAME for everybody, with its columns and its order.

    FILTER is as for gitupd devices; without it, all devices are found. A FILTER that begins with a minus stands
    behind --. Without --columns, the list has those that its reader keeps.
    """
    live = live_now(site)
    queries = live.snapshot.policy.queries if live else ()
    view = checked_view(Fleet(site, live, now()), queries, typed(words), columns, sort, descending=descending)
    saved = save_search(site, actor(), name, view, now(), shared=True, replace=replace)
    click.echo(f"saved for everybody as {printable(saved.name)}: {printable(str(saved.view))}")


@searches.command()
@click.argument("name", type=SHARED_SEARCH)
@click.argument("new")
@click.option("--replace", is_flag=True, help="Replace another one that is called NEW, if there is one.")
@on_site
def rename(site: Site, *, name: str, new: str, replace: bool) -> None:
    """Have the search called NAME that is for everybody be called NEW."""
    found = shared_search(site, name)
    renamed = rename_search(site, actor(), found, new, now(), replace=replace)
    click.echo(f"{printable(found.name)} is called {printable(renamed.name)} now")


@searches.command()
@click.argument("name", type=SHARED_SEARCH)
@on_site
def remove(site: Site, name: str) -> None:
    """Remove the search called NAME that is for everybody. Devices stay as they are."""
    found = shared_search(site, name)
    if not remove_search(site, actor(), found, now()):
        raise SiteError(f"the search {found.name!r} is gone meanwhile")
    click.echo(f"removed {printable(found.name)}")


def shared_search(site: Site, name: str) -> SavedSearch:
    """Return the search for everybody with that *name*, in any letter case; raises SiteError if there is none."""
    found = site.saved_searches.named(None, " ".join(name.split()))
    if found is None:
        raise SiteError(f"no search for everybody is called {name!r}; see: gitupd searches list")
    return found
