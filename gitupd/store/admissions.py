"""What people decided on devices: whom to let in, and whom not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Serial
from gitupd.store.audit import append
from gitupd.store.database import upsert
from gitupd.store.stories.events import note_deed
from gitupd.store.tables import admission_changes, admissions, devices

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decided on a device, and when."""

    decision: Decision
    at: datetime
    who: str


class Admissions:
    """The decisions of a site; each call is a transaction of its own, or one for each thousand devices."""

    def __init__(self, database: Database) -> None:
        """Keep decisions in *database*."""
        self._database = database
        self._save = upsert(admissions, database.dialect)

    def decide(self, serials: Iterable[Serial], decision: Decision, verdict: Admittance, event: Event) -> int:
        """Decide on devices, whether they ever called or not; *event* goes into the audit with it. Return how many.

        *verdict* is what those are shown with that have called, until they call again.
        """
        listed, count = sorted(set(serials)), 0
        for first in range(0, len(listed), _AT_ONCE):
            some = listed[first : first + _AT_ONCE]
            with self._database.connection() as connection:
                self.decide_within(connection, some, decision, verdict, event)
            count += len(some)
        return count

    def decide_within(
        self, connection: Connection, serials: list[Serial], decision: Decision, verdict: Admittance, event: Event
    ) -> None:
        """Decide on a few devices within a transaction."""
        number = _next_change(connection)
        same = {"decision": decision.value, "at": event.at, "who": event.who, "change": number}
        connection.execute(self._save, [{"serial": serial.digits, **same} for serial in serials])
        unnamed = or_(devices.c.admission.is_(None), devices.c.admission != Admittance.KNOWN.value)
        concerned = devices.c.serial.in_([serial.digits for serial in serials])
        connection.execute(update(devices).where(concerned, unnamed).values(admission=verdict.value))
        note_deed(connection, [serial.digits for serial in serials], event)
        append(connection, event.about(serials))

    def since(self, change: int) -> tuple[int, dict[str, Decision]]:
        """Return the decisions that came behind *change*, by the digits of serial numbers, and which was the last."""
        later = select(admissions.c.serial, admissions.c.decision, admissions.c.change)
        with self._database.connection() as connection:
            rows = connection.execute(later.where(admissions.c.change > change)).all()
        return max((row.change for row in rows), default=change), {row.serial: Decision(row.decision) for row in rows}

    def on(self, serial: Serial) -> Decided | None:
        """Return what was decided on a device and not withdrawn, None if nothing was."""
        with self._database.connection() as connection:
            row = connection.execute(select(admissions).where(admissions.c.serial == serial.digits)).first()
        if row is None or row.decision == Decision.WITHDRAWN:
            return None
        return Decided(Decision(row.decision), row.at, row.who)

    def standing(self) -> dict[Serial, Decided]:
        """Return what was decided on devices and not withdrawn, by serial number."""
        statement = select(admissions).where(admissions.c.decision != Decision.WITHDRAWN.value)
        with self._database.connection() as connection:
            rows = connection.execute(statement.order_by(admissions.c.serial)).all()
        return {Serial(row.serial): Decided(Decision(row.decision), row.at, row.who) for row in rows}


def _next_change(connection: Connection) -> int:
    """Return the number of a new deed; others wait for its end, so that none is seen before an earlier one."""
    higher = (
        update(admission_changes).values(number=admission_changes.c.number + 1).returning(admission_changes.c.number)
    )
    return int(connection.execute(higher).scalar_one())
