"""A look at a site's database that leaves no trace: nothing is created, migrated or written, and no lock waited for."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitupd.errors import UnusableDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST = 200
"""How many values are looked up at the most."""

_SQLITE = re.compile(r"sqlite(\+\w+)?:///(?P<path>[^?]+)")
_POSTGRES = re.compile(r"postgres(ql)?(\+\w+)?://")
_MIGRATIONS = Path(__file__).parents[1] / "migrations/versions"
_MIGRATION = re.compile(r"r(\d{4})_\w+\.py")
_CONNECT_SECONDS = 1
_POSTGRES_OPTIONS = (
    "-c default_transaction_read_only=on -c statement_timeout=500ms -c lock_timeout=100ms -c timezone=UTC"
)

Row = tuple[Any, ...]


class Glance:
    """An open database that can be asked, and nothing else."""

    def __init__(self, execute: Callable[[str, Sequence[str | int]], list[Row]]) -> None:
        """Ask by *execute*, which takes a statement with ``?`` for each of its values."""
        self._execute = execute

    def rows(self, statement: str, *values: str | int) -> list[Row]:
        """Return what *statement* finds, :data:`MOST` rows at the most."""
        return self._execute(f"{statement} LIMIT ?", (*values, MOST))


@contextmanager
def glance(database: str | Path) -> Iterator[Glance]:
    """Give the block the database at a URL, or in a file of SQLite; errors are those of its driver.

    Raises UnusableDatabase for one that is none of both, or not of the revision that this version of gitupd knows.
    """
    with _opened(database) as seen:
        found = seen.rows("SELECT version_num FROM alembic_version")
        if found != [(newest_revision(),)]:
            raise UnusableDatabase(f"the database is of revision {found}, not of {newest_revision()}")
        yield seen


def newest_revision() -> str:
    """Return the revision that the newest migration leads to, as the tables have it, without importing these."""
    return max(found[1] for path in _MIGRATIONS.iterdir() if (found := _MIGRATION.fullmatch(path.name)))


def _opened(database: str | Path) -> Any:
    if isinstance(database, Path):
        return _sqlite(database)
    if found := _SQLITE.match(database):
        return _sqlite(Path(found["path"]))
    if _POSTGRES.match(database):
        return _postgresql(_POSTGRES.sub("postgresql://", database, count=1))
    raise UnusableDatabase(f"{database.partition(':')[0]!r} is no database that can be looked at")


@contextmanager
def _sqlite(path: Path) -> Iterator[Glance]:
    """Open a file of SQLite without its write-ahead log being created, or written to, or taken into the file.

    Where there is no log, the file is complete, and read as if it were never to change: whoever writes to it in this
    moment may have us read nonsense, which is an error, or a value that was there before.
    """
    import sqlite3  # noqa: PLC0415 - PostgreSQL's sites do without

    log = path.with_name(f"{path.name}-wal")
    has_log = log.is_file() and log.stat().st_size > 0
    uri = f"{path.absolute().as_uri()}?mode=ro&{'readonly_shm=1' if has_log else 'immutable=1'}"
    with closing(sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)) as connection:
        yield Glance(lambda statement, values: connection.execute(statement, values).fetchall())


@contextmanager
def _postgresql(url: str) -> Iterator[Glance]:
    """Open a database of PostgreSQL to be read, which takes half a second for an answer at the most."""
    import psycopg  # noqa: PLC0415 - takes its time, and need not be installed

    with psycopg.connect(
        url, autocommit=True, connect_timeout=_CONNECT_SECONDS, options=_POSTGRES_OPTIONS
    ) as connection:
        yield Glance(lambda statement, values: connection.execute(statement.replace("?", "%s"), values).fetchall())
