"""Saved searches, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role, User
from gitupd.core.searches.saved import MOST_SAVED, ListView, SavedSearch
from gitupd.errors import SiteError
from gitupd.store.audit import Audit
from gitupd.store.people import People
from gitupd.store.searches.saved import SavedSearches
from gitupd.store.searches.tables import saved_searches

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
EVENT = Event(NOON, "ada", Kind.SEARCH_SHARE, "Berlin")
VIEW = ListView("env:berlin missing", "sn,name", "name", descending=True)


@pytest.fixture
def searches(database: Database) -> SavedSearches:
    for name in ("ada", "bob"):
        People(database).add(User(name, Role.ADMINISTRATOR, NOON), "hash", Event(NOON, "x", Kind.USER_ADD, name))
    return SavedSearches(database)


def search(name: str, owner: str | None = "ada", view: ListView = VIEW) -> SavedSearch:
    return SavedSearch(0, owner, name, view, NOON, owner or "ada")


def told(database: Database) -> list[str]:
    return [entry.kind for entry in Audit(database).entries(1000) if entry.kind.startswith("search-")]


def test_somebody_sees_their_own_and_those_for_everybody(searches: SavedSearches, database: Database) -> None:
    saved = searches.save(search("zoo \N{GRINNING FACE}"), None, replace=False)
    assert saved == replace(search("zoo \N{GRINNING FACE}"), id=saved.id)
    searches.save(search("Berlin", None, ListView()), EVENT, replace=False)
    searches.save(search("another"), None, replace=False)
    searches.save(search("bob's", "bob"), None, replace=False)
    assert [each.name for each in searches.seen_by("ada")] == ["another", "zoo \N{GRINNING FACE}", "Berlin"]
    assert [each.name for each in searches.seen_by("bob")] == ["bob's", "Berlin"]
    assert [each.name for each in searches.of(None)] == ["Berlin"]
    assert searches.of("ada")[1] == searches.find(saved.id) == saved
    assert (searches.find(999), searches.find(2**70), searches.named("bob", "another")) == (None, None, None)
    assert told(database) == ["search-share"]


def test_a_name_is_there_once_and_is_replaced_only_if_that_is_said(searches: SavedSearches) -> None:
    first = searches.save(search("Berlin"), None, replace=False)
    searches.save(search("Berlin", "bob"), None, replace=False)
    searches.save(search("Berlin", None), EVENT, replace=False)
    with pytest.raises(SiteError, match="there is a search of ada called 'BERLIN' already; choose another name"):
        searches.save(search("BERLIN"), EVENT, replace=False)
    with pytest.raises(SiteError, match="there is a shared search called 'berlin' already"):
        searches.save(search("berlin", None), EVENT, replace=False)
    other = ListView("missing")
    assert searches.save(search("BERLIN", view=other), None, replace=True).id == first.id
    assert [(each.name, each.view) for each in searches.of("ada")] == [("BERLIN", other)]
    assert [each.view for each in (*searches.of("bob"), *searches.of(None))] == [VIEW, VIEW]


def test_a_search_gets_another_name_and_owner(searches: SavedSearches) -> None:
    one, two = (searches.save(search(name), None, replace=False) for name in ("one", "two"))
    assert searches.save(replace(one, name="One"), None, replace=False).id == one.id
    with pytest.raises(SiteError, match="called 'two' already"):
        searches.save(replace(one, name="two"), None, replace=False)
    searches.save(replace(one, name="two"), None, replace=True)
    assert [(each.id, each.name) for each in searches.of("ada")] == [(one.id, "two")]
    searches.save(replace(one, name="two", owner=None), EVENT, replace=False)
    assert (searches.of("ada"), [each.id for each in searches.of(None)]) == ([], [one.id])
    with pytest.raises(SiteError, match="the search 'two' is gone meanwhile; save it anew"):
        searches.save(two, None, replace=False)


def test_what_is_removed_is_told_once(searches: SavedSearches, database: Database) -> None:
    saved = searches.save(search("Berlin", None), None, replace=False)
    assert searches.remove(saved.id, replace(EVENT, kind=Kind.SEARCH_REMOVE))
    assert not searches.remove(saved.id, replace(EVENT, kind=Kind.SEARCH_REMOVE))
    assert (searches.of(None), told(database)) == ([], ["search-remove"])


@pytest.mark.parametrize(("owner", "whose"), [("ada", "saved searches of ada"), (None, "shared searches")])
def test_there_are_so_many_and_no_more(
    searches: SavedSearches, database: Database, owner: str | None, whose: str
) -> None:
    for number in range(MOST_SAVED):
        searches.save(search(f"number {number}", owner), None, replace=False)
    with pytest.raises(SiteError, match=f"there are 50 {whose}, and that is the most; remove one first"):
        searches.save(search("another", owner), EVENT, replace=True)
    others = "bob" if owner else "ada"
    own = searches.save(search("another", others), None, replace=False)
    with pytest.raises(SiteError, match=f"there are 50 {whose}"):
        searches.save(replace(own, owner=owner), EVENT, replace=False)
    searches.save(search("NUMBER 7", owner, ListView()), None, replace=True)
    assert searches.save(replace(own, owner=owner, name="number 8"), None, replace=True).name == "number 8"
    assert (len(searches.of(owner)), searches.of(others), told(database)) == (MOST_SAVED, [], [])


def test_searches_are_counted_once_others_are_done(searches: SavedSearches, database: Database) -> None:
    for number in range(MOST_SAVED):
        last = searches.save(search(f"number {number}", None), None, replace=False)
    searches.remove(last.id, None)
    with ThreadPoolExecutor(1) as pool:
        with database.connection() as connection:
            taking = update(saved_searches).where(saved_searches.c.owner == "")
            connection.execute(taking.values(owner=saved_searches.c.owner))
            other = pool.submit(searches.save, search("the other"), None, replace=False)
            shared = pool.submit(searches.save, search("the last", None), None, replace=False)
            assert wait([shared], timeout=0.5).not_done
        assert other.result(30).name == "the other"
        assert shared.result(30).name == "the last"
    assert len(searches.of(None)) == MOST_SAVED


def test_searches_go_with_their_person_and_shared_ones_stay(searches: SavedSearches, database: Database) -> None:
    searches.save(search("bob's", "bob"), None, replace=False)
    searches.save(search("ada's"), None, replace=False)
    searches.save(replace(search("Berlin", None), who="bob"), EVENT, replace=False)
    People(database).remove("bob", EVENT)
    assert [each.name for each in searches.seen_by("bob")] == ["Berlin"]
    assert [each.name for each in searches.of("ada")] == ["ada's"]
    with pytest.raises(SiteError, match="there is nobody called bob"):
        searches.save(search("late", "bob"), None, replace=False)
    People(database).add(User("bob", Role.VIEWER, NOON), "hash", EVENT)
    assert searches.of("bob") == []


def test_what_no_database_takes_is_kept_readably(searches: SavedSearches) -> None:
    saved = searches.save(search("a\udcffb", view=ListView("name:\0\udcff")), None, replace=False)
    assert (saved.name, saved.view.text) == ("a?b", "name: ?")
    assert searches.named("ada", "a\udcffb") == saved
