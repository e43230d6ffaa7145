"""Every certificate that was signed for a device, and what became of it: written with the roll-out and the audit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cryptography import x509
from sqlalchemy import func, select, update

from gitupd.core.caller import Serial
from gitupd.store.audit import append, append_several
from gitupd.store.database import dialect_insert, storable
from gitupd.store.tables import issued

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.certificates.rollouts import RolloutRecord, Rollouts
    from gitupd.store.database import Database

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate that was signed for a device.

    ``number`` is its serial number in hexadecimal digits, ``issuer`` the SHA-256 of the certificate of the site's own
    authority that has signed it, empty if another one has. ``who`` had it signed, by ``signer``, and ``why`` says on
    what grounds. ``revoked`` is None if it was not.
    """

    number: str
    issuer: str
    serial: Serial
    request: str
    certificate: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    at: datetime
    who: str
    signer: str
    why: str
    revoked: datetime | None = None
    revoked_by: str = ""
    revoked_reason: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """A certificate that was signed for the request of a device, and is to be written down.

    ``chain`` is it and what goes along (DER), ``request`` what it was signed for (DER); *event* goes into the audit.
    ``spent`` is what was signed for the same request long ago, and is known by another digest from now on.
    """

    certificate: IssuedCertificate
    chain: tuple[bytes, ...] = field(repr=False)
    request: bytes = field(repr=False)
    event: Event
    spent: IssuedCertificate | None = None


class IssuedCertificates:
    """The certificates that a site has signed."""

    def __init__(self, database: Database, rollouts: Rollouts) -> None:
        """Keep them in *database*; *rollouts* go on with them."""
        self._database, self._rollouts = database, rollouts
        self._insert = dialect_insert(issued, database.dialect).on_conflict_do_nothing(index_elements=["request"])

    def complete(self, completions: Sequence[Completion], now: datetime) -> list[Serial]:
        """Write down what was signed, with its roll-outs and the audit, in one transaction; return whose was.

        Left out are devices that have another request by now, or a certificate for it, or whose request was rejected.
        """
        by_serial = {each.certificate.serial: each for each in completions}

        def answered(record: RolloutRecord) -> RolloutRecord | None:
            completion = by_serial[record.serial]
            if record.rollout.request != completion.request or not record.is_waiting:
                return None
            signed = record.rollout.answered(completion.chain, completion.certificate.signer, now)
            return replace(record, rollout=signed)

        with self._database.connection() as connection:
            changed = self._rollouts.change_several_within(connection, by_serial, answered)
            done = [each for each in by_serial.values() if each.certificate.serial in changed]
            for spent in (each.spent for each in done if each.spent is not None):
                same = (issued.c.number == spent.number, issued.c.issuer == spent.issuer)
                digest = digest_of(f"{spent.request} {spent.number}".encode())
                connection.execute(update(issued).where(*same).values(request=digest))
            if done:
                connection.execute(self._insert, [_row(each.certificate) for each in done])
                append_several(connection, [each.event for each in done])
        return [each.certificate.serial for each in done]

    def for_requests(self, requests: Iterable[bytes]) -> dict[str, IssuedCertificate]:
        """Return what was signed for *requests* (DER), by their digests."""
        found = self._where(issued.c.request.in_([digest_of(request) for request in requests]))
        return {each.request: each for each in found}

    def of(self, serial: Serial, limit: int | None = None) -> list[IssuedCertificate]:
        """Return what was signed for a device, the latest first."""
        return self._where(issued.c.serial == serial.digits, limit=limit)

    def numbered(self, number: str) -> IssuedCertificate | None:
        """Return the certificate of the site's own with that serial *number*, in hexadecimal digits; None for none."""
        digits = number.replace(":", "").lower().removeprefix("0x").lstrip("0")
        found = self._where(issued.c.number == digits, issued.c.issuer != "", limit=1)
        return found[0] if found else None

    def latest(self, limit: int, offset: int = 0) -> list[IssuedCertificate]:
        """Return what was signed last, the latest first."""
        return self._where(limit=limit, offset=offset)

    def count(self) -> int:
        """Return how many certificates were signed."""
        return self._count()

    def count_current(self, now: datetime) -> int:
        """Return how many certificates are neither expired nor revoked."""
        return self._count(issued.c.not_after >= now, issued.c.revoked.is_(None))

    def count_since(self, at: datetime, who: str | None = None) -> int:
        """Return how many certificates were signed since then, by request of *who*, None for anybody."""
        return self._count(issued.c.at >= at, *([] if who is None else [issued.c.who == who]))

    def count_revoked(self) -> int:
        """Return how many certificates were revoked."""
        return self._count(issued.c.revoked.is_not(None))

    def revoked(self, issuer: str, ended: datetime) -> list[IssuedCertificate]:
        """Return what *issuer* has revoked, but for what had *ended* before then: that counts nowhere."""
        with self._database.connection() as connection:
            return self.revoked_within(connection, issuer, ended)

    def revoked_within(self, connection: Connection, issuer: str, ended: datetime) -> list[IssuedCertificate]:
        """Return the same as a transaction sees it."""
        conditions = (issued.c.issuer == issuer, issued.c.revoked.is_not(None), issued.c.not_after >= ended)
        statement = select(issued).where(*conditions).order_by(issued.c.revoked, issued.c.id)
        return [_certificate(row) for row in connection.execute(statement)]

    def revoke_within(
        self, connection: Connection, certificates: Sequence[IssuedCertificate], reason: str, event: Event
    ) -> None:
        """Note within a transaction that *certificates* are revoked, each with an entry like *event*.

        Devices that have no later one get none before somebody has them start over.
        """
        values = {"revoked": event.at, "revoked_by": event.who, "revoked_reason": storable(reason)[:_LONGEST]}
        done = []
        for each in certificates:
            same = (issued.c.number == each.number, issued.c.issuer == each.issuer, issued.c.revoked.is_(None))
            if not connection.execute(update(issued).where(*same).values(values)).rowcount:
                continue  # somebody else was faster
            done.append(each)
            append(connection, replace(event, subject=str(each.serial), detail=f"{each.number}: {reason}"))
        for serial, since in _latest(done).items():
            others = (issued.c.serial == serial.digits, issued.c.not_before > since, issued.c.not_after >= event.at)
            later = select(issued.c.id).where(*others, issued.c.revoked.is_(None)).limit(1)
            if connection.execute(later).first() is None:
                said = f"its certificate was revoked ({reason})"
                self._rollouts.revoke_within(connection, serial, since, said, event.at)

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        with self._database.connection() as connection:
            return int(connection.scalar(select(func.count()).select_from(issued).where(*conditions)) or 0)

    def _where(
        self, *conditions: ColumnElement[bool], limit: int | None = None, offset: int = 0
    ) -> list[IssuedCertificate]:
        statement = select(issued).where(*conditions).order_by(issued.c.id.desc()).limit(limit).offset(offset)
        with self._database.connection() as connection:
            return [_certificate(row) for row in connection.execute(statement)]


