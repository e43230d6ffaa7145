from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import UnusableDatabase
from gitupd.store.glances.database import MOST, glance, newest_revision
from gitupd.store.tables import REVISION, metadata

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.store.database import Database

USERS = "SELECT name FROM users ORDER BY name"


def add(database: Database, count: int) -> None:
    users = metadata.tables["users"]
    row = {"role": "viewer", "password_hash": "x", "created": None, "disabled": False}
    from gitupd.service.clock import now  # noqa: PLC0415 - a moment, whichever

    with database.connection() as connection:
        connection.execute(users.insert(), [{**row, "created": now(), "name": f"u{each:03}"} for each in range(count)])


def test_the_newest_migration_leads_to_the_tables_as_they_are() -> None:
    assert newest_revision() == REVISION


def test_so_many_rows_are_seen(database: Database, database_url: str) -> None:
    add(database, MOST + 1)
    with glance(database_url) as seen:
        assert len(seen.rows(USERS)) == MOST
        assert seen.rows("SELECT name FROM users WHERE name > ? AND name < ?", "u001", "u003") == [("u002",)]


def test_nothing_can_be_written(database: Database, database_url: str) -> None:
    add(database, 2)
    with pytest.raises(Exception, match=re.compile("read.?only", re.IGNORECASE)), glance(database_url) as seen:
        seen.rows("INSERT INTO users SELECT * FROM users")
    with glance(database_url) as seen:
        assert len(seen.rows(USERS)) == 2


def test_another_revision_is_not_looked_at(database: Database, database_url: str) -> None:
    with database.connection() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(UnusableDatabase, match="0001"), glance(database_url):
        pass


@pytest.mark.postgresql
def test_a_table_that_is_locked_is_not_waited_for(postgresql: object, tmp_path: Path) -> None:
    from gitupd.store.database import Database  # noqa: PLC0415 - beside the fixture of the same name

    url = postgresql.fresh_database(f"db{abs(hash(tmp_path))}")  # type: ignore[attr-defined]
    database = Database(url)
    database.migrate()
    with database.connection() as connection:
        connection.exec_driver_sql("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Exception, match="lock timeout"), glance(url) as seen:
            seen.rows(USERS)
    database.close()


@pytest.mark.parametrize("place", ["mysql://db/x", "no url at all", "sqlite://"])
def test_other_databases_are_none(place: str) -> None:
    with pytest.raises(UnusableDatabase), glance(place):
        pass


def test_nothing_is_created_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), glance(tmp_path / "gitupd.db"):
        pass
    assert list(tmp_path.iterdir()) == []
