"""The outbox: what somebody is to be told of, by which way, and what came of it; each call is a transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from gitupd.core.notices.notice import Channel, Notice, NoticeKind, PendingNotice
from gitupd.store.database import dialect_insert, storable, upsert
from gitupd.store.notices.tables import notice_marks, notices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from gitupd.store.database import Database

MOST_WAITING = 5_000
"""Notices that are on their way at a time; those that come while there are more are lost."""

_AT_ONCE = 500
_LONGEST_CAUSE = 200
_OPEN = notices.c.done.is_(None)


@dataclass(frozen=True, slots=True)
class Posted:
    """A notice in the outbox: ``done`` is None while it is on its way, ``sent`` if it was not, or not yet."""

    waiting: PendingNotice
    due: datetime
    error: str
    done: datetime | None
    sent: datetime | None


class Outbox:
    """Notices of a site."""

    def __init__(self, database: Database) -> None:
        """Keep them in *database*."""
        self._database = database
        self._mark = upsert(notice_marks, database.dialect)
        self._post = dialect_insert(notices, database.dialect).on_conflict_do_nothing().returning(notices.c.id)

    def marks(self) -> dict[str, str]:
        """Return how far was looked, by what for."""
        with self._database.connection() as connection:
            return {row.name: row.value for row in connection.execute(select(notice_marks))}

    def post(
        self,
        posts: Iterable[tuple[str, Channel, Notice, int]],
        now: datetime,
        marks: dict[str, str] | None = None,
    ) -> int:
        """Take in *posts* (recipient, way, notice, seconds between messages), with how far was looked; return how many.

        A cause that somebody was told of already by that way is left out, and so is what there is no room for.
        """
        with self._database.connection() as connection:
            room = MOST_WAITING - (connection.scalar(select(func.count()).select_from(notices).where(_OPEN)) or 0)
            taken = 0
            for recipient, channel, notice, at_most in posts:
                if taken < room:
                    row = _row(recipient, channel, notice, at_most, now)
                    taken += connection.execute(self._post, row).first() is not None
            for name, value in sorted((marks or {}).items()):
                connection.execute(self._mark, {"name": name, "value": value})
            return taken

    def due(self, now: datetime) -> list[PendingNotice]:
        """Return what is to be sent now, the oldest first."""
        statement = select(notices).where(_OPEN, notices.c.due <= now).order_by(notices.c.id).limit(_AT_ONCE)
        with self._database.connection() as connection:
            return [_waiting(row) for row in connection.execute(statement)]

    def last_sent(self, recipient: str, channel: Channel, kind: NoticeKind) -> datetime | None:
        """Return when somebody was last told of a *kind* by that way."""
        which = (notices.c.recipient == recipient, notices.c.channel == channel, notices.c.kind == kind)
        with self._database.connection() as connection:
            found: datetime | None = connection.scalar(select(func.max(notices.c.sent)).where(*which))
            return found

    def put_off(self, waiting: Sequence[PendingNotice], due: datetime, error: str | None = None) -> None:
        """Have *waiting* sent at *due*, not now; with an *error* that is one more try in vain."""
        values: dict[str, Any] = {"due": due}
        if error is not None:
            values |= {"tries": notices.c.tries + 1, "error": storable(error)}
        self._change(waiting, values)

    def close(self, waiting: Sequence[PendingNotice], now: datetime, error: str | None = None) -> None:
        """Note that *waiting* is sent; with an *error*, that it is given up."""
        values: dict[str, Any] = {"done": now, "sent": now, "error": ""}
        self._change(waiting, values if error is None else {"done": now, "error": storable(error)})

    def _change(self, waiting: Sequence[PendingNotice], values: dict[str, Any]) -> None:
        numbers = [each.number for each in waiting]
        with self._database.connection() as connection:
            for first in range(0, len(numbers), _AT_ONCE):
                some = notices.c.id.in_(numbers[first : first + _AT_ONCE])
                connection.execute(update(notices).where(_OPEN, some).values(**values))

    def latest(self, limit: int = 100, before: int | None = None) -> list[Posted]:
        """Return the latest notices, those with a number below *before*."""
        statement = select(notices).order_by(notices.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(notices.c.id < before)
        with self._database.connection() as connection:
            rows = connection.execute(statement).all()
        return [Posted(_waiting(row), row.due, row.error, row.done, row.sent) for row in rows]

    def counts(self) -> tuple[int, int]:
        """Return how many notices are on their way, and how many of them were tried in vain."""
        tried = func.count().filter(notices.c.tries > 0)
        with self._database.connection() as connection:
            waiting, failing = connection.execute(select(func.count(), tried).where(_OPEN)).one()
        return waiting, failing

    def failing(self) -> tuple[int, PendingNotice, str] | None:
        """Return how many notices were tried in vain and are on their way, the oldest, and why; None for none."""
        which = (_OPEN, notices.c.tries > 0)
        with self._database.connection() as connection:
            row = connection.execute(select(notices).where(*which).order_by(notices.c.id).limit(1)).first()
            if row is None:
                return None
            count = connection.scalar(select(func.count()).select_from(notices).where(*which)) or 1
            return count, _waiting(row), row.error

    def tidy(self, oldest: datetime) -> None:
        """Forget what was done before *oldest*."""
        with self._database.connection() as connection:
            connection.execute(delete(notices).where(notices.c.done < oldest))


def _key(cause: str) -> str:
    """Return what stands for a *cause*, however long that is."""
    if len(text := storable(cause)) <= _LONGEST_CAUSE:
        return str(text)
    return hashlib.sha256(text.encode()).hexdigest()


def _row(recipient: str, channel: Channel, notice: Notice, at_most: int, now: datetime) -> dict[str, Any]:
    return {
        "recipient": recipient,
        "channel": channel.value,
        "kind": notice.kind.value,
        "cause": _key(notice.cause),
        "text": storable(notice.text),
        "path": notice.path,
        "at_most": at_most,
        "at": now,
        "due": now,
        "tries": 0,
        "error": "",
    }


def _waiting(row: Any) -> PendingNotice:
    notice = Notice(NoticeKind(row.kind), row.cause, row.text, row.path)
    return PendingNotice(row.id, row.recipient, Channel(row.channel), notice, row.at, row.tries, row.at_most)
