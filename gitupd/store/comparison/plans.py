"""Plans that are kept, each until another one is made of the same two commits, and wishes for some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, update

from gitupd.store.comparison.tables import plans
from gitupd.store.database import dialect_insert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.store.database import Database

_MOST = 100
_MOST_BYTES = 64 * 2**20
_MOST_WISHES = 32


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What is kept of the plan of two commits.

    ``asked`` is when somebody last wanted it, ``begun`` since when it is being made, None if it is not. ``checked`` is
    when it was last seen to be true, None if it was never made, and ``made`` when that was; it is of the fleet with
    this ``mark``, and ``facts`` are its numbers. ``error`` says why it could not be made, and is empty if it could.
    """

    base: CommitId
    head: CommitId
    asked: datetime
    begun: datetime | None = None
    done: int = 0
    total: int = 0
    checked: datetime | None = None
    made: datetime | None = None
    mark: str | None = None
    facts: Mapping[str, Any] | None = None
    error: str = ""


_NOTHING: Mapping[str, Any] = {"done": 0, "total": 0, "length": 0, "error": ""}
_COLUMNS = tuple(plans.c[name] for name in PlanRow.__slots__)


class PlanTable:
    """The plans of a site, and wishes for more; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep plans in *database*."""
        self._database = database
        self._wish = dialect_insert(plans, database.dialect).on_conflict_do_nothing(index_elements=["base", "head"])

    def row(self, base: CommitId, head: CommitId) -> PlanRow | None:
        """Return what is kept of the plan of two commits, None if nobody ever wanted it."""
        with self._database.connection() as connection:
            row = connection.execute(select(*_COLUMNS).where(*_of(base, head))).first()
        return None if row is None else PlanRow(*row)

    def body(self, base: CommitId, head: CommitId) -> bytes | None:
        """Return the groups of the plan of two commits, as they were written; None if it was never made."""
        with self._database.connection() as connection:
            body: bytes | None = connection.scalar(select(plans.c.body).where(*_of(base, head)))
        return body

    def rows(self, limit: int) -> list[PlanRow]:
        """Return the plans that were made, those first that were asked for last."""
        made = select(*_COLUMNS).where(plans.c.checked.is_not(None)).order_by(plans.c.asked.desc()).limit(limit)
        with self._database.connection() as connection:
            return [PlanRow(*row) for row in connection.execute(made)]

    def wish(self, base: CommitId, head: CommitId, now: datetime) -> None:
        """Note that somebody wants the plan of two commits *now*; so it is made, or seen to be true still.

        Of very many plans that are wanted, those are dropped that were asked for first: who still wants one asks again.
        """
        new = self._wish.returning(plans.c.base)
        with self._database.connection() as connection:
            is_new = connection.execute(new, {"base": base, "head": head, "asked": now, **_NOTHING}).first() is not None
            connection.execute(update(plans).where(*_of(base, head)).values(asked=now))
            if is_new:
                self._make_room(connection)

    def wishes(self, limit: int = _MOST_WISHES) -> list[PlanRow]:
        """Return the plans that somebody wants and that were not looked at since, the latest wish first."""
        open_ones = or_(plans.c.checked.is_(None), plans.c.checked < plans.c.asked)
        statement = select(*_COLUMNS).where(open_ones).order_by(plans.c.asked.desc()).limit(limit)
        with self._database.connection() as connection:
            return [PlanRow(*row) for row in connection.execute(statement)]

    def progress(self, base: CommitId, head: CommitId, begun: datetime, done: int, total: int) -> None:
        """Note how far somebody is who makes a plan."""
        self._change(base, head, {"begun": begun, "done": done, "total": total})

    def still_true(self, base: CommitId, head: CommitId, now: datetime) -> None:
        """Note that a plan that was made holds *now*."""
        self._change(base, head, {"checked": now, "begun": None})

    def fail(self, base: CommitId, head: CommitId, mark: str, error: str, now: datetime) -> None:
        """Note that a plan can't be made of the fleet with this *mark*."""
        nothing = {"facts": None, "body": None, "length": 0, "made": now}
        self._change(base, head, {"error": error, "mark": mark, "checked": now, "begun": None, **nothing})

    def keep(
        self, base: CommitId, head: CommitId, *, mark: str, facts: Mapping[str, Any], body: bytes, now: datetime
    ) -> None:
        """Keep a plan, in the place of an earlier one; drop those that nobody asked for lately, if there are many."""
        values: dict[str, Any] = {
            "asked": now,
            "begun": None,
            "done": 0,
            "total": 0,
            "checked": now,
            "made": now,
            "mark": mark,
        }
        values |= {"facts": facts, "length": len(body), "body": body, "error": ""}
        with self._database.connection() as connection:
            # Somebody else may be about to keep the same.
            connection.execute(self._wish, {"base": base, "head": head, "asked": now, **_NOTHING})
            connection.execute(update(plans).where(*_of(base, head)).values(values))
            self._make_room(connection)

    def _change(self, base: CommitId, head: CommitId, values: Mapping[str, Any]) -> None:
        with self._database.connection() as connection:
            connection.execute(update(plans).where(*_of(base, head)).values(values))

    def _make_room(self, connection: Any) -> None:
        rows = connection.execute(select(plans.c.base, plans.c.head, plans.c.length).order_by(plans.c.asked.desc()))
        size = 0
        for at, (base, head, length) in enumerate(rows.all()):
            size += length
            if at and (at >= _MOST or size > _MOST_BYTES):
                connection.execute(delete(plans).where(*_of(base, head)))

    def size(self) -> tuple[int, int]:
        """Return how many plans are kept, and how many bytes they take."""
        with self._database.connection() as connection:
            row = connection.execute(select(func.count(), func.coalesce(func.sum(plans.c.length), 0))).one()
        return row[0], row[1]


def _of(base: CommitId, head: CommitId) -> Sequence[Any]:
    return plans.c.base == base, plans.c.head == head
