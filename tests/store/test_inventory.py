"""What is remembered of devices, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitupd.core.actions import BootcodeRequested, Confirmed, Deliver, FirmwareRequested, InPhase, Warn
from gitupd.core.caller import Origin, Request, Serial, parse_caller
from gitupd.core.device import Device, Message, Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.core.identity import NOT_SHOWN, Certificate, Identity
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId, Snippet
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from gitupd.core.caller import Caller
    from gitupd.store.database import Database


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
A, B, C = (CommitId(letter * 40) for letter in "abc")
SERIAL = Serial("0090333000af")


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


def test_the_first_time_that_a_commit_was_confirmed_is_kept(database: Database) -> None:
    for minutes in range(3):  # as polls say it: of what is remembered, they know nothing
        at = NOON + timedelta(minutes=minutes)
        polled = Device(SERIAL, first_seen=at, last_seen=at, phase="update", settled=True, confirmed=A, confirmed_at=at)
        Inventory(database).save_sightings([polled])
    device = Inventory(database).device(SERIAL)
    assert device is not None
    assert (device.confirmed, device.confirmed_at, device.last_seen) == (A, NOON, NOON + timedelta(minutes=2))
    Inventory(database).save_sightings([replace(device, confirmed=B, confirmed_at=device.last_seen)])
    device = Inventory(database).device(SERIAL)
    assert device is not None
    assert (device.confirmed, device.confirmed_at) == (B, NOON + timedelta(minutes=2))


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
    assert inventory.touch([SERIAL, Serial("0" * 12)], Event(LATER, "ada", Kind.DEVICE_TOUCH)) == 1
    assert inventory.device(SERIAL) == replace(_device(), last_seen=LATER, messages=(Message(NOON, "a bad upload"),))
    assert inventory.forget([SERIAL, Serial("0" * 12)], Event(LATER, "ada", Kind.DEVICE_FORGET)) == 1
    assert inventory.device(SERIAL) is None
    inventory.save_sightings([_device()])
    assert inventory.device(SERIAL) == _device()
    assert inventory.forget_unseen(LATER) == 1
    assert inventory.devices() == []


def _snippet() -> Snippet:
    return Snippet("snippets/all-all-all.txt", "all", "all", "all", b"x\n")


_PLACE = Endpoint("http", "upd.example", 80)
_SNIPPET = Snippet("snippets/all-all-all.txt", "all", "all", "all", b"config write\n")


def _known(key: str, *, trusted: bool = True) -> Identity:
    shown = Certificate("IP222-1", "CA", NOON, LATER, key, key, ("client authentication",))
    return Identity(is_trusted=trusted, reason="because", certificate=shown, path=(shown,))


_FACTS = st.sampled_from(
    [
        (InPhase("staging", None), FirmwareRequested("1")),
        (InPhase("update", "staging"), BootcodeRequested("2")),
        (InPhase("update", "staging"), Confirmed("c")),
        (InPhase("staging", None), Deliver(_SNIPPET)),
        (InPhase("update", "staging"), Deliver(_SNIPPET)),
        (InPhase("update", "staging"),),
        (),  # as when only its update URL is completed
        (Warn("careful"),),
    ]
)
_POLLS = st.builds(
    lambda arguments, origin, facts, commit, environments, identity: (
        parse_caller({"sn": str(SERIAL), **arguments}, _PLACE),
        Origin(*origin),
        SimpleNamespace(facts=facts, commit=commit, recognised=Recognised(environments, (), ("phone",))),
        identity,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "hwid": st.sampled_from(["h1", "h2"]),
            "type": st.sampled_from(["IP222", "IP232"]),
            "ip": st.sampled_from(["i1", "i2"]),
            "PROT": st.sampled_from(["1", "2"]),
            "CHECK": st.just("c"),
        },
    ),
    st.tuples(st.sampled_from(["a1", "a2", "a3", None]), st.sampled_from(["p", None])),
    _FACTS,
    st.sampled_from([A, B]),
    st.sampled_from([("berlin",), ()]),
    st.sampled_from([NOT_SHOWN, _known("k1"), _known("k2"), _known("k3"), _known("k4", trusted=False)]),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(_POLLS, min_size=1, max_size=6))
def test_what_a_poll_changes_is_the_same_in_values_and_in_the_database(
    database: Database, polls: list[tuple[Caller, Origin, Any, Identity]]
) -> None:
    inventory = Inventory(database)
    inventory.forget([SERIAL], Event(NOON, "ada", Kind.DEVICE_FORGET))
    remembered = Device(SERIAL)
    for number, (caller, origin, answer, identity) in enumerate(polls):
        at = NOON + timedelta(minutes=number)
        remembered = remembered.polled(caller, origin, answer, at, identity)
        inventory.save_sightings([Device(SERIAL).polled(caller, origin, answer, at, identity)])
    assert inventory.device(SERIAL) == replace(remembered, messages=inventory.device(SERIAL).messages)


def test_what_the_last_polls_said_is_read_for_all_devices_or_for_some(database: Database) -> None:
    inventory = Inventory(database)
    request = Request({"sn": str(SERIAL), "env": "berlin"}, Endpoint("http", "upd.example", 80))
    silent = Device(Serial("0090333000b0"), model="IP111", last_seen=NOON, first_seen=NOON)
    asking = replace(_device(), given_name="Desk", request=request, identity=NOT_SHOWN)
    inventory.save_sightings([asking, silent])
    told = list(inventory.polls(at_once=1))
    assert [device.serial for device in told] == [SERIAL, silent.serial]
    assert (told[0].request, told[0].name, told[0].model) == (request, "Desk", "IP222")
    assert told[0].identity is not None
    assert not told[0].identity.is_trusted
    assert (told[1].request, told[1].identity, told[1].model) == (None, None, "IP111")
    assert inventory.last_polls([SERIAL, Serial("0090333000c0")]) == {SERIAL: told[0]}
