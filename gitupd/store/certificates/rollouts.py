"""How far the roll-out of a certificate to each device has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, or_, select, update

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import WAITING_FOR_PEOPLE, Approval, Rollout, Stage
from gitupd.store.audit import append
from gitupd.store.database import storable, upsert
from gitupd.store.tables import rollouts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.certificates.rollout import Need
    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_LONGEST = 500
_WAITS = (
    rollouts.c.request.is_not(None),
    rollouts.c.signed_at.is_(None),
    rollouts.c.rejected == "",
    rollouts.c.start_over.is_(False),
)
"""What is so of a request that waits to be signed, or rejected."""


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """A roll-out as it is remembered: at which stage it is since when, and why.

    ``error`` is what the device has said of a failure, empty for nothing. ``expires`` is the first end in the chain
    that it has reported, None if that is not known.
    """

    serial: Serial
    rollout: Rollout
    stage: Stage
    stage_at: datetime
    reason: str
    error: str = ""
    expires: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a request waits to be signed, or rejected."""
        rollout = self.rollout
        return rollout.request is not None and not (rollout.signed or rollout.rejected or rollout.start_over)

    def rejected(self, reason: str, now: datetime) -> RolloutRecord:
        """Return the same once somebody has decided that the device gets none, whatever was wished before."""
        return replace(
            self,
            rollout=replace(self.rollout, rejected=reason, start_over=False),
            stage=Stage.REJECTED,
            stage_at=now,
            reason=f"It gets no certificate: {reason}",
        )

    def ahead(self) -> RolloutRecord:
        """Return the same at the stage that follows from what was uploaded or decided since the device polled last.

        So nobody is told to sign what was signed, and a request waits for people from its upload on.
        """
        rollout = self.rollout
        if rollout.start_over:
            return replace(self, stage=Stage.START_OVER, reason="An operator has its roll-out start over.")
        if self.stage is Stage.SIGNING and rollout.signed_at is not None:
            reason = "It is sent the certificate that was signed when it polls next."
            return replace(self, stage=Stage.INSTALL, stage_at=rollout.signed_at, reason=reason)
        if self.stage is Stage.FETCH and rollout.request_at is not None and not rollout.rejected:
            since = rollout.request_at
            return replace(
                self, stage=Stage.SIGNING, stage_at=since, reason="Its request waits for a signature."
            ).ahead()
        return self