def _latest(certificates: Iterable[IssuedCertificate]) -> dict[Serial, datetime]:
    """Return from when the latest of each device's is valid."""
    latest: dict[Serial, datetime] = {}
    for each in certificates:
        latest[each.serial] = max(each.not_before, latest.get(each.serial, each.not_before))
    return latest


def issued_certificate(
    serial: Serial, request: bytes, certificate: bytes, at: datetime, **said: str
) -> IssuedCertificate:
    """Return the entry for a *certificate* (DER) that was signed for a *request*; *said* are its further texts."""
    made = x509.load_der_x509_certificate(certificate)
    entry = IssuedCertificate(
        number=f"{made.serial_number:x}",
        issuer="",
        serial=serial,
        request=digest_of(request),
        certificate=certificate,
        not_before=made.not_valid_before_utc,
        not_after=made.not_valid_after_utc,
        at=at,
        who="",
        signer="",
        why="",
    )
    return replace(entry, **said)  # type: ignore[arg-type] # names of texts


def digest_of(request: bytes) -> str:
    """Return by what a request is known."""
    return hashlib.sha256(request).hexdigest()


def _row(entry: IssuedCertificate) -> dict[str, Any]:
    return {
        "number": entry.number,
        "issuer": entry.issuer,
        "serial": entry.serial.digits,
        "request": entry.request,
        "certificate": entry.certificate,
        "not_before": entry.not_before,
        "not_after": entry.not_after,
        "at": entry.at,
        "who": storable(entry.who)[:_LONGEST],
        "signer": storable(entry.signer)[:_LONGEST],
        "why": storable(entry.why)[:_LONGEST],
        "revoked": entry.revoked,
        "revoked_by": entry.revoked_by,
        "revoked_reason": entry.revoked_reason,
    }


def _certificate(row: Any) -> IssuedCertificate:
    return IssuedCertificate(
        number=row.number,
        issuer=row.issuer,
        serial=Serial(row.serial),
        request=row.request,
        certificate=row.certificate,
        not_before=row.not_before,
        not_after=row.not_after,
        at=row.at,
        who=row.who,
        signer=row.signer,
        why=row.why,
        revoked=row.revoked,
        revoked_by=row.revoked_by,
        revoked_reason=row.revoked_reason,
    )
