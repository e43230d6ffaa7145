"""New databases get their tables at once, from what the migrations have made of an empty one: that takes them long."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gitupd.store import migrations
from gitupd.store.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

_REAL = migrations.upgrade


def migrate_cheaply() -> None:
    """Have this process migrate but one empty SQLite database, and copy that; programs it starts migrate as usual."""
    migrations.upgrade = _upgrade


def _upgrade(connection: Connection, present: str | None) -> None:
    if present is not None or connection.dialect.name != "sqlite":
        _REAL(connection, present)
        return
    for statement in _statements():
        connection.exec_driver_sql(statement)


@cache
def _statements() -> tuple[str, ...]:
    """Return what makes a migrated database of an empty one."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "gitupd.db"
        database = Database(f"sqlite:///{path}")
        with database.connection() as connection:
            _REAL(connection, None)
        database.close()
        with sqlite3.connect(path) as made:
            dump = tuple(made.iterdump())
        made.close()
    return tuple(statement for statement in dump if statement not in ("BEGIN TRANSACTION;", "COMMIT;"))
