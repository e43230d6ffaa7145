"""Deployments in numbers, read by SQL, held against the rules in memory; in SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from gitupd.core.admission.admittance import Admittance
from gitupd.core.backups.change import Fingerprint
from gitupd.core.caller import Serial
from gitupd.core.deployments.convergence import WORDS, Assessment, Convergence, Force, Holding, needed, progress
from gitupd.core.device import Device
from gitupd.core.people.audit import Event, Kind
from gitupd.core.policy import Backup, Policy
from gitupd.core.search import Search, parse_search
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import Yardstick
from gitupd.store.backups.inbox import BackupInbox, Incoming
from gitupd.store.backups.timeline import BackupTimeline
from gitupd.store.convergence.drifts import DriftedOption, Drifts
from gitupd.store.convergence.measures import Convergences
from gitupd.store.convergence.tables import held, targets
from gitupd.store.deployments import Deployments
from gitupd.store.fleet import FleetTable
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.store.database import Database

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
NOW = NOON + timedelta(hours=1)
OLD, LIVE, NEXT = (CommitId(letter * 40) for letter in "bac")
POLICY = Policy(backup=Backup(enabled=True))
BEFORE = NOON - timedelta(days=1)


def deploy(database: Database, commit: CommitId, at: datetime = NOON, policy: Policy = POLICY) -> Deployment:
    yardstick = Yardstick.of(policy, commit, at)
    return Deployments(database).add(commit, Event(at, "ada", Kind.DEPLOY), kind="deploy", yardstick=yardstick)


def yardstick_of(deployed: Deployment, now: datetime = NOW, policy: Policy = POLICY) -> Yardstick:
    return Yardstick.of(policy, deployed.commit, now, deployed)


def some_device(number: int, chance: Random) -> Device:
    """Return a device in whatever state it may be an hour after a deployment at noon."""

    def moment() -> datetime | None:
        return chance.choice([None, BEFORE, NOON, NOON + timedelta(minutes=chance.randrange(1, 5))])

    return Device(
        Serial(f"0090330000{number:02x}"), first_seen=BEFORE, last_seen=moment() or BEFORE,
        sent=chance.choice([None, OLD, LIVE]), sent_at=moment(), confirmed=chance.choice([None, OLD, LIVE, LIVE]),
        confirmed_at=moment(), settled=chance.random() < 0.5,
        admission=chance.choice([None, Admittance.KNOWN, Admittance.QUARANTINED]),
    )  # fmt: skip


def hold(database: Database, device: Device, chance: Random) -> Assessment | None:
    """Remember how a backup of *device* was judged, or not; return it."""
    if chance.random() < 0.2:
        return None
    seen = chance.choice([None, BEFORE, NOON + timedelta(minutes=10)])
    sent_at = chance.choice([device.sent_at, device.sent_at, NOON + timedelta(hours=2)])
    judged = Assessment(
        chance.choice([OLD, LIVE, LIVE]), sent_at, chance.choice(list(Force)), (("M", "/o", "different"),), seen
    )
    values = {"serial": device.serial.digits, "commit": judged.commit, "sent_at": judged.sent_at}
    with database.connection() as connection:
        connection.execute(
            insert(held).values(fingerprint="f", found=judged.found.value, off=[["M", "/o", "different"]], **values)
        )
    if seen is not None:
        upload = Incoming(device.serial.digits, device.serial, seen, Fingerprint("f" * 64), 9, {}, b"x")
        BackupInbox(database).save([upload])
    return judged


@pytest.mark.parametrize("by_sent", [False, True])
@pytest.mark.parametrize("backups", [False, True])
def test_figures_searches_and_rules_agree_on_every_device(database: Database, *, by_sent: bool, backups: bool) -> None:
    chance, inventory = Random(7), Inventory(database)
    devices = [some_device(number, chance) for number in range(200)]
    inventory.save_sightings(replace(each, last_seen=BEFORE, admission=None) for each in devices)
    deployed = deploy(database, LIVE)
    inventory.save_sightings(devices)
    judged = {each.serial: hold(database, each, chance) for each in devices}
    yardstick = replace(yardstick_of(deployed), by_sent=by_sent, backups=backups)
    stored = inventory.devices()
    expected: Counter[str] = Counter(counted=len(stored))
    serials: dict[str, set[Serial]] = {word: set() for word in WORDS}
    for device in stored:
        reached = progress(device, yardstick, None, judged[device.serial])
        assert reached is not None
        serials["counted"].add(device.serial)
        for word in ("asked", "delivered", "confirmed", "unchanged", "silent"):
            if getattr(reached, word):
                serials[word].add(device.serial)
        if not reached.confirmed:
            serials["unconfirmed"].add(device.serial)
        else:
            serials[(reached.force or Force.UNTOLD).value.replace(" ", "-")].add(device.serial)
    table = FleetTable(database)
    for word in WORDS:
        found = set(table.serials(parse_search(f"deployment:{word}"), yardstick))
        assert found == serials[word], word
        assert found or word in ("later", *(() if backups else ("in-force", "drifted"))), f"{word} shows nothing"
    of_all = {"yes": "drifted", "no": "in-force", '"m /o"': "drifted"}
    for value, word in of_all.items():
        assert set(table.serials(parse_search(f"drift:{value}"), yardstick)) == serials[word], value
    assert table.serials(parse_search('drift:"m /other"'), yardstick) == []
    unknown = {each.serial for each in stored} - serials["drifted"] - serials["in-force"]
    assert set(table.serials(parse_search("drift:unknown"), yardstick)) == unknown
    drifts = Drifts(database)
    drift = drifts.figures(Search(), yardstick)
    uploaded = {serial for serial, each in judged.items() if each is not None and each.seen is not None}
    assert (drift.drifted, drift.in_force) == (len(serials["drifted"]), len(serials["in-force"] & uploaded))
    assert {each.serial for each in drifts.listed(Search(), yardstick, 1_000)} == serials["drifted"]
    wanted_options = [DriftedOption("M", "/o", "different", len(serials["drifted"]))] if serials["drifted"] else []
    assert drifts.options(Search(), yardstick) == wanted_options
    figures = Convergences(database).of([deployed], yardstick)[deployed.id]
    assert figures == Convergence(
        deployed.id,
        **{word: len(serials[word]) for word in ("counted", "asked", "delivered", "confirmed", "unchanged")},
        silent=len(serials["silent"]), later=0,
        in_force=len(serials["in-force"]) if backups else None, drifted=len(serials["drifted"]) if backups else None,
        seconds=figures.seconds, lasted=3600.0,
    )  # fmt: skip
    assert expected["counted"] == figures.counted
    at = sorted(_executed_at(each, yardstick) for each in stored if yardstick.has_executed(each))
    for percent, seconds in zip((50, 90, 99), figures.seconds, strict=True):
        wanted = needed(percent, figures.counted)
        assert seconds == (at[wanted - 1] if wanted <= len(at) else None)


def _executed_at(device: Device, yardstick: Yardstick) -> float:
    assert yardstick.commit is not None
    at = device.confirmed_at if device.has_confirmed(yardstick.commit) else device.sent_at
    return max(0.0, ((at or NOON) - NOON).total_seconds())


def device(number: int, **more: object) -> Device:
    return Device(Serial(f"0090330000{number:02x}"), **({"first_seen": BEFORE, "last_seen": BEFORE} | more))  # type: ignore[arg-type]  # fields by name


def confirm(database: Database, *numbers: int, commit: CommitId = LIVE, at: datetime = NOON) -> None:
    """Have devices poll twice: they are sent a commit, and have executed it half a minute later."""
    half = timedelta(seconds=30)
    polled = {"first_seen": BEFORE, "sent": commit, "sent_at": at, "last_seen": at + half}
    Inventory(database).save_sightings(
        Device(Serial(f"0090330000{number:02x}"), settled=True, confirmed=commit, confirmed_at=at + half, **polled)
        for number in numbers
    )


def test_a_deployment_keeps_its_figures_when_the_next_one_comes_and_devices_go(database: Database) -> None:
    inventory, convergences, table = Inventory(database), Convergences(database), FleetTable(database)
    inventory.save_sightings(device(number) for number in range(10))
    first = deploy(database, LIVE)
    confirm(database, *range(6), at=NOON + timedelta(seconds=30))
    inventory.save_sightings(
        [device(6, last_seen=NOON + timedelta(seconds=5)), device(77, first_seen=NOON, last_seen=NOON)]
    )
    at_the_end = convergences.of([first], yardstick_of(first, NOON + timedelta(minutes=10)))[first.id]
    second = deploy(database, NEXT, NOON + timedelta(minutes=10))
    confirm(database, *range(10), commit=NEXT, at=NOON + timedelta(minutes=11))
    inventory.forget([Serial(f"0090330000{number:02x}") for number in range(8)], Event(NOW, "ada", Kind.DEVICE_FORGET))
    figures = convergences.of([first, second], yardstick_of(second))
    assert figures[first.id] == replace(at_the_end, ended=NOON + timedelta(minutes=10))
    assert (at_the_end.counted, at_the_end.asked, at_the_end.confirmed, at_the_end.silent) == (10, 7, 6, 3)
    assert (at_the_end.later, at_the_end.seconds) == (1, (60.0, None, None))
    assert (figures[second.id].counted, figures[second.id].confirmed) == (3, 2)
    # Those that never confirmed the first one are known, as far as they are not forgotten.
    found = table.serials(parse_search(f"never:{LIVE[:8]}"), yardstick_of(second))
    assert sorted(each.digits[-2:] for each in found) == ["08", "09"]
    assert table.serials(parse_search("never:ffff"), yardstick_of(second)) == []


def test_those_that_never_confirmed_what_is_live(database: Database) -> None:
    Inventory(database).save_sightings(device(number) for number in range(4))
    deployed = deploy(database, LIVE)
    confirm(database, 0, 1)
    found = FleetTable(database).serials(parse_search(f"never:{LIVE}"), yardstick_of(deployed))
    assert sorted(each.digits[-2:] for each in found) == ["02", "03"]
    unconfirmed = parse_search("deployment:unconfirmed")
    assert set(found) == set(FleetTable(database).serials(unconfirmed, yardstick_of(deployed)))
    others = FleetTable(database).serials(parse_search(f"-never:{LIVE}"), yardstick_of(deployed))
    assert sorted(each.digits[-2:] for each in others) == ["00", "01"]


def test_backups_of_those_that_never_confirmed_what_is_live(database: Database) -> None:
    Inventory(database).save_sightings(device(number) for number in range(4))
    deployed = deploy(database, LIVE)
    confirm(database, 0)
    serials = [Serial(f"0090330000{number:02x}") for number in range(2)]
    for serial in serials:
        BackupInbox(database).save([Incoming(serial.digits, serial, NOW, Fingerprint("f" * 64), 9, {}, b"x")])
    never, yardstick = parse_search(f"never:{LIVE}"), yardstick_of(deployed)
    assert Drifts(database).figures(never, yardstick).uploaded == 1
    assert BackupTimeline(database).kept(9, of=(never, yardstick)) == []


def test_who_was_missing_or_not_let_in_does_not_count_and_comes_later(database: Database) -> None:
    inventory = Inventory(database)
    long_ago = NOON - timedelta(days=30)
    inventory.save_sightings(
        [device(1), device(2, last_seen=long_ago), device(3, admission=Admittance.REFUSED), device(4, first_seen=NOW)]
    )
    deployed = deploy(database, LIVE)
    figures = Convergences(database).of([deployed], yardstick_of(deployed))[deployed.id]
    assert (figures.counted, figures.later) == (1, 0)
    inventory.save_sightings([device(2, last_seen=NOW), device(5, first_seen=NOW, last_seen=NOW)])
    figures = Convergences(database).of([deployed], yardstick_of(deployed))[deployed.id]
    assert (figures.counted, figures.later) == (1, 2)
    later = FleetTable(database).serials(parse_search("deployment:later"), yardstick_of(deployed))
    assert sorted(each.digits[-2:] for each in later) == ["02", "05"]


def test_who_is_let_count_as_seen_has_not_asked(database: Database) -> None:
    inventory, convergences = Inventory(database), Convergences(database)
    inventory.save_sightings([device(1), device(2)])
    deployed = deploy(database, LIVE)
    both = [Serial("009033000001"), Serial("009033000002")]
    inventory.save_sightings([device(2, last_seen=NOON + timedelta(minutes=1))])
    for minutes in (2, 3):
        inventory.touch(both, Event(NOON + timedelta(minutes=minutes), "ada", Kind.DEVICE_TOUCH))
    figures = convergences.of([deployed], yardstick_of(deployed))[deployed.id]
    assert (figures.asked, figures.silent) == (1, 1), "the second had asked before it was touched"
    assert convergences.touched(deployed.id, both[0]) == (True, NOON + timedelta(minutes=3))
    inventory.save_sightings([device(1, last_seen=NOON + timedelta(minutes=4))])
    assert convergences.of([deployed], yardstick_of(deployed))[deployed.id].asked == 2
    assert convergences.touched(deployed.id, Serial("009033000009")) == (False, None)


def test_times_are_kept_as_soon_as_they_are_reached(database: Database) -> None:
    convergences = Convergences(database)
    Inventory(database).save_sightings(device(number) for number in range(4))
    deployed = deploy(database, LIVE)
    assert not convergences.note_times(yardstick_of(deployed))
    confirm(database, 0, 1)
    assert not convergences.note_times(yardstick_of(deployed))
    Inventory(database).forget([Serial("009033000000")], Event(NOW, "ada", Kind.DEVICE_FORGET))
    assert convergences.of([deployed], yardstick_of(deployed))[deployed.id].seconds == (30.0, None, None)
    confirm(database, 2, 3, at=NOON + timedelta(minutes=1))
    assert convergences.note_times(yardstick_of(deployed))
    assert convergences.of([deployed], yardstick_of(deployed))[deployed.id].seconds == (30.0, 90.0, 90.0)
    assert convergences.note_times(yardstick_of(deployed)), "there is nothing left to wait for"


def test_a_deployment_of_an_earlier_version_is_taken_down_once(database: Database) -> None:
    convergences = Convergences(database)
    Inventory(database).save_sightings([device(1)])
    made = Deployments(database).add(LIVE, Event(NOON, "ada", Kind.DEPLOY), kind="deploy")
    assert convergences.of([made], yardstick_of(made)) == {}
    assert convergences.begin(yardstick_of(made))
    assert not convergences.begin(yardstick_of(made))
    assert convergences.of([made], yardstick_of(made))[made.id].counted == 1
    assert not convergences.begin(Yardstick.of(POLICY, None, NOW)), "nothing is deployed"


def test_of_old_deployments_only_figures_are_kept(database: Database) -> None:
    Inventory(database).save_sightings([device(1)])
    made = [deploy(database, (LIVE, NEXT)[number % 2], NOON + timedelta(minutes=number)) for number in range(33)]
    with closing(database), database.connection() as connection:
        kept = sorted(connection.scalars(select(targets.c.deployment)))
    assert kept == [each.id for each in made[2:]]
    assert len(Convergences(database).of(made, yardstick_of(made[-1]))) == 33


def test_how_many_devices_run_a_commit_and_were_sent_it(database: Database) -> None:
    Inventory(database).save_sightings(
        [
            device(1),
            device(2, sent=LIVE, sent_at=NOON, confirmed=OLD, confirmed_at=BEFORE),
            device(3, sent=OLD, sent_at=BEFORE, confirmed=OLD, confirmed_at=NOON),
            device(4, sent=OLD, sent_at=BEFORE, confirmed=LIVE, confirmed_at=NOON),
        ]
    )
    convergences, table = Convergences(database), FleetTable(database)
    for by_sent, expected in (
        (False, {OLD: Holding(1, 2), LIVE: Holding(1, 1)}),
        (True, {OLD: Holding(2, 2), LIVE: Holding(2, 1)}),
    ):
        assert convergences.holding(by_sent=by_sent) == expected
        yardstick = Yardstick(NOW, None, LIVE, by_sent=by_sent)
        for commit, holding in expected.items():
            assert len(table.serials(parse_search(f"runs:{commit[:7]}"), yardstick)) == holding.runs
            assert len(table.serials(parse_search(f"sent:{commit}"), yardstick)) == holding.sent
    assert len(table.serials(parse_search("deployment:counted"), Yardstick(NOW, None, LIVE))) == 0


def test_a_backup_is_due_until_it_is_held_against_the_script_that_the_device_has(database: Database) -> None:
    convergences, inventory = Convergences(database), Inventory(database)
    inventory.save_sightings(device(number) for number in range(3))
    deployed = deploy(database, LIVE)
    confirm(database, 0, 1, 2)
    serials = [Serial(f"0090330000{number:02x}") for number in range(3)]
    for serial in serials[:2]:
        BackupInbox(database).save([Incoming(serial.digits, serial, NOW, Fingerprint("f" * 64), 9, {}, b"x")])
    yardstick = yardstick_of(deployed)
    assert convergences.due(yardstick, None, 10) == dict.fromkeys(serials[:2], "f" * 64)
    assert list(convergences.due(yardstick, serials[0], 10)) == [serials[1]]
    for _ in range(2):
        convergences.keep({serials[0]: ("f" * 64, Assessment(LIVE, NOON, Force.DRIFTED, (("M", "/o", "different"),)))})
    assert list(convergences.due(yardstick, None, 10)) == [serials[1]]
    assert convergences.held(serials[0]) == Assessment(LIVE, NOON, Force.DRIFTED, (("M", "/o", "different"),), NOW)
    assert convergences.held(serials[1]) is None
    confirm(database, 0, at=NOON + timedelta(minutes=1))  # it was sent another script of the same commit
    assert list(convergences.due(yardstick, None, 10)) == serials[:2]
    inventory.forget(serials, Event(NOW, "ada", Kind.DEVICE_FORGET))
    assert convergences.held(serials[0]) is None