class Rollouts:
    """The roll-outs of a site; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep roll-outs in *database*."""
        self._database = database
        self._save = upsert(rollouts, database.dialect)
        self._of = select(rollouts)

    def of(self, serial: Serial) -> RolloutRecord | None:
        """Return the roll-out to a device, None if nothing is remembered of one."""
        with self._database.connection() as connection:
            return self._read(connection, serial)

    def some(self, serials: Collection[Serial]) -> dict[Serial, RolloutRecord]:
        """Return the roll-outs to devices, as far as something is remembered of them."""
        statement = self._of.where(rollouts.c.serial.in_([serial.digits for serial in serials]))
        with self._database.connection() as connection:
            records = [record_in(row) for row in connection.execute(statement)]
        return {record.serial: record for record in records}

    def note(
        self, serial: Serial, need: Need, now: datetime, expires: datetime | None, before: RolloutRecord | None
    ) -> None:
        """Remember that a device was answered as *need* says; nothing is written if that changes nothing of *before*.

        What changed meanwhile by an upload or an operator is kept.
        """
        if (
            before
            and _same(before, need, expires)
            and before.rollout.after(need.stage, now, need.names) == before.rollout
        ):
            return
        with self._database.connection() as connection:
            record = self._locked(connection, serial)
            rollout = (record.rollout if record else Rollout()).after(need.stage, now, need.names)
            since = record.stage_at if record and record.stage is need.stage else now
            error = record.error if record and need.stage is not Stage.GOOD else ""
            self._write(connection, RolloutRecord(serial, rollout, need.stage, since, need.reason, error, expires))

    def change(
        self, serial: Serial, now: datetime, change: Callable[[Rollout], Rollout], event: Event | None = None
    ) -> RolloutRecord:
        """Change the roll-out to a device, and return it; *event* goes into the audit with it."""
        with self._database.connection() as connection:
            record = self._locked(connection, serial) or _new(serial, now)
            changed = replace(record, rollout=change(record.rollout)).ahead()
            self._write(connection, changed)
            if event is not None:
                append(connection, event)
        return changed

    def change_within(
        self, connection: Connection, serial: Serial, change: Callable[[RolloutRecord], RolloutRecord | None]
    ) -> RolloutRecord | None:
        """Change the roll-out to a device within a transaction, and return it.

        Return None if there is none, or if *change* does: nothing is changed then.
        """
        record = self._locked(connection, serial)
        changed = None if record is None else change(record)
        if changed is not None:
            self._write(connection, changed)
        return changed

    def change_several_within(
        self,
        connection: Connection,
        serials: Collection[Serial],
        change: Callable[[RolloutRecord], RolloutRecord | None],
    ) -> set[Serial]:
        """Change the roll-outs to devices as :meth:`change_within` does; return whose were."""
        digits = sorted(serial.digits for serial in serials)
        if not digits:
            return set()
        # SQLite locks all with the first; elsewhere each is locked, in an order that is the same for everybody.
        connection.execute(update(rollouts).where(rollouts.c.serial == digits[0]).values(serial=digits[0]))
        statement = self._of.where(rollouts.c.serial.in_(digits)).order_by(rollouts.c.serial).with_for_update()
        records = [change(record_in(row)) for row in connection.execute(statement)]
        changed = [record for record in records if record is not None]
        if changed:
            connection.execute(self._save, [row_of(record.ahead()) for record in changed])
        return {record.serial for record in changed}

    def reject(self, serials: Iterable[Serial], reason: str, now: datetime, event: Event) -> list[Serial]:
        """Note that requests of devices are not to be signed; return whose, each with an entry like *event*.

        Left out are devices without a request that waits.
        """

        def rejected(record: RolloutRecord) -> RolloutRecord | None:
            return record.rejected(reason, now) if record.is_waiting else None

        done = []
        with self._database.connection() as connection:
            for serial in serials:
                if self.change_within(connection, serial, rejected):
                    append(connection, replace(event, subject=str(serial)))
                    done.append(serial)
        return done

    def revoke_within(
        self, connection: Connection, serial: Serial, since: datetime, reason: str, now: datetime
    ) -> None:
        """Note within a transaction that the certificate of a device was revoked which is valid *since* then.

        The device gets no other one before somebody has it start over.
        """
        record = (self._locked(connection, serial) or _new(serial, now)).rejected(reason, now)
        since = max(since, record.rollout.revoked or since)
        self._write(connection, replace(record, rollout=replace(record.rollout, revoked=since, signed=())))

    def waiting(self, limit: int | None = None) -> list[RolloutRecord]:
        """Return the roll-outs whose request waits to be signed or rejected, the oldest request first."""
        statement = select(rollouts).where(*_WAITS)
        statement = statement.order_by(rollouts.c.request_at, rollouts.c.serial).limit(limit)
        with self._database.connection() as connection:
            return [record_in(row) for row in connection.execute(statement)]

    def undecided(self, after: Serial | None, limit: int, *, approved: bool) -> list[RolloutRecord]:
        """Return roll-outs whose request waits for a decision, in the order of serial numbers, those *after* one.

        Those that are *approved* for an authority elsewhere are among them only if that is asked for. Devices that have
        failed, or are past all that, are left out.
        """
        statement = select(rollouts).where(*_WAITS, rollouts.c.stage.in_([Stage.FETCH, Stage.SIGNING]))
        if not approved:
            statement = statement.where(rollouts.c.approved_at.is_(None))
        if after is not None:
            statement = statement.where(rollouts.c.serial > after.digits)
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(rollouts.c.serial).limit(limit))
            return [record_in(row) for row in rows]

    def approved(self, now: datetime, limit: int) -> list[RolloutRecord]:
        """Return roll-outs whose request is approved, and signed elsewhere as soon as can be, the longest first."""
        due = or_(rollouts.c.next_attempt.is_(None), rollouts.c.next_attempt <= now)
        statement = select(rollouts).where(*_WAITS, rollouts.c.approved_at.is_not(None), due)
        statement = statement.order_by(rollouts.c.attempts, rollouts.c.approved_at, rollouts.c.serial).limit(limit)
        with self._database.connection() as connection:
            return [record_in(row) for row in connection.execute(statement)]

    def count_approved(self, who: str) -> int:
        """Return how many requests *who* has approved that are not signed yet."""
        statement = select(func.count()).select_from(rollouts).where(*_WAITS, rollouts.c.approved_by == who)
        with self._database.connection() as connection:
            return int(connection.scalar(statement.where(rollouts.c.approved_at.is_not(None))) or 0)

    def change_waiting(
        self, record: RolloutRecord, change: Callable[[RolloutRecord], RolloutRecord], event: Event | None = None
    ) -> bool:
        """Change a roll-out while the request that *record* has still waits; return whether it did.

        *event* goes into the audit with it.
        """

        def changed(present: RolloutRecord) -> RolloutRecord | None:
            waits = present.is_waiting and present.rollout.request == record.rollout.request
            return change(present) if waits else None

        with self._database.connection() as connection:
            done = self.change_within(connection, record.serial, changed) is not None
            if done and event is not None:
                append(connection, event)
        return done

    def fail(self, serial: Serial, error: str, now: datetime) -> None:
        """Remember what a device says of a failure; an empty text is none."""
        with self._database.connection() as connection:
            record = self._locked(connection, serial) or _new(serial, now)
            self._write(connection, replace(record, error=error))

    def adopt(self, records: Iterable[RolloutRecord]) -> None:
        """Remember *records* in place of whatever was known of these roll-outs, all of them or none."""
        rows = [row_of(record) for record in sorted(records, key=lambda record: record.serial)]
        with self._database.connection() as connection:
            if rows:
                connection.execute(self._save, rows)

    def at(self, stages: Collection[Stage], limit: int | None = None, offset: int = 0) -> list[RolloutRecord]:
        """Return the roll-outs at one of *stages*: those that wait for people first, of them the longest."""
        statement = select(rollouts).where(rollouts.c.stage.in_(list(stages)))
        waiting = case((rollouts.c.stage.in_(WAITING_FOR_PEOPLE), 0), else_=1)
        statement = statement.order_by(waiting, rollouts.c.stage_at, rollouts.c.serial).limit(limit).offset(offset)
        with self._database.connection() as connection:
            return [record_in(row) for row in connection.execute(statement)]

    def expiring(self, until: datetime, limit: int | None = None) -> list[RolloutRecord]:
        """Return the roll-outs to devices a certificate of which ends before *until*, the first end first."""
        statement = select(rollouts).where(rollouts.c.expires < until).order_by(rollouts.c.expires, rollouts.c.serial)
        with self._database.connection() as connection:
            return [record_in(row) for row in connection.execute(statement.limit(limit))]

    def counts(self) -> Mapping[Stage, int]:
        """Return how many devices are at each stage; stages without any are left out."""
        statement = select(rollouts.c.stage, func.count()).group_by(rollouts.c.stage)
        with self._database.connection() as connection:
            return {Stage(stage): count for stage, count in connection.execute(statement)}

    def _locked(self, connection: Connection, serial: Serial) -> RolloutRecord | None:
        """Return the roll-out to a device, which nobody else changes until the transaction ends."""
        named = rollouts.c.serial == serial.digits
        connection.execute(update(rollouts).where(named).values(serial=serial.digits))
        return self._read(connection, serial)

    def _read(self, connection: Connection, serial: Serial) -> RolloutRecord | None:
        row = connection.execute(self._of.where(rollouts.c.serial == serial.digits)).first()
        return None if row is None else record_in(row)

    def _write(self, connection: Connection, record: RolloutRecord) -> None:
        connection.execute(self._save, [row_of(record.ahead())])


