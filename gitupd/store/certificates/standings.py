"""What the certificates of many devices are at: found by the words of a search, and read for a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from gitupd.core.certificates.rollout import Stage
from gitupd.core.certificates.standing import EXPIRED, EXPIRING, SOON, CertificateStanding
from gitupd.store.tables import devices, rollouts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_AT_ONCE = 1_000  # no database takes any number of parameters


def has_certificate(word: str, now: datetime) -> ColumnElement[bool]:
    """Whether the certificate of a device is as *word* says; an empty one finds those of which nothing is known.

    The same rule as that of :meth:`CertificateStanding.meets`.
    """
    known = select(rollouts.c.serial).correlate(None)
    return devices.c.serial.in_(known.where(stands_as(word, now))) if word else devices.c.serial.not_in(known)


def stands_as(word: str, now: datetime) -> ColumnElement[bool]:
    """Whether a roll-out is as *word* says."""
    if word == EXPIRED:
        return rollouts.c.expires < now
    if word == EXPIRING:
        return and_(rollouts.c.expires >= now, rollouts.c.expires < now + SOON)
    return rollouts.c.stage == word


def standings(connection: Connection, digits: Sequence[str]) -> dict[str, CertificateStanding]:
    """Return what the certificates of some devices are at, by the *digits* of their serial numbers."""
    found: dict[str, CertificateStanding] = {}
    columns = rollouts.c
    for first in range(0, len(digits), _AT_ONCE):
        some = columns.serial.in_(digits[first : first + _AT_ONCE])
        for serial, stage, expires in connection.execute(
            select(columns.serial, columns.stage, columns.expires).where(some)
        ):
            found[serial] = CertificateStanding(Stage(stage), expires)
    return found
