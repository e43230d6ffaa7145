"""The fleet beside the deployment that is live: figures of one moment; in SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, delete, event

from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import Serial
from gitupd.core.deployments.convergence import Holding
from gitupd.core.device import Device
from gitupd.core.people.audit import Event, Kind
from gitupd.core.policy import Backup, Policy, Status
from gitupd.core.search import Search, parse_search
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import Standings, Yardstick
from gitupd.store.convergence.measures import Convergences
from gitupd.store.convergence.tables import convergences
from gitupd.store.deployments import Deployments
from gitupd.store.fleet import FleetTable
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
BEFORE, NOW = NOON - timedelta(days=1), NOON + timedelta(hours=1)
OLD, LIVE = (CommitId(letter * 40) for letter in "ba")
POLICY = Policy(backup=Backup(enabled=True), status=Status(missing_after=3 * 3600))


def deploy(database: Database, commit: CommitId, at: datetime) -> Deployment:
    yardstick = Yardstick.of(POLICY, commit, at)
    return Deployments(database).add(commit, Event(at, "ada", Kind.DEPLOY), kind="deploy", yardstick=yardstick)


def some_device(number: int, chance: Random) -> Device:
    """Return a device in whatever state it may be an hour after a deployment at noon."""
    moments = (None, BEFORE, NOON, NOON + timedelta(minutes=5))
    return Device(
        Serial(f"0090330000{number:02x}"), first_seen=BEFORE, last_seen=chance.choice(moments) or BEFORE,
        sent=chance.choice([None, OLD, LIVE]), sent_at=chance.choice(moments),
        confirmed=chance.choice([None, OLD, LIVE, LIVE]), confirmed_at=chance.choice(moments),
        settled=chance.random() < 0.5, unknown_environments=("nowhere",) if chance.random() < 0.1 else (),
        admission=chance.choice([None, Admittance.KNOWN, Admittance.QUARANTINED]),
    )  # fmt: skip


@pytest.fixture
def yardstick(database: Database) -> Yardstick:
    """The yardstick of a deployment at noon, for a hundred devices in all states, some of which came later."""
    chance, inventory = Random(7), Inventory(database)
    devices = [some_device(number, chance) for number in range(100)]
    inventory.save_sightings(replace(each, last_seen=BEFORE, admission=None) for each in devices[:60])
    inventory.save_sightings(replace(each, last_seen=NOON, admission=None) for each in devices[60:90])
    deploy(database, OLD, BEFORE)
    deployed = deploy(database, LIVE, NOON)
    inventory.save_sightings(devices)
    return Yardstick.of(POLICY, LIVE, NOW, deployed)


@pytest.mark.parametrize("by_sent", [False, True])
@pytest.mark.parametrize("backups", [False, True])
def test_all_figures_are_those_that_each_search_finds(
    database: Database, yardstick: Yardstick, *, by_sent: bool, backups: bool
) -> None:
    yardstick, table = replace(yardstick, by_sent=by_sent, backups=backups), FleetTable(database)
    found = table.overview(yardstick)

    def count(text: str) -> int:
        return len(table.serials(parse_search(text), yardstick))

    counted = found.standings
    states = (counted.total, counted.present, counted.missing, counted.current, counted.waiting, counted.warned)
    words = ("", "present", "missing", "current", "waiting", "has:warning")
    assert states == tuple(count(text) for text in words)
    assert all(states), "each of them is told of some"
    assert found.holding[LIVE].runs == count(f"runs:{LIVE}") == counted.current + count(f"missing runs:{LIVE}")
    assert found.holding[OLD] == Holding(count(f"runs:{OLD}"), count(f"sent:{OLD}"))
    assert found.holding == Convergences(database).holding(by_sent=by_sent)
    live = found.live
    assert live is not None
    for word in ("counted", "asked", "delivered", "confirmed", "unchanged", "unconfirmed", "silent", "later"):
        assert getattr(live, word) == count(f"deployment:{word}"), word
    assert (live.confirmed, live.later) > (0, 0)
    assert (live.in_force is None) is not backups
    deployed = Deployments(database).live()
    assert deployed is not None
    assert Convergences(database).of([deployed], yardstick) == {deployed.id: live}


def test_devices_are_looked_at_once_so_that_figures_fit_to_each_other(database: Database, yardstick: Yardstick) -> None:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = FleetTable(database).overview(yardstick)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert found.live is not None
    times = [each for each in said if " OFFSET " in each]  # when so many had confirmed is told of those counted before
    looking = [each for each in said if "devices" in each and each not in times]
    assert len(looking) == 1, looking


def test_a_deployment_that_is_not_measured_or_not_there_has_no_figures(
    database: Database, yardstick: Yardstick
) -> None:
    table = FleetTable(database)
    measured = table.overview(yardstick)
    nothing = table.overview(Yardstick.of(POLICY, None, NOW))
    assert nothing.live is None
    assert nothing.standings == replace(measured.standings, current=0)
    with database.connection() as connection:
        connection.execute(delete(convergences))
    assert table.overview(yardstick) == replace(measured, live=None)


def test_a_site_without_devices_has_figures(database: Database) -> None:
    deployed = deploy(database, LIVE, NOON)
    found = FleetTable(database).overview(Yardstick.of(POLICY, LIVE, NOW, deployed))
    assert (found.standings, found.holding) == (Standings(0, 0, 0, 0), {})
    assert found.live is not None
    assert (found.live.counted, found.live.later, found.live.in_force) == (0, 0, 0)
    assert FleetTable(database).standings(Search(), Yardstick.of(POLICY, None, NOW)).total == 0
