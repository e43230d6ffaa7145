"""How far deployments have come, read from what is remembered of devices, and kept when the next one comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Integer,
    and_,
    cast,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)

from gitupd.core.caller import Serial
from gitupd.core.deployments.convergence import QUORUMS, Assessment, Convergence, Force, Holding, needed
from gitupd.core.snapshot import CommitId
from gitupd.store.commits.tables import deployments
from gitupd.store.convergence.drift import is_due, judged
from gitupd.store.convergence.executed import executed_at, has_executed, is_undisturbed
from gitupd.store.convergence.tables import convergences, held, targets
from gitupd.store.database import upsert
from gitupd.store.strangers import is_let_in
from gitupd.store.tables import backup_heads, devices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.standing import Yardstick
    from gitupd.store.database import Database

_TIMES = ("half", "most", "nearly_all")  # one for each of QUORUMS
_COUNTS = ("counted", "asked", "delivered", "confirmed", "unchanged", "silent", "later", "in_force", "drifted")
_KEPT = 30
"""Of so many deployments it is kept which devices never confirmed them."""

_COUNTED = targets.join(devices, devices.c.serial == targets.c.serial)
_HELD = _COUNTED.outerjoin(held, held.c.serial == devices.c.serial).outerjoin(
    backup_heads, backup_heads.c.serial == devices.c.serial
)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A deployment as it is measured."""

    id: int
    commit: str
    since: datetime
    by_sent: bool
    backups: bool

    @property
    def condition(self) -> ColumnElement[bool]:
        return and_(targets.c.deployment == self.id, is_let_in())

    def reached(self) -> dict[str, ColumnElement[bool]]:
        """Return what devices may have reached, by the words of searches; none of it is ever NULL."""
        columns = devices.c
        is_touched = func.coalesce(columns.last_seen == targets.c.touched, false())
        asked = and_(columns.last_seen >= self.since, not_(is_touched))
        sent_since = func.coalesce(columns.sent_at >= self.since, false())
        delivered = and_(func.coalesce(columns.sent, "") == self.commit, sent_since)
        confirmed = has_executed(CommitId(self.commit), by_sent=self.by_sent)
        at = executed_at(CommitId(self.commit))
        in_force, drifted = judged(CommitId(self.commit), by_sent=self.by_sent, backups=self.backups)
        return {
            "counted": true(),
            "asked": asked,
            "delivered": delivered,
            "confirmed": confirmed,
            "unchanged": and_(confirmed, not_(delivered), func.coalesce(at <= self.since, true())),
            "unconfirmed": not_(confirmed),
            "silent": and_(not_(asked), not_(confirmed)),
            "in-force": in_force,
            "drifted": drifted,
            "untold": and_(confirmed, not_(or_(in_force, drifted))),
        }

    @property
    def came_later(self) -> ColumnElement[bool]:
        others = select(targets.c.serial).where(targets.c.deployment == self.id)
        return and_(devices.c.last_seen >= self.since, devices.c.serial.not_in(others))


