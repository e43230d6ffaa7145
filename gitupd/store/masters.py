"""What master devices said when they were asked which builds they run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from gitupd.store.database import upsert
from gitupd.store.tables import masters

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.store.database import Database


@dataclass(frozen=True, slots=True)
class MasterAnswer:
    """What a master device said when it last answered, and how the last question went; None means never."""

    url: str
    firmware: str | None
    bootcode: str | None
    answered_at: datetime | None
    asked_at: datetime
    error: str = ""


class Masters:
    """The answers of master devices; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep answers in *database*."""
        self._database = database
        self._save = upsert(masters, database.dialect)
        self._all = select(masters)

    def answers(self) -> dict[str, MasterAnswer]:
        """Return what master devices said, by their URL."""
        with self._database.connection() as connection:
            return {row.url: MasterAnswer(*row) for row in connection.execute(self._all)}

    def save(self, answer: MasterAnswer) -> None:
        """Remember what a master device said, or how it failed to."""
        with self._database.connection() as connection:
            connection.execute(self._save, asdict(answer))
