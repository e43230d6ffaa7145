"""How far deployments have come, read from what is remembered of devices, and kept when the next one comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    and_,
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
from gitupd.core.deployments.convergence import QUORUMS, Assessment, Convergence, Force, needed
from gitupd.store.commits.tables import deployments
from gitupd.store.convergence.drift import is_due
from gitupd.store.convergence.executed import executed_at, has_executed
from gitupd.store.convergence.figures import Measured, holders, holding_in
from gitupd.store.convergence.tables import convergences, held, targets
from gitupd.store.database import upsert
from gitupd.store.strangers import is_let_in
from gitupd.store.tables import backup_heads, devices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from gitupd.core.deployments.convergence import Holding
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId
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
            if kept(connection, [yardstick.deployment]):
                return False
            begin(connection, yardstick)
        return True

    def note_times(self, yardstick: Yardstick) -> bool:
        """Keep when parts of the devices had confirmed, as far as they have; return whether all of them are kept."""
        with self._database.connection() as connection:
            row, measured = kept(connection, [yardstick.deployment]).get(yardstick.deployment), Measured.of(yardstick)
            if row is None or measured is None or row.ended is not None or None not in _kept_times(row):
                return True
            times = _times(connection, measured, _counted(connection, measured), row)
            reached = {name: time for name, time in zip(_TIMES, times, strict=True) if time is not None}
            if reached:
                of_it = convergences.c.deployment == yardstick.deployment
                connection.execute(update(convergences).where(of_it).values(reached))
        return len(reached) == len(_TIMES)

    def of(self, made: Sequence[Deployment], yardstick: Yardstick) -> dict[int, Convergence]:
        """Return those of the deployments *made* that are measured, by number; *yardstick* is of what is live."""
        at = {each.id: each.at for each in made}
        with self._database.connection() as connection:
            rows = kept(connection, list(at))
            found = {number: _finished(row, at[number]) for number, row in rows.items() if row.ended is not None}
            live, measured = rows.get(yardstick.deployment), Measured.of(yardstick)
            if live is not None and live.ended is None and measured is not None:
                figures = _counted(connection, measured)
                found[measured.id] = convergence(connection, measured, figures, live, yardstick.now)
        return found

    def holding(self, *, by_sent: bool) -> Mapping[CommitId, Holding]:
        """Return how many devices hold each commit that any holds; with *by_sent* they run what they were sent."""
        with self._database.connection() as connection:
            return holding_in(connection.execute(holders()), by_sent=by_sent)

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
    measured = Measured.of(yardstick)
    if measured is None:
        return false()
    if word == "later":
        return measured.came_later
    reached = measured.reached()
    if word not in reached:
        return false()
    return devices.c.serial.in_(_serials(measured, reached[word]))


def never_confirmed(pattern: str, escape: str, yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device counted in the last deployment of a commit like *pattern*, and has not confirmed it."""
    last = select(func.max(deployments.c.id)).where(deployments.c.commit.like(pattern, escape=escape))
    is_its = and_(targets.c.deployment == last.scalar_subquery(), targets.c.serial == devices.c.serial)
    counted = exists(select(targets.c.serial).where(is_its).correlate(devices))
    is_live = exists(select(deployments.c.id).where(last.scalar_subquery() == yardstick.deployment))
    unfinished = or_(not_(is_live), not_(has_executed(yardstick.commit, by_sent=yardstick.by_sent)))
    return and_(unfinished, counted)


def _serials(measured: Measured, condition: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(targets.c.serial).select_from(_HELD).where(measured.condition, condition).correlate(None)


def kept(connection: Connection, numbers: Iterable[int]) -> Mapping[int, Any]:
    """Return what is kept of the deployments of these *numbers*, of those that were measured."""
    statement = select(convergences).where(convergences.c.deployment.in_(list(numbers)))
    return {row.deployment: row for row in connection.execute(statement)}


def _finished(row: Any, at: datetime) -> Convergence:
    counts = {name: getattr(row, name) for name in _COUNTS}
    lasted = max(0.0, (row.ended - at).total_seconds())
    return Convergence(row.deployment, **counts, seconds=_kept_times(row), lasted=lasted, ended=row.ended)


def convergence(
    connection: Connection, measured: Measured, figures: Mapping[str, Any], row: Any, now: datetime
) -> Convergence:
    """Return the deployment that is live in numbers, of which *figures* were counted and a *row* is kept."""
    seconds = _times(connection, measured, figures, row)
    lasted = max(0.0, (now - measured.since).total_seconds())
    return Convergence(measured.id, **figures, seconds=seconds, lasted=lasted)


def _counted(connection: Connection, measured: Measured) -> dict[str, Any]:
    """Count what the devices have reached, all in one pass."""
    statement = select(*measured.numbers()).select_from(measured.fleet).where(is_let_in())
    return measured.figures(connection.execute(statement).one())


def _times(
    connection: Connection, measured: Measured, figures: Mapping[str, Any], row: Any
) -> tuple[float | None, ...]:
    """Return after how many seconds each part of the devices had confirmed, None where that has yet to come."""
    return tuple(
        _time(connection, measured, needed(percent, figures["counted"]), figures["confirmed"])
        if known is None
        else known
        for percent, known in zip(QUORUMS, _kept_times(row), strict=True)
    )


def _kept_times(row: Any) -> tuple[float | None, ...]:
    return tuple(getattr(row, name) for name in _TIMES)


def _time(connection: Connection, measured: Measured, wanted: int, confirmed: int) -> float | None:
    if confirmed < wanted:
        return None
    at = executed_at(measured.commit)
    of_them = and_(measured.condition, measured.reached()["confirmed"])
    ordered = select(at).select_from(_COUNTED).where(of_them).order_by(at.asc().nulls_first())
    moment = connection.scalar(ordered.offset(wanted - 1).limit(1))
    return 0.0 if moment is None else max(0.0, (moment - measured.since).total_seconds())


def _finish(connection: Connection, ended: Deployment, at: datetime) -> None:
    """Keep how a deployment stands that has *ended* at the time *at*, and which devices have not confirmed it."""
    row = kept(connection, [ended.id]).get(ended.id)
    if row is None or row.ended is not None:
        return
    measured = Measured(ended.id, ended.commit, ended.at, row.by_sent, backups=row.backups)
    figures = _counted(connection, measured)
    times = dict(zip(_TIMES, _times(connection, measured, figures, row), strict=True))
    of_it = convergences.c.deployment == ended.id
    connection.execute(update(convergences).where(of_it).values({**figures, **times, "ended": at}))
    confirmed = _serials(measured, measured.reached()["confirmed"])
    gone = and_(targets.c.deployment == ended.id, targets.c.serial.in_(confirmed))
    connection.execute(delete(targets).where(or_(gone, targets.c.deployment <= ended.id - _KEPT)))
