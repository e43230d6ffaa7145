"""One-time codes, of which only hashes are kept, and which devices have used them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, or_, select, update

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.admission.codes import Code
from gitupd.core.caller import Serial
from gitupd.errors import SiteError
from gitupd.store.audit import append
from gitupd.store.strangers import hold
from gitupd.store.tables import admissions, codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.admissions import Admissions
    from gitupd.store.database import Database

MOST_OPEN = 10_000


class Codes:
    """The codes of a site; each call is a transaction of its own."""

    def __init__(self, database: Database, decisions: Admissions) -> None:
        """Keep codes in *database*; who is accepted by one is written down with the *decisions*."""
        self._database, self._decisions = database, decisions

    def add(self, made: Mapping[str, Code], event: Event) -> list[Code]:
        """Add codes, by the hashes of what is shown of them, and return them with their ids.

        Raises SiteError if there are too many already that no device has used.
        """
        with self._database.connection() as connection:
            hold(connection)
            still_open = and_(codes.c.used.is_(None), codes.c.revoked.is_(None), codes.c.expires > event.at)
            count = connection.scalar(select(func.count()).select_from(codes).where(still_open)) or 0
            if count + len(made) > MOST_OPEN:
                raise SiteError(f"there are {count:,} open codes, and {MOST_OPEN:,} at the most; revoke some first")
            added = [
                _code(connection.execute(insert(codes).values(_row(key_hash, code)).returning(codes)).one())
                for key_hash, code in made.items()
            ]
            append(connection, event)
        return added

    def listed(self) -> list[Code]:
        """Return all codes, the latest first."""
        with self._database.connection() as connection:
            return [_code(row) for row in connection.execute(select(codes).order_by(codes.c.id.desc()))]

    def revoke(self, numbers: Sequence[int], event: Event) -> int:
        """Revoke those of *numbers* that no device has used, and return how many; the devices of others stay."""
        unused = and_(codes.c.id.in_(numbers), codes.c.used.is_(None), codes.c.revoked.is_(None))
        with self._database.connection() as connection:
            count = connection.execute(update(codes).where(unused).values(revoked=event.at)).rowcount
            if count:
                append(connection, event)
        return int(count)

    def redeem(self, key_hash: str, serial: Serial, event: Event) -> bool:
        """Accept a device by the code with that hash, and return whether it is accepted.

        A device that shows its code again is answered as before. Whom somebody has refused is not accepted by a code.
        """
        with self._database.connection() as connection:
            row = connection.execute(select(codes).where(codes.c.key_hash == key_hash)).first()
            if row is None:  # the usual case for who guesses: nothing is locked
                return False
            hold(connection)
            code = _code(connection.execute(select(codes).where(codes.c.key_hash == key_hash)).one())
            decision = _decision(connection, serial)
            if code.serial == serial:
                return decision is Decision.ACCEPTED
            if not code.is_open(event.at) or decision is Decision.REFUSED:
                return False
            used = update(codes).where(codes.c.id == code.id).values(used=event.at, serial=serial.digits)
            connection.execute(used)
            told = replace(event, who=f"code {code.id}", detail=f"{code.title}, made by {code.who}")
            self._decisions.decide_within(connection, [serial], Decision.ACCEPTED, Admittance.ACCEPTED, told)
        return True

    def drop(self, before: datetime) -> None:
        """Forget codes that were of no use any more before that: used, revoked or expired."""
        old = or_(codes.c.used < before, codes.c.revoked < before, codes.c.expires < before)
        with self._database.connection() as connection:
            connection.execute(delete(codes).where(old))


def _decision(connection: Connection, serial: Serial) -> Decision | None:
    decided = connection.scalar(select(admissions.c.decision).where(admissions.c.serial == serial.digits))
    return None if decided is None else Decision(decided)


def _row(key_hash: str, code: Code) -> dict[str, Any]:
    said = {"title": code.title, "who": code.who, "created": code.created, "expires": code.expires}
    return {"key_hash": key_hash, **said}


def _code(row: Any) -> Code:
    serial = None if row.serial is None else Serial(row.serial)
    return Code(row.id, row.title, row.who, row.created, row.expires, row.used, serial, row.revoked)
