"""The fleet and the deployment that is live beside each other: one statement tells both, as they are at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, true

from gitupd.core.standing import Standings
from gitupd.store.convergence.figures import Measured, holders, holding_in
from gitupd.store.convergence.measures import convergence, kept
from gitupd.store.searching import in_state
from gitupd.store.strangers import is_let_in
from gitupd.store.tables import devices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Select

    from gitupd.core.deployments.convergence import Convergence, Holding
    from gitupd.core.snapshot import CommitId
    from gitupd.core.standing import Yardstick

_STATES = ("total", "present", "current", "warned")


@dataclass(frozen=True, slots=True)
class Overview:
    """How the devices stand that are let in, and how many of them hold each commit that any holds.

    ``live`` is the deployment that is live in numbers, None if there is none that is measured.
    """

    standings: Standings
    holding: Mapping[CommitId, Holding]
    live: Convergence | None


def overview(connection: Connection, yardstick: Yardstick) -> Overview:
    """Return how the fleet stands, and how far the deployment of *yardstick* has come in it."""
    row = kept(connection, [yardstick.deployment]).get(yardstick.deployment)
    measured = Measured.of(yardstick) if row is not None and row.ended is None else None
    rows = connection.execute(_counting(yardstick, measured)).all()
    one = rows[0]
    return Overview(
        Standings(*(getattr(one, name) for name in _STATES)),
        holding_in((each for each in rows if each.holders), by_sent=yardstick.by_sent),
        convergence(connection, measured, measured.figures(one), row, yardstick.now) if measured else None,
    )


def _counting(yardstick: Yardstick, measured: Measured | None) -> Select[*tuple[Any, ...]]:
    """Select the figures of the fleet and of the deployment *measured*, beside each pair of commits that devices hold.

    It is a row at the least.
    """
    states = [func.count().filter(in_state(name, yardstick)).label(name) for name in _STATES[1:]]
    numbers = measured.numbers() if measured else []
    fleet = measured.fleet if measured else devices
    whole = select(func.count().label("total"), *states, *numbers).select_from(fleet).where(is_let_in()).subquery()
    held = holders().subquery()
    return select(*whole.c, *held.c).select_from(whole.outerjoin(held, true()))
