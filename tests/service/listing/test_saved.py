"""Saved searches: what is checked before, who may, and what the audit says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from service.conftest import NOON

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role, User
from gitupd.core.policy import Query, Show
from gitupd.core.searches.saved import ListView
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.fleet import SORTS, Fleet
from gitupd.service.listing.saved import (
    checked_view,
    may_change,
    remove_search,
    rename_search,
    save_search,
    share_search,
    visible_search,
)

if TYPE_CHECKING:
    from service.conftest import Sample

    from gitupd.service.site import Site

VERA, OTTO = Actor("vera", Role.VIEWER, "10.0.0.1"), Actor("otto", Role.OPERATOR, "10.0.0.2")
QUERIES = (Query("admin", "Admin", "mod cmd CMD0 xml-info", (), (Show("Name", "/info/@name"),)),)
VIEW = ListView("env:berlin missing", "sn,admin.name", "name")


@pytest.fixture
def site(sample: Sample) -> Site:
    for actor in (VERA, OTTO):
        person = User(actor.name, actor.role, NOON)
        sample.site.people.add(person, "hash", Event(NOON, "x", Kind.USER_ADD, actor.name))
    return sample.site


def told(site: Site) -> list[tuple[str, str, str, str, str | None]]:
    entries = [each for each in site.audit.entries(100) if each.kind.startswith("search-")]
    return [(each.kind, each.who, each.subject, each.detail, each.address) for each in reversed(entries)]


def test_a_view_is_written_the_usual_way(site: Site) -> None:
    fleet = Fleet(site, None, NOON)
    assert checked_view(fleet, QUERIES) == ListView()
    assert checked_view(fleet, QUERIES, " missing ", "SN, Admin.Name,sn", "name", descending=True) == ListView(
        "missing", "sn,admin.name", "name", descending=True
    )
    assert checked_view(fleet, QUERIES, sort=SORTS[0]).sort == ""


@pytest.mark.parametrize(
    ("text", "columns", "sort", "fault"),
    [
        ("nokey:x", "", "", "nokey"),
        ("", "sn,nothing", "", "'nothing' is no column"),
        ("", ",", "", "name 1 to"),
        ("", "", "colour", "devices are not sorted by 'colour'; choose serial, name"),
    ],
)
def test_what_can_not_be_shown_is_not_saved(site: Site, text: str, columns: str, sort: str, fault: str) -> None:
    with pytest.raises(InvalidEntry, match=fault):
        checked_view(Fleet(site, None, NOON), QUERIES, text, columns, sort)


def test_the_audit_has_what_concerns_everybody(site: Site) -> None:
    own = save_search(site, OTTO, " Own  one ", VIEW, NOON)
    own = rename_search(site, OTTO, own, "Renamed", NOON)
    remove_search(site, OTTO, save_search(site, OTTO, "Short-lived", VIEW, NOON), NOON)
    assert (own.name, told(site)) == ("Renamed", [])
    shared = share_search(site, OTTO, own, NOON)
    shared = rename_search(site, OTTO, shared, "Berlin", NOON)
    save_search(site, OTTO, "berlin", ListView(), NOON, shared=True, replace=True)
    with pytest.raises(SiteError, match="there is a shared search called 'BERLIN' already"):
        save_search(site, OTTO, "BERLIN", ListView(), NOON, shared=True)
    assert remove_search(site, OTTO, site.saved_searches.find(shared.id), NOON)
    line = "env:berlin missing, sorted by name, columns sn,admin.name"
    assert told(site) == [
        ("search-share", "otto", "Renamed", line, "10.0.0.2"),
        ("search-share", "otto", "Berlin", "was Renamed", "10.0.0.2"),
        ("search-share", "otto", "berlin", "all devices", "10.0.0.2"),
        ("search-remove", "otto", "berlin", "all devices", "10.0.0.2"),
    ]


def test_who_sees_and_changes_which(site: Site) -> None:
    vera, otto = (save_search(site, actor, "Own", VIEW, NOON) for actor in (VERA, OTTO))
    shared = save_search(site, OTTO, "Shared", VIEW, NOON, shared=True)
    assert [visible_search(site, VERA, each.id) for each in (vera, otto, shared)] == [vera, None, shared]
    assert visible_search(site, VERA, 999) is None
    assert [may_change(VERA, each) for each in (vera, otto, shared)] == [True, False, False]
    assert [may_change(OTTO, each) for each in (vera, otto, shared)] == [False, True, True]
    with pytest.raises(InvalidEntry, match="1 to 60 characters"):
        save_search(site, VERA, "x" * 61, VIEW, NOON)