def row_of(record: RolloutRecord) -> dict[str, Any]:
    """Return the row of the table that describes a roll-out."""
    rollout = record.rollout
    return {
        "serial": record.serial.digits,
        "request": rollout.request,
        "request_at": rollout.request_at,
        "signed": [certificate.hex() for certificate in rollout.signed],
        "signed_at": rollout.signed_at,
        "signed_by": rollout.signed_by,
        "asked": rollout.asked,
        "requested": rollout.requested,
        "installed": rollout.installed,
        "installations": rollout.installations,
        "look_again": rollout.look_again,
        "start_over": rollout.start_over,
        "rejected": storable(rollout.rejected)[:_LONGEST],
        "request_address": storable(rollout.request_address)[:_LONGEST],
        "request_proof": rollout.request_proof,
        "revoked": rollout.revoked,
        "told": str(rollout.told or ""),
        "tries": rollout.tries,
        "names": list(rollout.names),
        "verdict": storable(rollout.verdict)[:_LONGEST],
        **_approval_columns(rollout.approval),
        "error": storable(record.error)[:_LONGEST],
        "stage": str(record.stage),
        "stage_at": record.stage_at,
        "reason": storable(record.reason)[:_LONGEST],
        "expires": record.expires,
    }


def _approval_columns(approval: Approval | None) -> dict[str, Any]:
    return {
        "approved_by": storable(approval.by if approval else "")[:_LONGEST],
        "approved_at": approval.at if approval else None,
        "approved_why": storable(approval.why if approval else "")[:_LONGEST],
        "attempts": approval.attempts if approval else 0,
        "next_attempt": approval.again if approval else None,
    }


def _same(record: RolloutRecord, need: Need, expires: datetime | None) -> bool:
    return (record.stage, record.reason, record.expires) == (need.stage, storable(need.reason)[:_LONGEST], expires)


def _new(serial: Serial, now: datetime) -> RolloutRecord:
    return RolloutRecord(serial, Rollout(), Stage.UNKNOWN, now, "")


def record_in(row: Any) -> RolloutRecord:
    """Return the roll-out that a *row* of the table describes."""
    rollout = Rollout(
        row.request,
        row.request_at,
        tuple(bytes.fromhex(digits) for digits in row.signed),
        row.signed_at,
        row.signed_by,
        row.asked,
        row.requested,
        row.installed,
        row.installations,
        row.look_again,
        row.start_over,
        row.rejected,
        row.request_address,
        row.request_proof,
        row.revoked,
        Stage(row.told) if row.told else None,
        row.tries,
        tuple(row.names or ()),
        row.verdict,
        None
        if row.approved_at is None
        else Approval(row.approved_by, row.approved_at, row.approved_why, row.attempts, row.next_attempt),
    )
    return RolloutRecord(
        Serial(row.serial), rollout, Stage(row.stage), row.stage_at, row.reason, row.error, row.expires
    )
