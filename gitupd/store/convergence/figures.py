"""What devices have reached of a deployment, as conditions in SQL, and how many have: in one pass over the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, false, func, not_, or_, select, true

from gitupd.core.deployments.convergence import Holding
from gitupd.core.snapshot import CommitId
from gitupd.store.convergence.drift import judged
from gitupd.store.convergence.executed import executed_at, has_executed, is_undisturbed
from gitupd.store.convergence.tables import held, targets
from gitupd.store.strangers import is_let_in
from gitupd.store.tables import backup_heads, devices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, FromClause, Select

    from gitupd.core.standing import Yardstick

_WORDS = ("asked", "delivered", "confirmed", "unchanged", "silent", "in_force", "drifted")


@dataclass(frozen=True, slots=True)
class Measured:
    """A deployment as it is measured."""

    id: int
    commit: CommitId
    since: datetime
    by_sent: bool
    backups: bool

    @classmethod
    def of(cls, yardstick: Yardstick) -> Measured | None:
        """Return the deployment of *yardstick*, None if it is none."""
        if yardstick.since is None or yardstick.commit is None:
            return None
        return cls(yardstick.deployment, yardstick.commit, yardstick.since, yardstick.by_sent, yardstick.backups)

    @property
    def condition(self) -> ColumnElement[bool]:
        """Whether a device counts, for rows of targets beside devices."""
        return and_(targets.c.deployment == self.id, is_let_in())

    def reached(self) -> dict[str, ColumnElement[bool]]:
        """Return what devices may have reached, by the words of searches; none of it is ever NULL."""
        columns = devices.c
        is_touched = func.coalesce(columns.last_seen == targets.c.touched, false())
        asked = and_(columns.last_seen >= self.since, not_(is_touched))
        sent_since = func.coalesce(columns.sent_at >= self.since, false())
        delivered = and_(func.coalesce(columns.sent, "") == self.commit, sent_since)
        confirmed = has_executed(self.commit, by_sent=self.by_sent)
        at = executed_at(self.commit)
        in_force, drifted = judged(self.commit, by_sent=self.by_sent, backups=self.backups)
        return {
            "counted": true(),
            "asked": asked,
            "delivered": delivered,
            "confirmed": confirmed,
            "unchanged": and_(not_(delivered), confirmed, func.coalesce(at <= self.since, true())),
            "unconfirmed": not_(confirmed),
            "silent": and_(not_(asked), not_(confirmed)),
            "in-force": in_force,
            "drifted": drifted,
            "untold": and_(confirmed, not_(or_(in_force, drifted))),
        }

    @property
    def came_later(self) -> ColumnElement[bool]:
        """Whether a device came later, so that it does not count; for rows of devices."""
        others = select(targets.c.serial).where(targets.c.deployment == self.id)
        return and_(devices.c.last_seen >= self.since, devices.c.serial.not_in(others))

    @property
    def fleet(self) -> FromClause:
        """The devices, beside what makes them count and what they are held to be, if anything does."""
        is_its = and_(targets.c.serial == devices.c.serial, targets.c.deployment == self.id)
        beside = devices.outerjoin(targets, is_its)
        if not self.backups:
            return beside
        beside = beside.outerjoin(held, held.c.serial == devices.c.serial)
        return beside.outerjoin(backup_heads, backup_heads.c.serial == devices.c.serial)

    def numbers(self) -> list[ColumnElement[int]]:
        """Return the figures as columns, of all devices in :attr:`fleet` that are let in; labels are their names."""
        counts, reached = targets.c.serial.is_not(None), self.reached()
        later = and_(targets.c.serial.is_(None), devices.c.last_seen >= self.since)
        figures = {word: and_(counts, reached[word.replace("_", "-")]) for word in _WORDS}
        figures |= {"counted": counts, "later": later}
        return [func.count().filter(condition).label(name) for name, condition in figures.items()]

    def figures(self, row: Any) -> dict[str, Any]:
        """Return the figures in a *row* of :meth:`numbers`; what backups tell is None where they are off."""
        figures = {name: getattr(row, name) for name in (*_WORDS, "counted", "later")}
        return figures if self.backups else {**figures, "in_force": None, "drifted": None}


def holders() -> Select[*tuple[Any, ...]]:
    """Select the commits that devices run, as they say, with those they were sent last, and how many have both."""
    runs = case((is_undisturbed(), devices.c.confirmed)).label("runs")
    last = devices.c.sent.label("last")
    return select(runs, last, func.count().label("holders")).where(is_let_in()).group_by(runs, last)


def holding_in(rows: Iterable[Any], *, by_sent: bool) -> Mapping[CommitId, Holding]:
    """Return how many devices hold each commit, of *rows* of :func:`holders`.

    With *by_sent* they run what they were sent.
    """
    runs, sent = dict[str, int](), dict[str, int]()
    for row in rows:
        for commit in {row.runs, row.last if by_sent else None} - {None}:
            runs[commit] = runs.get(commit, 0) + row.holders
        if row.last is not None:
            sent[row.last] = sent.get(row.last, 0) + row.holders
    return {CommitId(each): Holding(runs.get(each, 0), sent.get(each, 0)) for each in runs | sent}
