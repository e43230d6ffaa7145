"""Searches for devices that people have saved, for themselves or for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gitupd.core.searches.saved import MOST_SAVED, ListView, SavedSearch, search_key
from gitupd.errors import SiteError
from gitupd.store.audit import append
from gitupd.store.database import storable
from gitupd.store.people import hold_person
from gitupd.store.searches.tables import saved_searches

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_EVERYBODY = ""
_LARGEST_ID = 2**31 - 1  # which PostgreSQL compares with


class SavedSearches:
    """The saved searches of a site; each call is a transaction, which holds with its audit entry or not at all."""

    def __init__(self, database: Database) -> None:
        """Keep searches in *database*."""
        self._database = database

    def seen_by(self, person: str) -> list[SavedSearch]:
        """Return the searches of *person* by name, and behind them those that are shared."""
        return [*self.of(person), *self.of(None)]

    def of(self, owner: str | None) -> list[SavedSearch]:
        """Return the searches of *owner*, None for those that are shared, by name."""
        return self._read(saved_searches.c.owner == _kept(owner))

    def find(self, number: int) -> SavedSearch | None:
        """Return a search by its id, None if there is none."""
        if number > _LARGEST_ID:
            return None
        return next(iter(self._read(saved_searches.c.id == number)), None)

    def named(self, owner: str | None, name: str) -> SavedSearch | None:
        """Return the search that *owner*, None for everybody, has under that name in any letter case."""
        return next(iter(self._read(_place(owner, name))), None)

    def save(self, search: SavedSearch, event: Event | None, *, replace: bool) -> SavedSearch:
        """Keep *search* as it is, and return it with its id; one that has an id already is changed.

        Another one of its name is replaced, or SiteError raised; it is raised, too, if there would be too many, or the
        search or its owner is gone. *event* goes into the audit, None for what concerns nobody else.
        """
        with self._database.connection() as connection:
            if search.owner is not None:
                hold_person(connection, search.owner)
            _hold(connection, search.owner)
            known = connection.scalar(select(saved_searches.c.id).where(_place(search.owner, search.name)))
            if known not in (None, search.id) and not replace:
                raise SiteError(_taken(search))
            number = search.id or known or 0
            _make_room(connection, search.owner, {number, known or number})
            if known not in (None, number):
                connection.execute(delete(saved_searches).where(saved_searches.c.id == known))
            kept = _written(connection, search, number)
            if event is not None:
                append(connection, event)
        return kept

    def remove(self, number: int, event: Event | None) -> bool:
        """Remove a search by its id; return whether it was there. *event* is as with :meth:`save`."""
        with self._database.connection() as connection:
            gone = connection.execute(delete(saved_searches).where(saved_searches.c.id == number)).rowcount > 0
            if gone and event is not None:
                append(connection, event)
        return gone

    def _read(self, condition: ColumnElement[bool]) -> list[SavedSearch]:
        statement = select(saved_searches).where(condition).order_by(saved_searches.c.key, saved_searches.c.id)
        with self._database.connection() as connection:
            return [_search(row) for row in connection.execute(statement)]


def _kept(owner: str | None) -> str:
    return _EVERYBODY if owner is None else owner


def _place(owner: str | None, name: str) -> ColumnElement[bool]:
    key = storable(search_key(name))
    return and_(saved_searches.c.owner == _kept(owner), saved_searches.c.key == key)


def _hold(connection: Connection, owner: str | None) -> None:
    """Keep others from changing the searches of *owner* until the transaction ends, so that they can be counted."""
    same = saved_searches.c.owner == _kept(owner)
    connection.execute(update(saved_searches).where(same).values(owner=saved_searches.c.owner))


def _make_room(connection: Connection, owner: str | None, besides: set[int]) -> None:
    """Raise SiteError if *owner* has as many searches as there may be, apart from those whose ids are *besides*."""
    others = and_(saved_searches.c.owner == _kept(owner), saved_searches.c.id.not_in(besides))
    if (connection.scalar(select(func.count()).select_from(saved_searches).where(others)) or 0) >= MOST_SAVED:
        whose = "shared searches" if owner is None else f"saved searches of {owner}"
        raise SiteError(f"there are {MOST_SAVED} {whose}, and that is the most; remove one first")


def _written(connection: Connection, search: SavedSearch, number: int) -> SavedSearch:
    """Write *search* down as the one with the id *number*, 0 for a new one."""
    row = _row(search)
    if number:
        changed = update(saved_searches).where(saved_searches.c.id == number).values(row).returning(saved_searches)
        found = connection.execute(changed).first()
        if found is None:
            raise SiteError(f"the search {search.name!r} is gone meanwhile; save it anew")
        return _search(found)
    try:
        return _search(connection.execute(insert(saved_searches).values(row).returning(saved_searches)).one())
    except IntegrityError as error:  # somebody else has shared the very first one at the same moment
        raise SiteError(_taken(search)) from error


def _taken(search: SavedSearch) -> str:
    whose = "a shared search" if search.owner is None else f"a search of {search.owner}"
    return f"there is {whose} called {search.name!r} already; choose another name, or say that it is to be replaced"


def _row(search: SavedSearch) -> dict[str, Any]:
    view, name = search.view, storable(search.name)
    said = {"text": storable(view.text), "columns": view.columns, "sort": view.sort, "descending": view.descending}
    return {
        "owner": _kept(search.owner),
        "key": search_key(name),
        "name": name,
        "at": search.at,
        "who": search.who,
        **said,
    }


def _search(row: Any) -> SavedSearch:
    view = ListView(row.text, row.columns, row.sort, row.descending)
    return SavedSearch(row.id, row.owner or None, row.name, view, row.at, row.who)
