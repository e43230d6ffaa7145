"""What a site remembers, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import StatementError

from gitupd.core.actions import Deliver, InPhase
from gitupd.core.caller import Origin, Serial, parse_caller
from gitupd.core.device import Device, Message, Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.core.snapshot import CommitId, Snippet
from gitupd.errors import SiteError
from gitupd.store.database import Database
from gitupd.store.deployments import Deployment, Deployments
from gitupd.store.inventory import Inventory
from gitupd.store.masters import MasterAnswer, Masters
from gitupd.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
SUMMER = timezone(timedelta(hours=2))
LATER = NOON + timedelta(minutes=1)
A, B, C = (CommitId(letter * 40) for letter in "abc")
SERIAL = Serial("0090333000af")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.migrate()
    yield opened
    opened.close()


# Migrations


def test_migrations_make_the_tables_that_the_program_knows(database: Database, database_url: str) -> None:
    database.migrate()  # a second time does nothing
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(database: Database, database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SiteError, match=r"from a newer gitupd \(revision 9999\); install that version"):
        database.migrate()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite:////nowhere/gitupd.db",
        "nosuchkind://u:secret@x/y",
        "postgresql+psycopg://u:secret@127.0.0.1:1/x",
        "postgresql+psycopg://127.0.0.1:1/x?password=secret",
        "u:secret@host/x",
    ],
)
def test_a_database_that_can_not_be_used(url: str) -> None:
    with pytest.raises(SiteError, match="can't be used") as caught:
        Database(url).migrate()
    assert "secret" not in str(caught.value)


# Deployments


def test_deployments_are_appended(database: Database) -> None:
    assert (Deployments(database).live(), Deployments(database).latest()) == (None, [])
    first = Deployments(database).add(A, at=NOON, who="ada", kind="deploy")
    second = Deployments(database).add(B, at=LATER, who="gitupd", kind="automatic", reason="grüße")
    assert first == Deployment(first.id, A, NOON, "ada", "deploy", None, "")
    assert second == Deployment(first.id + 1, B, LATER, "gitupd", "automatic", A, "grüße")
    assert Deployments(database).live() == second
    assert Deployments(database).latest() == [second, first]
    assert Deployments(database).latest(limit=1) == [second]
    assert [Deployments(database).was_deployed(each) for each in (A, B, C)] == [True, True, False]


def test_what_is_replaced_can_be_blocked_until_that_is_lifted(database: Database) -> None:
    Deployments(database).add(A, at=NOON, who="ada", kind="deploy", block_replaced=True)
    assert Deployments(database).blocked() == {}
    Deployments(database).add(B, at=NOON, who="ada", kind="deploy")
    Deployments(database).add(A, at=LATER, who="ada", kind="rollback", reason="phones ring", block_replaced=True)
    Deployments(database).add(A, at=LATER, who="ada", kind="rollback", block_replaced=True)
    assert Deployments(database).blocked() == {B: "phones ring"}
    Deployments(database).add(B, at=LATER, who="ada", kind="deploy")
    Deployments(database).add(A, at=LATER, who="bob", kind="rollback", reason="again", block_replaced=True)
    assert Deployments(database).blocked() == {B: "again"}
    Deployments(database).unblock(C)
    Deployments(database).unblock(B)
    assert Deployments(database).blocked() == {}


# Times


def test_times_come_back_aware_and_as_they_were_meant(database: Database) -> None:
    Deployments(database).add(A, at=datetime(2024, 7, 1, 14, 30, 1, 500_000, SUMMER), who="ada", kind="deploy")
    live = Deployments(database).live()
    assert live is not None
    assert live.at == datetime(2024, 7, 1, 12, 30, 1, 500_000, UTC)
    assert live.at.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises((SiteError, StatementError), match="a time without a zone"):
        Deployments(database).add(A, at=datetime(2024, 7, 1, 12), who="ada", kind="deploy")
    assert Deployments(database).live() is None


# The master device


def test_what_a_master_device_said(database: Database) -> None:
    answer = MasterAnswer("http://10.0.0.1/", "134250", "131286", NOON, NOON)
    Masters(database).save(answer)
    failed = replace(answer, asked_at=LATER, error="can't be reached")
    Masters(database).save(failed)
    never = MasterAnswer("http://10.0.0.2/", None, None, None, NOON, "x")
    Masters(database).save(never)
    assert Masters(database).answers() == {answer.url: failed, never.url: never}


# Devices


def _device() -> Device:
    return Device(
        SERIAL,
        hardware_id="IP222-30-00-af",
        model="IP222",
        address="10.0.0.7",
        own_address="192.168.0.7",
        environments=("berlin", "intranet"),
        classes=("phone", "ip222"),
        phase="update",
        settled=True,
        firmware="134250",
        bootcode="131286",
        firmware_wanted="134300",
        firmware_requested=NOON,
        bootcode_wanted="131300",
        bootcode_requested=NOON,
        check="abc",
        first_seen=NOON,
        last_seen=NOON,
        sent=A,
        sent_at=NOON,
        snippets=("snippets/all-all-all.txt",),
        confirmed=A,
        confirmed_at=NOON,
    )


def test_a_device_comes_back_as_it_was(database: Database) -> None:
    assert Inventory(database).device(SERIAL) is None
    Inventory(database).save_sightings([_device()])
    assert Inventory(database).device(SERIAL) == _device()
    assert Inventory(database).devices() == [_device()]


def test_no_news_keeps_what_was_known(database: Database) -> None:
    Inventory(database).save_sightings([_device()])
    sighting = Device(SERIAL, first_seen=LATER, last_seen=LATER, environments=("default",), phase="staging")
    Inventory(database).save_sightings([sighting])
    assert Inventory(database).device(SERIAL) == replace(
        _device(), last_seen=LATER, environments=("default",), classes=(), phase="staging", settled=False
    )


def test_news_replace_what_was_known(database: Database) -> None:
    Inventory(database).save_sightings([_device()])
    news = replace(
        _device(),
        model="IP232",
        check="def",
        sent=B,
        sent_at=LATER,
        snippets=("a", "b"),
        first_seen=LATER,
        last_seen=LATER,
    )
    Inventory(database).save_sightings([news])
    assert Inventory(database).device(SERIAL) == replace(news, first_seen=NOON)


def test_many_devices_at_once_in_order(database: Database) -> None:
    serials = [Serial(f"00903300{number:04x}") for number in range(500)]
    Inventory(database).save_sightings([replace(_device(), serial=each) for each in reversed(serials)])
    assert [each.serial for each in Inventory(database).devices()] == serials
    Inventory(database).save_sightings([])


def test_messages_are_kept_until_they_are_old(database: Database) -> None:
    told = (Message(NOON, "first"), Message(LATER, "second ü"))
    Inventory(database).save_sightings([replace(_device(), messages=told[:1])])
    Inventory(database).save_sightings([replace(_device(), messages=told[1:])])
    assert Inventory(database).device(SERIAL) == replace(_device(), messages=told)
    assert Inventory(database).devices()[0].messages == ()
    Inventory(database).drop_messages(LATER)
    assert Inventory(database).device(SERIAL) == replace(_device(), messages=told[1:])


def test_bytes_that_are_no_characters_do_not_stop_the_others(database: Database) -> None:
    odd = replace(
        _device(), serial=Serial("00903300000b"), hardware_id="IP\udcff", model="\udce9x", classes=("\udce9x",)
    )
    Inventory(database).save_sightings([odd, replace(_device(), messages=(Message(NOON, "type \udcff"),))])
    stored = Inventory(database).device(odd.serial)
    assert stored is not None
    assert (stored.hardware_id, stored.model, stored.classes) == ("IP?", "?x", ("?x",))
    assert Inventory(database).device(SERIAL) == replace(_device(), messages=(Message(NOON, "type ?"),))


# Identity, and what the inventory concludes from a sighting that meets what is stored


def test_what_a_sighting_changes_is_noticed_in_the_database_as_in_memory(database: Database) -> None:
    inventory = Inventory(database)
    endpoint = Endpoint("http", "upd.example", 8080, "/mtls")
    visits = [
        ("IP222-1", "10.0.0.7", [InPhase("staging", None), Deliver(_snippet())], A, NOON),
        ("IP222-1", "10.0.0.8", [InPhase("update", "staging"), Deliver(_snippet())], B, LATER),
        ("IP111-1", "10.0.0.7", [InPhase("update", "staging")], C, LATER + timedelta(minutes=1)),
        ("", "10.0.0.9", [InPhase("staging", None)], C, LATER + timedelta(minutes=2)),
    ]
    expected = Device(SERIAL)
    for hardware, address, actions, commit, at in visits:
        caller = parse_caller({"sn": str(SERIAL), "hwid": hardware}, endpoint)
        sighting = Device(SERIAL).seen(caller, Recognised(("default",)), Origin(address, "127.0.0.1"), at)
        inventory.save_sightings([sighting.after(actions, commit, at)])
        expected = expected.seen(caller, Recognised(("default",)), Origin(address, "127.0.0.1"), at)
        expected = expected.after(actions, commit, at)
        assert inventory.device(SERIAL) == expected
    assert expected.confirmed == A
    assert expected.address_returned == LATER + timedelta(minutes=1)


def test_a_device_is_touched_and_forgotten_with_all_that_belongs_to_it(database: Database) -> None:
    inventory = Inventory(database)
    inventory.save_sightings([_device()])
    inventory.tell(SERIAL, Message(NOON, "a bad upload"))
    assert inventory.touch([SERIAL, Serial("0" * 12)], LATER) == 1
    assert inventory.device(SERIAL) == replace(_device(), last_seen=LATER, messages=(Message(NOON, "a bad upload"),))
    assert inventory.forget([SERIAL, Serial("0" * 12)]) == 1
    assert inventory.device(SERIAL) is None
    inventory.save_sightings([_device()])
    assert inventory.device(SERIAL) == _device()
    assert inventory.forget_unseen(LATER) == 1
    assert inventory.devices() == []


def _snippet() -> Snippet:
    return Snippet("snippets/all-all-all.txt", "all", "all", "all", b"x\n")
