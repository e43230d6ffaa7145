"""The database of a site: opened, migrated, and shared by all who remember something in it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, func, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gitupd.errors import SiteError, UnusableDatabase
from gitupd.store.tables import REVISION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine, Table

_LOCK_TIMEOUT_MS = 10_000
_CHECKPOINT_PAGES = 4_000  # what is overwritten soon need not reach the database file; 16 MB of log at the most
_MOST_DAMAGES = 3
_POSTGRES = re.compile(r"^postgres(ql)?://")


class Database:
    """A site's memory, shared by all its processes."""

    def __init__(self, url: str) -> None:
        """Prepare to use the database at the SQLAlchemy *url*; nothing is opened yet.

        Raises SiteError for a URL that is none, or whose driver is not installed.
        """
        self._url = url
        try:
            self._engine = _engine(_POSTGRES.sub("postgresql+psycopg://", url))
        except (SQLAlchemyError, ImportError) as error:
            place = _without_login(url)
            reason = str(error).replace(url, place)  # some versions of SQLAlchemy quote what they can't parse
            raise SiteError(f"the database {place} can't be used: {reason}") from error
        self.dialect: str = self._engine.dialect.name

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def migrate(self) -> None:
        """Bring the tables to what this version of gitupd knows; raises SiteError if they are newer."""
        with self.connection() as connection:
            present = _revision(connection)
            if present != REVISION:
                from gitupd.store.migrations import upgrade  # noqa: PLC0415 - Alembic takes long to import

                upgrade(connection, present)

    def revisions(self) -> tuple[str | None, str]:
        """Return of which revision the tables are, None if there are none, and of which they should be."""
        with self.connection() as connection:
            return _revision(connection), REVISION

    def damages(self) -> list[str]:
        """Return what is damaged, as far as the database itself can tell; PostgreSQL can't."""
        if self.dialect != "sqlite":
            return []
        with self.connection() as connection:
            said = connection.scalars(text(f"PRAGMA quick_check({_MOST_DAMAGES})")).all()
        return [line for line in said if line != "ok"]

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give the block a transaction, which holds if the block ends, and is taken back if it raises.

        Raises UnusableDatabase if the database can't be used.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise UnusableDatabase(f"the database {_without_login(self._url)} can't be used: {error.orig}") from error
        except SQLAlchemyError as error:
            raise UnusableDatabase(f"the database {_without_login(self._url)} can't be used: {error}") from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def dialect_insert(table: Table, dialect: str) -> Any:
    """Return an insert into *table* that knows ON CONFLICT, for the SQLAlchemy *dialect* by name."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def upsert(
    table: Table,
    dialect: str,
    *,
    keep: Sequence[str] = (),
    news_only: Sequence[str] = (),
    changes: Mapping[str, ColumnElement[Any]] | None = None,
) -> Any:
    """Return an insert that updates a row which exists already, to be built once: building costs more than running.

    All columns are taken over but *keep*, and *news_only* where the new value is None; *changes* are expressions for
    columns that follow a rule of their own.
    """
    statement = dialect_insert(table, dialect)
    keys = [column.name for column in table.primary_key]
    taken = {
        column.name: (
            func.coalesce(statement.excluded[column.name], column)
            if column.name in news_only
            else statement.excluded[column.name]
        )
        for column in table.columns
        if column.name not in (*keys, *keep)
    }
    return statement.on_conflict_do_update(index_elements=keys, set_={**taken, **(changes or {})})


def storable(value: Any) -> Any:
    """Return *value*; text without the bytes that devices sent and that are no characters, which no database takes."""
    match value:
        case str() if value.isascii() and "\0" not in value:
            return value
        case str():
            return value.encode(errors="replace").decode().replace("\0", " ")
        case tuple():
            return [storable(item) for item in value]
        case dict():
            return {storable(key): storable(item) for key, item in value.items()}
        case _:
            return value


def _engine(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            timeout = f"busy_timeout={_LOCK_TIMEOUT_MS}"
            for pragma in (timeout, "journal_mode=WAL", "synchronous=FULL", f"wal_autocheckpoint={_CHECKPOINT_PAGES}"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    return engine


def _without_login(url: str) -> str:
    """Return *url* without what may be a password: who logs in, and further parameters."""
    try:
        parts = make_url(url)
    except SQLAlchemyError:
        return f"{url.partition('://')[0]}://…" if "://" in url else "…"
    return URL.create(parts.drivername, host=parts.host, port=parts.port, database=parts.database).render_as_string()