class Convergences:
    """How far the deployments of a site have come; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Read from *database*."""
        self._database = database
        self._keep = upsert(held, database.dialect)

    def begin(self, yardstick: Yardstick) -> bool:
        """Take down which devices count in the deployment of *yardstick*, unless that is done; return whether it was.

        Who makes a deployment does that with it. This is for one that was made by an earlier version.
        """
        if not yardstick.deployment:
            return False
        with self._database.connection() as connection:
            if _kept(connection, [yardstick.deployment]):
                return False
            begin(connection, yardstick)
        return True

    def note_times(self, yardstick: Yardstick) -> bool:
        """Keep when parts of the devices had confirmed, as far as they have; return whether all of them are kept."""
        with self._database.connection() as connection:
            row = _kept(connection, [yardstick.deployment]).get(yardstick.deployment)
            if row is None or row.ended is not None or all(row._mapping[name] is not None for name in _TIMES):  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping
                return True
            measured = _measured(yardstick)
            figures = _counted(connection, measured)
            times = _times(connection, measured, figures, row)
            reached = {name: time for name, time in zip(_TIMES, times, strict=True) if time is not None}
            if reached:
                of_it = convergences.c.deployment == yardstick.deployment
                connection.execute(update(convergences).where(of_it).values(reached))
        return len(reached) == len(_TIMES)

    def of(self, made: Sequence[Deployment], yardstick: Yardstick) -> dict[int, Convergence]:
        """Return those of the deployments *made* that are measured, by number; *yardstick* is of what is live."""
        at = {each.id: each.at for each in made}
        with self._database.connection() as connection:
            rows = _kept(connection, list(at))
            found = {number: _finished(row, at[number]) for number, row in rows.items() if row.ended is not None}
            live = rows.get(yardstick.deployment)
            if live is not None and live.ended is None and yardstick.since is not None:
                measured = _measured(yardstick)
                figures = _counted(connection, measured)
                lasted = (yardstick.now - yardstick.since).total_seconds()
                times = _times(connection, measured, figures, live)
                found[yardstick.deployment] = Convergence(
                    yardstick.deployment, **figures, seconds=times, lasted=max(0.0, lasted)
                )
        return found

    def holding(self, *, by_sent: bool) -> dict[CommitId, Holding]:
        """Return how many devices hold each commit that any holds; with *by_sent* they run what they were sent."""
        columns = (devices.c.confirmed, devices.c.sent, is_undisturbed().label("undisturbed"))
        with self._database.connection() as connection:
            rows = connection.execute(select(*columns, func.count()).where(is_let_in()).group_by(*columns)).all()
        runs, sent = dict[str, int](), dict[str, int]()
        for confirmed, last, undisturbed, count in rows:
            for commit in {confirmed if undisturbed else None, last if by_sent else None}:
                if commit is not None:
                    runs[commit] = runs.get(commit, 0) + count
            if last is not None:
                sent[last] = sent.get(last, 0) + count
        return {CommitId(each): Holding(runs.get(each, 0), sent.get(each, 0)) for each in runs | sent}

    def touched(self, deployment: int, serial: Serial) -> tuple[bool, datetime | None]:
        """Return whether a device counts in a *deployment*, and when it was let count as seen before it had asked."""
        of_it = and_(targets.c.deployment == deployment, targets.c.serial == serial.digits)
        with self._database.connection() as connection:
            row = connection.execute(select(targets.c.touched).where(of_it)).first()
        return (False, None) if row is None else (True, row.touched)

    def due(self, yardstick: Yardstick, after: Serial | None, limit: int) -> dict[Serial, str]:
        """Return *limit* of the devices whose backup is to be held against their script, with its fingerprint.

        Those that have executed the deployed commit; by serial number, and those *after* one, None for the first.
        """
        columns = devices.c
        both = devices.join(backup_heads, backup_heads.c.serial == columns.serial)
        executed = has_executed(yardstick.commit, by_sent=yardstick.by_sent)
        statement = (
            select(columns.serial, backup_heads.c.fingerprint)
            .select_from(both.outerjoin(held, held.c.serial == columns.serial))
            .where(is_let_in(), executed, is_due(yardstick.commit), columns.serial > (after.digits if after else ""))
        )
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(columns.serial).limit(limit)).all()
        return {Serial(row.serial): row.fingerprint for row in rows}

    def keep(self, judged: Mapping[Serial, tuple[str, Assessment]]) -> None:
        """Keep how backups were held against scripts, each with its fingerprint."""
        rows = [
            {
                "serial": serial.digits,
                "commit": each.commit,
                "sent_at": each.sent_at,
                "fingerprint": fingerprint,
                "found": each.found.value,
                "off": [list(option) for option in each.off],
            }
            for serial, (fingerprint, each) in judged.items()
        ]
        if rows:
            with self._database.connection() as connection:
                connection.execute(self._keep, rows)

    def held(self, serial: Serial) -> Assessment | None:
        """Return how the latest backup of a device was held against its script, None if it was not."""
        statement = select(held, backup_heads.c.seen).outerjoin(backup_heads, backup_heads.c.serial == held.c.serial)
        with self._database.connection() as connection:
            row = connection.execute(statement.where(held.c.serial == serial.digits)).first()
        if row is None:
            return None
        off = tuple((module, option, how) for module, option, how in row.off)
        return Assessment(row.commit, row.sent_at, Force(row.found), off, row.seen)


