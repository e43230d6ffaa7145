"""Whether devices are as their scripts want them, as conditions in SQL: by what the keeper found when they uploaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, cast, false, func, not_, or_, select

from gitupd.core.deployments.convergence import Force
from gitupd.store.convergence.executed import executed_at, has_executed
from gitupd.store.convergence.tables import held
from gitupd.store.tables import backup_heads, devices

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from gitupd.core.snapshot import CommitId
    from gitupd.core.standing import Yardstick

_ESCAPE = "\\"
WITH_HELD = devices.outerjoin(held, held.c.serial == devices.c.serial).outerjoin(
    backup_heads, backup_heads.c.serial == devices.c.serial
)
"""Devices beside what they are held to be, and what they uploaded last."""


def judged(commit: CommitId | None, *, by_sent: bool, backups: bool) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return whether a device is as its script of *commit* wants it, and whether it is not; none of it is ever NULL.

    For rows of devices beside what they are held to be and what they uploaded last.
    """
    if commit is None or not backups:
        return false(), false()
    known = and_(
        func.coalesce(held.c.commit, "") == commit,
        held.c.sent_at.is_not_distinct_from(devices.c.sent_at),
        has_executed(commit, by_sent=by_sent),
    )
    seen = func.coalesce(backup_heads.c.seen > executed_at(commit), backup_heads.c.seen.is_not(None))
    return and_(held.c.found == Force.IN_FORCE.value, known), and_(held.c.found == Force.DRIFTED.value, known, seen)


def is_due(commit: CommitId | None) -> ColumnElement[bool]:
    """Whether what a device has uploaded last is to be held against its script."""
    return or_(
        held.c.serial.is_(None),
        held.c.commit != commit,
        held.c.fingerprint != backup_heads.c.fingerprint,
        held.c.sent_at.is_distinct_from(devices.c.sent_at),
    )


def has_drifted(value: str, yardstick: Yardstick) -> ColumnElement[bool]:
    """Whether a device is otherwise than wanted: ``yes``, ``no`` or ``unknown``, or in an option ``MODULE /OPTION``."""
    in_force, drifted = judged(yardstick.commit, by_sent=yardstick.by_sent, backups=yardstick.backups)
    match value:
        case "yes":
            condition = drifted
        case "no":
            condition = in_force
        case "unknown":
            condition = not_(func.coalesce(or_(in_force, drifted), false()))
        case _:
            condition = and_(drifted, _is_off(value))
    return devices.c.serial.in_(select(devices.c.serial).select_from(WITH_HELD).where(condition).correlate(None))


def _is_off(value: str) -> ColumnElement[bool]:
    module, _, option = value.rpartition(" ")
    written = json.dumps([module, option]).removesuffix("]")
    pattern = written.replace(_ESCAPE, _ESCAPE * 2).replace("%", f"{_ESCAPE}%").replace("_", f"{_ESCAPE}_")
    return func.lower(cast(held.c.off, Text)).like(func.lower(f"%{pattern}, %"), escape=_ESCAPE)
