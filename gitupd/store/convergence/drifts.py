"""Which devices are not as their scripts want them, and in what: counted and listed from what is kept of that."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, cast, false, func, not_, or_, select, true

from gitupd.core.caller import Serial
from gitupd.store.convergence.drift import WITH_HELD, is_due, judged
from gitupd.store.convergence.executed import has_executed
from gitupd.store.convergence.tables import held
from gitupd.store.searching import meeting
from gitupd.store.tables import backup_heads, devices

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from gitupd.core.search import Search
    from gitupd.core.standing import Yardstick
    from gitupd.store.database import Database

_NAME = func.coalesce(devices.c.given_name, devices.c.own_name)


@dataclass(frozen=True, slots=True)
class DriftFigures:
    """How many devices with a backup there are, how many of them executed the deployed commit, and how these stand.

    ``drifted`` are otherwise than wanted, ``in_force`` as wanted. Of the rest, ``pending`` have yet to be judged.
    """

    uploaded: int
    executed: int
    drifted: int
    in_force: int
    pending: int

    @property
    def untold(self) -> int:
        """Of how many it can't be told: they have not uploaded since, or nothing of their script leaves a trace."""
        return self.executed - self.drifted - self.in_force - self.pending


@dataclass(frozen=True, slots=True)
class DriftedOption:
    """An option of a module that so many ``devices`` have otherwise than wanted: ``how``, as a verdict says it."""

    module: str
    option: str
    how: str
    devices: int


@dataclass(frozen=True, slots=True)
class DriftedDevice:
    """A device that is otherwise than wanted: in what it uploaded last, at ``seen``, the options of ``off`` are.

    Each is a module, an option, and how it differs.
    """

    serial: Serial
    name: str | None
    model: str | None
    seen: datetime
    off: tuple[tuple[str, str, str], ...]


class Drifts:
    """Reads what is kept of drift; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Read from *database*."""
        self._database = database

    def figures(self, search: Search, yardstick: Yardstick) -> DriftFigures:
        """Count the devices that *search* finds."""
        in_force, drifted = _judged(yardstick)
        executed = has_executed(yardstick.commit, by_sent=yardstick.by_sent)
        expected = true() if yardstick.backups else false()
        pending = and_(executed, expected, is_due(yardstick.commit), not_(or_(in_force, drifted)))
        counted = (and_(executed, expected), drifted, in_force, pending)
        numbers = [func.count().filter(each) for each in counted]
        statement = select(func.count(), *numbers).select_from(WITH_HELD).where(backup_heads.c.serial.is_not(None))
        with self._database.connection() as connection:
            return DriftFigures(
                *map(int, connection.execute(statement.where(meeting(search, yardstick, connection))).one())
            )

    def options(self, search: Search, yardstick: Yardstick) -> list[DriftedOption]:
        """Return in what the devices differ that *search* finds, what most of them do first."""
        drifted = _judged(yardstick)[1]
        statement = select(cast(held.c.off, Text), func.count()).select_from(WITH_HELD).where(drifted)
        counts: Counter[tuple[str, str, str]] = Counter()
        with self._database.connection() as connection:
            alike = statement.where(meeting(search, yardstick, connection)).group_by(cast(held.c.off, Text))
            for off, count in connection.execute(alike):
                for module, option, how in json.loads(off):
                    counts[module, option, how] += count
        ordered = sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
        return [DriftedOption(module, option, how, count) for (module, option, how), count in ordered]

    def listed(
        self, search: Search, yardstick: Yardstick, limit: int, after: Serial | None = None
    ) -> list[DriftedDevice]:
        """Return *limit* of those that are otherwise than wanted, by serial number, from behind *after* on."""
        drifted = _judged(yardstick)[1]
        columns = (devices.c.serial, _NAME.label("name"), devices.c.model, backup_heads.c.seen, held.c.off)
        statement = select(*columns).select_from(WITH_HELD).where(drifted).order_by(devices.c.serial).limit(limit)
        if after is not None:
            statement = statement.where(devices.c.serial > after.digits)
        with self._database.connection() as connection:
            rows = connection.execute(statement.where(meeting(search, yardstick, connection))).all()
        return [
            DriftedDevice(Serial(row.serial), row.name, row.model, row.seen, tuple(map(tuple, row.off))) for row in rows
        ]


def _judged(yardstick: Yardstick) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return judged(yardstick.commit, by_sent=yardstick.by_sent, backups=yardstick.backups)