def turn_over(connection: Connection, ended: Deployment | None, yardstick: Yardstick) -> None:
    """Keep how the deployment that has *ended* stands, and take down who counts in the one of *yardstick*."""
    if ended is not None and yardstick.since is not None:
        _finish(connection, ended, yardstick.since)
    begin(connection, yardstick)


def begin(connection: Connection, yardstick: Yardstick) -> None:
    """Take down which devices count in the deployment of *yardstick*: those let in that had called lately enough."""
    since = yardstick.since
    if since is None:
        return
    values = {"deployment": yardstick.deployment, "by_sent": yardstick.by_sent, "backups": yardstick.backups}
    connection.execute(insert(convergences).values(values))
    kept_for = yardstick.now - yardstick.present_since if yardstick.present_since is not None else None
    active = true() if kept_for is None else devices.c.last_seen >= since - kept_for
    counted = select(literal(yardstick.deployment), devices.c.serial).where(
        is_let_in(), active, devices.c.first_seen <= since
    )
    connection.execute(insert(targets).from_select(["deployment", "serial"], counted))


def note_touched(connection: Connection, serials: Sequence[str], at: datetime) -> None:
    """Note that those of *serials* that have not asked since the deployment are let count as seen at the time *at*.

    Their rows are held until the transaction ends, so that devices come first, as they do wherever they are written.
    """
    live = connection.execute(select(deployments.c.id, deployments.c.at).order_by(deployments.c.id.desc())).first()
    if live is None:
        return
    touched = func.coalesce(devices.c.last_seen == targets.c.touched, false())
    silent = and_(devices.c.serial.in_(serials), or_(devices.c.last_seen < live.at, touched))
    statement = select(devices.c.serial).select_from(_COUNTED).where(targets.c.deployment == live.id, silent)
    found = list(connection.scalars(statement.order_by(devices.c.serial).with_for_update(of=devices)))
    of_them = and_(targets.c.deployment == live.id, targets.c.serial.in_(found))
    connection.execute(update(targets).where(of_them).values(touched=at))


def forget_targets(connection: Connection, serials: Sequence[str]) -> None:
    """Let devices that are forgotten no longer count."""
    for table in (targets, held):
        connection.execute(delete(table).where(table.c.serial.in_(serials)))


