"""Roll-outs in lists: chosen by stage, by when certificates end, and by the words of a search for devices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, select, true

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import WAITING_FOR_PEOPLE, Stage
from gitupd.core.search import Search
from gitupd.store.certificates.rollouts import record_in
from gitupd.store.searching import meeting
from gitupd.store.tables import devices, rollouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from gitupd.core.standing import Yardstick
    from gitupd.store.certificates.rollouts import RolloutRecord
    from gitupd.store.database import Database

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """Which roll-outs: at one of ``stages`` (none: any), and whose first end is ``since`` then and ``before`` then.

    None does not matter. ``search`` finds the devices, held against ``yardstick``; one without words finds all.
    """

    yardstick: Yardstick
    stages: tuple[Stage, ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    search: Search = field(default_factory=Search)


@dataclass(frozen=True, slots=True)
class ListedRollout:
    """A roll-out with the ``name`` and the ``model`` of its device, None if these are not known."""

    record: RolloutRecord
    name: str | None
    model: str | None


class RolloutLists:
    """Reads roll-outs; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Read from *database*."""
        self._database = database

    def find(self, choice: Choice, limit: int, offset: int = 0) -> tuple[list[ListedRollout], int]:
        """Return *limit* of the roll-outs of *choice* from *offset* on, and how many there are.

        Those that wait for people come first, of them the longest; where ends are asked for, the first end.
        """
        statement = _listing().order_by(*_order(choice))
        with self._database.connection() as connection:
            condition = _chosen(choice, connection)
            if choice.search.terms:  # which takes long, so that it is done once
                found = list(connection.scalars(select(rollouts.c.serial).where(condition).order_by(*_order(choice))))
                total, statement = len(found), statement.where(rollouts.c.serial.in_(found[offset : offset + limit]))
            else:
                total = connection.scalar(select(func.count()).select_from(rollouts).where(condition)) or 0
                statement = statement.where(condition).limit(limit).offset(offset)
            rows = connection.execute(statement).all()
        return list(map(_listed, rows)), total

    def each(self, choice: Choice) -> Iterator[ListedRollout]:
        """Yield all roll-outs of *choice*, by serial number.

        They are chosen at once, and read some hundred at a time; between them the database is not held up.
        """
        serials = [serial.digits for serial in self.serials(choice)]
        for first in range(0, len(serials), _AT_ONCE):
            some = rollouts.c.serial.in_(serials[first : first + _AT_ONCE])
            with self._database.connection() as connection:
                rows = connection.execute(_listing().where(some).order_by(rollouts.c.serial)).all()
            yield from map(_listed, rows)

    def serials(self, choice: Choice) -> list[Serial]:
        """Return the devices of the roll-outs of *choice*, in order."""
        statement = select(rollouts.c.serial).order_by(rollouts.c.serial)
        with self._database.connection() as connection:
            chosen = statement.where(_chosen(choice, connection))
            return [Serial(digits) for digits in connection.scalars(chosen)]

    def requests(self, choice: Choice, limit: int) -> list[tuple[Serial, bytes]]:
        """Return the signing requests (DER) of the roll-outs of *choice* that have one, the oldest first."""
        columns = rollouts.c
        statement = select(columns.serial, columns.request).where(columns.request.is_not(None))
        statement = statement.order_by(columns.request_at, columns.serial).limit(limit)
        with self._database.connection() as connection:
            chosen = statement.where(_chosen(choice, connection))
            return [(Serial(digits), request) for digits, request in connection.execute(chosen)]

    def ends(self, moments: Sequence[datetime]) -> list[int]:
        """Return how many certificates end before each of *moments*, and last how many ends are known at all."""
        columns = rollouts.c
        numbers = [func.count().filter(columns.expires < moment) for moment in moments]
        statement = select(*numbers, func.count(columns.expires)).where(columns.expires.is_not(None))
        with self._database.connection() as connection:
            return list(map(int, connection.execute(statement).one()))

    def next_end(self, now: datetime) -> datetime | None:
        """Return when the next certificate of a device ends, None if that is not known of any."""
        statement = select(func.min(rollouts.c.expires)).where(rollouts.c.expires >= now)
        with self._database.connection() as connection:
            end: datetime | None = connection.scalar(statement)
            return end

    def oldest(self, stage: Stage) -> datetime | None:
        """Return since when the first of the devices at *stage* is there, None if none is."""
        statement = select(func.min(rollouts.c.stage_at)).where(rollouts.c.stage == stage)
        with self._database.connection() as connection:
            since: datetime | None = connection.scalar(statement)
            return since


def _listing() -> Select[Any]:
    """Return what reads roll-outs with what is known of their devices."""
    name = func.coalesce(devices.c.given_name, devices.c.own_name).label("device_name")
    statement = select(rollouts, name, devices.c.model.label("device_model"))
    return statement.outerjoin(devices, devices.c.serial == rollouts.c.serial)


def _listed(row: Any) -> ListedRollout:
    return ListedRollout(record_in(row), row.device_name, row.device_model)


def _chosen(choice: Choice, connection: Connection) -> ColumnElement[bool]:
    columns = rollouts.c
    conditions: list[ColumnElement[bool]] = []
    if choice.stages:
        conditions.append(columns.stage.in_(list(choice.stages)))
    if choice.since is not None:
        conditions.append(columns.expires >= choice.since)
    if choice.before is not None:
        conditions.append(columns.expires < choice.before)
    if choice.search.terms:
        found = select(devices.c.serial).where(meeting(choice.search, choice.yardstick, connection))
        conditions.append(columns.serial.in_(found))
    return and_(true(), *conditions)


def _order(choice: Choice) -> tuple[ColumnElement[object], ...]:
    columns = rollouts.c
    if choice.since is not None or choice.before is not None:
        return (columns.expires, columns.serial)
    waiting = case((columns.stage.in_(WAITING_FOR_PEOPLE), 0), else_=1)
    return (waiting, columns.stage_at, columns.serial)
