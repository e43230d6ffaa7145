"""The database of a site: opened, migrated, and asked what it remembers. The only home of SQLAlchemy."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, delete, event, func, insert, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from gitupd.core.device import Device, Message, Serial
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.store.tables import REVISION, blocked_commits, deployments, devices, masters, messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Table

_LOCK_TIMEOUT_MS = 10_000
_LONGEST_MESSAGE = 500
_OVERTAKEN = "another deployment came in between; see gitupd deployments, and try again"
_MOST_MESSAGES = 20
_POSTGRES = re.compile(r"^postgres(ql)?://")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A decision: from ``at`` on, ``commit`` is delivered.

    ``kind`` is deploy, rollback or automatic, ``replaced`` the commit before, None for the first.
    """

    id: int
    commit: CommitId
    at: datetime
    who: str
    kind: str
    replaced: CommitId | None
    reason: str


@dataclass(frozen=True, slots=True)
class MasterAnswer:
    """What a master device said when it last answered, and how the last question went; None means never."""

    url: str
    firmware: str | None
    bootcode: str | None
    answered_at: datetime | None
    asked_at: datetime
    error: str = ""


def _upsert(table: Table, dialect: str, *, keep: Sequence[str] = (), news_only: Sequence[str] = ()) -> Any:
    """Return an insert that updates a row which exists already: all but *keep*, and *news_only* unless None."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.primary_key]
    changes = {
        column.name: (
            func.coalesce(statement.excluded[column.name], column)
            if column.name in news_only
            else statement.excluded[column.name]
        )
        for column in table.columns
        if column.name not in (*keys, *keep)
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


_ALWAYS_NEW = ("settled", "last_seen", "environments", "classes", "phase")
_NEWS = [name for name in devices.columns.keys() if name not in ("serial", "first_seen", *_ALWAYS_NEW)]  # noqa: SIM118 - iterating gives columns


class Database:
    """A site's memory, shared by all its processes; each call is a transaction of its own."""

    def __init__(self, url: str) -> None:
        """Prepare to use the database at the SQLAlchemy *url*; nothing is opened yet.

        Raises SiteError for a URL that is none, or whose driver is not installed.
        """
        self._url = url
        try:
            self._engine = _engine(_POSTGRES.sub("postgresql+psycopg://", url))
        except (SQLAlchemyError, ImportError) as error:
            raise SiteError(f"the database {_shown(url)} can't be used: {error}") from error
        dialect = self._engine.dialect.name
        # Statements are built once: building one costs several times its execution.
        self._save_devices = _upsert(devices, dialect, keep=("first_seen",), news_only=_NEWS)
        self._save_master = _upsert(masters, dialect)
        self._block = _upsert(blocked_commits, dialect)
        self._live = select(deployments).order_by(deployments.c.id.desc()).limit(1)
        self._masters = select(masters)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def migrate(self) -> None:
        """Bring the tables to what this version of gitupd knows; raises SiteError if they are newer."""
        with self._connection() as connection:
            present = None
            if inspect(connection).has_table("alembic_version"):
                present = connection.scalar(text("SELECT version_num FROM alembic_version"))
            if present != REVISION:
                from gitupd.store.migrations import upgrade  # noqa: PLC0415 - Alembic takes long to import

                upgrade(connection, present)

    # Deployments

    def live(self) -> Deployment | None:
        """Return the deployment that holds now, None if there never was one."""
        with self._connection() as connection:
            row = connection.execute(self._live).first()
        return None if row is None else _deployment(row)

    def deployments(self, limit: int = 50) -> list[Deployment]:
        """Return the latest deployments, newest first."""
        with self._connection() as connection:
            rows = connection.execute(select(deployments).order_by(deployments.c.id.desc()).limit(limit))
            return [_deployment(row) for row in rows]

    def was_deployed(self, commit: CommitId) -> bool:
        """Whether *commit* has ever been deployed."""
        with self._connection() as connection:
            statement = select(deployments.c.id).where(deployments.c.commit == commit).limit(1)
            return connection.execute(statement).first() is not None

    def add_deployment(  # each is a column
        self,
        commit: CommitId,
        *,
        at: datetime,
        who: str,
        kind: str,
        reason: str = "",
        after: int | None = None,
        block_replaced: bool = False,
    ) -> Deployment:
        """Append a deployment and lift what blocks its commit; with *block_replaced* the one it replaces is blocked.

        All of it happens or nothing. *after* is the id of the deployment that was live when this was decided, 0 if
        there was none, and None if that doesn't matter; raises SiteError if there is another meanwhile.
        """
        with self._connection() as connection:
            row = connection.execute(self._live).first()
            replaced = None if row is None else row.commit
            present = 0 if row is None else row.id
            if after not in (None, present):
                raise SiteError(_OVERTAKEN)
            values = {"commit": commit, "at": at, "who": who, "kind": kind, "reason": reason, "replaced": replaced}
            try:
                key = connection.execute(insert(deployments).values(after=present, **values)).inserted_primary_key
            except IntegrityError as error:
                raise SiteError(_OVERTAKEN) from error
            connection.execute(delete(blocked_commits).where(blocked_commits.c.commit == commit))
            if block_replaced and replaced is not None and replaced != commit:
                connection.execute(self._block, {"commit": replaced, "at": at, "who": who, "reason": reason})
        number = 0 if key is None else int(key[0])
        return Deployment(number, commit, at, who, kind, replaced and CommitId(replaced), reason)

    def blocked(self) -> dict[CommitId, str]:
        """Return the commits that must not be deployed, with the reasons."""
        with self._connection() as connection:
            return {CommitId(row.commit): row.reason for row in connection.execute(select(blocked_commits))}

    def unblock(self, commit: CommitId) -> None:
        """Let *commit* be deployed again."""
        with self._connection() as connection:
            connection.execute(delete(blocked_commits).where(blocked_commits.c.commit == commit))

    # The master device

    def master_answers(self) -> dict[str, MasterAnswer]:
        """Return what master devices said, by their URL."""
        with self._connection() as connection:
            return {row.url: MasterAnswer(*row) for row in connection.execute(self._masters)}

    def save_master(self, answer: MasterAnswer) -> None:
        """Remember what a master device said, or how it failed to."""
        with self._connection() as connection:
            connection.execute(self._save_master, asdict(answer))

    # Devices

    def save_sightings(self, sightings: Iterable[Device]) -> None:
        """Remember what polls said of devices; in a sighting None means no news, and what was known is kept."""
        rows, told = [], []
        for device in sightings:
            row = {name: _storable(getattr(device, name)) for name in devices.columns.keys() if name != "serial"}  # noqa: SIM118 - iterating gives columns
            row |= {"snippets": row["snippets"] or None, "serial": device.serial.digits}
            rows.append(row)
            told += [
                {"serial": device.serial.digits, "at": at, "text": text}
                for text, at in {_storable(each.text)[:_LONGEST_MESSAGE]: each.at for each in device.messages}.items()
            ][:_MOST_MESSAGES]
        with self._connection() as connection:
            if rows:
                connection.execute(self._save_devices, sorted(rows, key=lambda row: str(row["serial"])))
            if told:
                connection.execute(insert(messages), told)

    def device(self, serial: Serial) -> Device | None:
        """Return what is remembered of a device with its messages, None if it never called."""
        with self._connection() as connection:
            row = connection.execute(select(devices).where(devices.c.serial == serial.digits)).first()
            told = select(messages.c.at, messages.c.text).where(messages.c.serial == serial.digits)
            found = tuple(Message(at, text) for at, text in connection.execute(told.order_by(messages.c.at)))
        return None if row is None else _device(row, found)

    def devices(self) -> list[Device]:
        """Return every device that ever called, by serial number, without messages."""
        with self._connection() as connection:
            return [_device(row, ()) for row in connection.execute(select(devices).order_by(devices.c.serial))]

    def drop_messages(self, before: datetime) -> None:
        """Forget messages that are older than *before*, and of each device all but the latest few."""
        number = func.row_number().over(partition_by=messages.c.serial, order_by=messages.c.id.desc())
        ranked = select(messages.c.id, number.label("number")).subquery()
        with self._connection() as connection:
            connection.execute(delete(messages).where(messages.c.at < before))
            older = select(ranked.c.id).where(ranked.c.number > _MOST_MESSAGES)
            connection.execute(delete(messages).where(messages.c.id.in_(older)))

    def forget_devices(self, before: datetime) -> int:
        """Forget devices that have not called since *before*; return how many."""
        with self._connection() as connection:
            return int(connection.execute(delete(devices).where(devices.c.last_seen < before)).rowcount)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise SiteError(f"the database {_shown(self._url)} can't be used: {error.orig}") from error
        except SQLAlchemyError as error:
            raise SiteError(f"the database {_shown(self._url)} can't be used: {error}") from error


def _engine(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            for pragma in (f"busy_timeout={_LOCK_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    return engine


def _storable(value: Any) -> Any:
    """Return *value*; text without the bytes that devices sent and that are no characters, which no database takes."""
    if isinstance(value, tuple):
        return [_storable(each) for each in value]
    return value.encode(errors="replace").decode().replace("\0", " ") if isinstance(value, str) else value


def _shown(url: str) -> str:
    """Return *url* without its password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _deployment(row: Any) -> Deployment:
    return Deployment(row.id, CommitId(row.commit), row.at, row.who, row.kind, row.replaced, row.reason)


def _device(row: Any, found: tuple[Message, ...]) -> Device:
    said = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping
    lists = {name: tuple(said[name] or ()) for name in ("environments", "classes", "snippets")}
    return Device(**{**said, **lists, "serial": Serial(said["serial"]), "messages": found})