def takes_part(word: str, yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device's part in the deployment that is live is as *word* says; ``is_let_in`` is left to the caller."""
    if yardstick.since is None or yardstick.commit is None:
        return false()
    measured = _measured(yardstick)
    if word == "later":
        return measured.came_later
    reached = measured.reached()
    if word not in reached:
        return false()
    return devices.c.serial.in_(_serials(measured, reached[word]))


def never_confirmed(pattern: str, escape: str, yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device counted in the last deployment of a commit like *pattern*, and has not confirmed it."""
    last = select(func.max(deployments.c.id)).where(deployments.c.commit.like(pattern, escape=escape))
    counted = select(targets.c.serial).where(targets.c.deployment == last.scalar_subquery())
    is_live = exists(select(deployments.c.id).where(last.scalar_subquery() == yardstick.deployment))
    unfinished = or_(not_(is_live), not_(has_executed(yardstick.commit, by_sent=yardstick.by_sent)))
    return and_(devices.c.serial.in_(counted), unfinished)


def _serials(measured: _Measured, condition: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(targets.c.serial).select_from(_HELD).where(measured.condition, condition).correlate(None)


def _measured(yardstick: Yardstick) -> _Measured:
    assert yardstick.since is not None  # noqa: S101 - callers have looked
    assert yardstick.commit is not None  # noqa: S101 - as above
    return _Measured(
        yardstick.deployment, yardstick.commit, yardstick.since, yardstick.by_sent, backups=yardstick.backups
    )


def _kept(connection: Connection, numbers: Iterable[int]) -> Mapping[int, Any]:
    statement = select(convergences).where(convergences.c.deployment.in_(list(numbers)))
    return {row.deployment: row for row in connection.execute(statement)}


def _finished(row: Any, at: datetime) -> Convergence:
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping
    counts = {name: columns[name] for name in _COUNTS}
    lasted = max(0.0, (row.ended - at).total_seconds())
    seconds = tuple(columns[name] for name in _TIMES)
    return Convergence(row.deployment, **counts, seconds=seconds, lasted=lasted, ended=row.ended)


def _counted(connection: Connection, measured: _Measured) -> dict[str, Any]:
    """Count what the devices have reached, all in one pass but for those that came later."""
    words = ("asked", "delivered", "confirmed", "unchanged", "silent", "in-force", "drifted")
    reached = measured.reached()
    sums = [func.coalesce(func.sum(cast(reached[word], Integer)), 0) for word in words]
    row = connection.execute(select(func.count(), *sums).select_from(_HELD).where(measured.condition)).one()
    counted, *numbers = map(int, row)
    figures: dict[str, Any] = {word.replace("-", "_"): number for word, number in zip(words, numbers, strict=True)}
    if not measured.backups:
        figures |= {"in_force": None, "drifted": None}
    later = select(func.count()).select_from(devices).where(is_let_in(), measured.came_later)
    return {"counted": counted, **figures, "later": connection.scalar(later) or 0}


def _times(
    connection: Connection, measured: _Measured, figures: Mapping[str, Any], kept: Any
) -> tuple[float | None, ...]:
    """Return after how many seconds each part of the devices had confirmed, None where that has yet to come."""
    return tuple(
        _time(connection, measured, needed(percent, figures["counted"]), figures["confirmed"])
        if kept._mapping[name] is None  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping
        else kept._mapping[name]  # noqa: SLF001 - as above
        for percent, name in zip(QUORUMS, _TIMES, strict=True)
    )


def _time(connection: Connection, measured: _Measured, wanted: int, confirmed: int) -> float | None:
    if confirmed < wanted:
        return None
    at = executed_at(CommitId(measured.commit))
    of_them = and_(measured.condition, measured.reached()["confirmed"])
    ordered = select(at).select_from(_COUNTED).where(of_them).order_by(at.asc().nulls_first())
    moment = connection.scalar(ordered.offset(wanted - 1).limit(1))
    return 0.0 if moment is None else max(0.0, (moment - measured.since).total_seconds())


def _finish(connection: Connection, ended: Deployment, at: datetime) -> None:
    """Keep how a deployment stands that has *ended* at the time *at*, and which devices have not confirmed it."""
    row = _kept(connection, [ended.id]).get(ended.id)
    if row is None or row.ended is not None:
        return
    measured = _Measured(ended.id, ended.commit, ended.at, row.by_sent, backups=row.backups)
    figures = _counted(connection, measured)
    times = dict(zip(_TIMES, _times(connection, measured, figures, row), strict=True))
    of_it = convergences.c.deployment == ended.id
    connection.execute(update(convergences).where(of_it).values({**figures, **times, "ended": at}))
    confirmed = _serials(measured, measured.reached()["confirmed"])
    gone = and_(targets.c.deployment == ended.id, targets.c.serial.in_(confirmed))
    connection.execute(delete(targets).where(or_(gone, targets.c.deployment <= ended.id - _KEPT)))
