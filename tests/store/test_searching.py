"""What a search finds, in SQLite and PostgreSQL, held against a naive implementation of its reference."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, assert_never
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.policy import Policy
from gitupd.core.search import (
    AddressStart,
    Among,
    AnyOf,
    Between,
    HasAnswered,
    Holds,
    InState,
    Nonsense,
    Not,
    Pair,
    PartOf,
    Term,
    Wild,
    Word,
    parse_search,
    with_answers,
)
from gitupd.core.searches.times import Seen, SeenOn
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import State, Yardstick
from gitupd.store.backups.texts import BackupTexts, ReadBackup
from gitupd.store.database import Database
from gitupd.store.fleet import FleetTable
from gitupd.store.inventory import Inventory
from gitupd.store.tables import devices

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
LIVE, OLD = CommitId("a1" * 20), CommitId("b2" * 20)
YARDSTICK = Yardstick.of(Policy(), LIVE, NOW)
TEXTS = {
    "name": ("given_name", "own_name"),
    "hwid": ("hardware_id",),
    "type": ("model",),
    "address": ("address", "own_address", "proxy"),
    "phase": ("phase",),
    "firmware": ("firmware",),
    "bootcode": ("bootcode",),
}
ONLY_BY_KEY = {"target": ("firmware_wanted",)}
LISTS = {"env": ("environments", "unknown_environments"), "class": ("classes",)}
COMMITS = {"commit": "confirmed", "sent": "sent"}


def texts(device: Device, *fields: str) -> list[str]:
    return [value.lower() for field in fields if (value := getattr(device, field)) is not None]


def names(device: Device, *fields: str) -> list[str]:
    return [name.lower() for field in fields for name in getattr(device, field) or ()]


def form(pattern: str) -> re.Pattern[str]:
    letters = {"*": ".*", "?": "."}
    return re.compile("".join(letters.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)


def whole(device: Device) -> list[str]:
    """Return all values that a word may equal, besides the serial number."""
    fields = (field for listed in TEXTS.values() for field in listed)
    return texts(device, *fields) + names(device, "environments", "classes")


def bare(text: str) -> str:
    return text.replace("-", "").replace(":", "")


BACKUPS = {
    "0090333000af": ["config change PHONE/SIG /gatekeeper 10.1.0.1", "config change CMD0 /name Stra%C3%9Fe", "a, b"],
    "009033001234": ["config change PHONE/SIG /gatekeeper 10.1.0.12", "config change X /pw ***", "50% of_it"],
    "009033101010": ["config change PHONE/SIG /gatekeeper 10.1.0.1", "vars create Straße"],
}
"""The latest backups of devices; there is one that has none."""


def holds(device: Device, text: str, *, whole: bool) -> bool:
    """Whether a line of its backup has *text*; with *whole* no letter or digit goes on before or behind it."""
    for line in (line.lower() for line in BACKUPS.get(device.serial.digits, ())):
        for at in range(len(line)):
            before, after = line[:at], line[at + len(text) :]
            goes_on = re.match(r"\w\w", text[-1] + after) or re.match(r"\w\w", text[0] + before[::-1])
            coded = re.search("%[0-9a-f]{2}$", before) and not re.match(r"\w\w", text[-1] + after)
            if line.startswith(text, at) and (not whole or not goes_on or coded):
                return True
    return False


def naive(device: Device, term: Term) -> bool:  # noqa: C901, PLR0911, PLR0912 - as plain as the reference
    digits = device.serial.digits
    match term:
        case AnyOf(terms):
            return any(naive(device, each) for each in terms)
        case Not(each):
            return not naive(device, each)
        case Among(digits):
            return device.serial.digits in digits
        case HasAnswered():
            raise AssertionError(term)
        case Nonsense():
            return False
        case InState("present"):
            return YARDSTICK.is_present(device)
        case InState("missing"):
            return not YARDSTICK.is_present(device)
        case InState("current"):
            return YARDSTICK.state(device) is State.CURRENT
        case InState():
            raise AssertionError(term)
        case Word(text):
            return text in whole(device) or bare(text) == digits
        case PartOf(text):
            parts = texts(device, *TEXTS["name"], *TEXTS["hwid"], *TEXTS["address"])
            in_serial = re.fullmatch("[0-9a-f]+", bare(text)) is not None and bare(text) in digits
            return naive(device, Word(text)) or any(text in part for part in parts) or in_serial
        case Wild(pattern):
            return any(map(form(pattern).fullmatch, whole(device))) or bool(form(bare(pattern)).fullmatch(digits))
        case Holds(wanted):
            return holds(device, wanted.text, whole=wanted.whole)
        case AddressStart(text):
            return any(address.startswith(text) for address in texts(device, *TEXTS["address"]))
        case Seen(beyond, within):
            age = NOW - (device.last_seen or NOW)
            return (beyond is None or age > beyond) and (within is None or age <= within)
        case SeenOn(first, last):
            day = (device.last_seen or NOW).date()
            return (first is None or first <= day) and (last is None or day <= last)
        case Between(key, low, high, ends):
            builds = texts(device, *(TEXTS | ONLY_BY_KEY)[key])
            ranks = [(len(build), build) for build in builds]
            above = [low is None or (rank > (len(low), low) or (ends and rank[1] == low)) for rank in ranks]
            below = [high is None or (rank < (len(high), high) or (ends and rank[1] == high)) for rank in ranks]
            return any(both for both in map(all, zip(above, below, strict=True)))
        case Pair("has", "backup"):
            return device.serial.digits in BACKUPS
        case Pair("sn", value, wild):
            return bool(form(bare(value)).fullmatch(digits)) if wild else bare(value) == digits
        case Pair(key, value) if key in COMMITS:
            commit = getattr(device, COMMITS[key])
            return commit is not None and bool(form(f"{value}*").fullmatch(commit))
        case Pair(key, value, wild) if key in TEXTS | ONLY_BY_KEY:
            fields = (TEXTS | ONLY_BY_KEY)[key]
            if not value:
                return any(getattr(device, field) is None for field in fields)
            found = texts(device, *fields)
            return any(map(form(value).fullmatch, found)) if wild else value in found
        case Pair(key, value, wild) if key in LISTS:
            found = names(device, *LISTS[key])
            return any(map(form(value).fullmatch, found)) if wild else value in found
        case Pair():
            raise AssertionError(term)
        case _:
            assert_never(term)


WORDS = ("desk", "Desk 12", "desk1", "100%", "a_b", "berlin", "berlin2", "b*", "12", "10", "IP222", "IP232", "Straße")
ADDRESSES = ("10.1.0.1", "10.1.0.12", "210.1.0.1", "192.168.16.9", "fe80::1")
BUILDS = ("137213", "137300", "99", "13a146", "1000000")
some = st.none() | st.sampled_from(WORDS)
DEVICES = st.lists(
    st.builds(
        Device,
        st.sampled_from(["0090333000af", "009033001234", "009033101010", "00903312abcd"]).map(Serial),
        given_name=some,
        own_name=some,
        hardware_id=st.none() | st.sampled_from(["IP222-30-00-af", "IP232-12-ab-cd"]),
        model=st.none() | st.sampled_from(["IP222", "IP232", "ip29-2"]),
        address=st.none() | st.sampled_from(ADDRESSES),
        own_address=st.none() | st.sampled_from(ADDRESSES),
        phase=st.none() | st.sampled_from(["staging", "update"]),
        firmware=st.none() | st.sampled_from(BUILDS),
        firmware_wanted=st.none() | st.sampled_from(BUILDS),
        environments=st.lists(st.sampled_from(["berlin", "b", "n", "default", "Österreich"]), max_size=3).map(tuple),
        classes=st.lists(st.sampled_from(["phone", "gw"]), max_size=2).map(tuple),
        first_seen=st.just(NOW),
        last_seen=st.sampled_from([timedelta(), timedelta(hours=1), timedelta(days=1), timedelta(days=30)]).map(
            lambda age: NOW - age
        ),
        sent=st.none() | st.sampled_from([LIVE, OLD]),
        confirmed=st.none() | st.sampled_from([LIVE, OLD]),
    ),
    max_size=4,
    unique_by=lambda device: device.serial,
)
VALUES = st.sampled_from(
    [*WORDS, *ADDRESSES, *BUILDS, "de", "k 1", "16", "30-00", "0:33", "*af", "?esk", "b*n", "*", "??", "staging", "up*"]
).map(lambda value: f'"{value}"' if " " in value else value)
QUOTED = VALUES.map(lambda value: value if value.startswith('"') else f'"{value}"')
IN_LINES = st.sampled_from(
    [*WORDS, *ADDRESSES, "/GateKeeper", '"/gatekeeper 10.1.0.1"', "9fe", "9Fe,%_", "%", "*", "?", "of", "_it", "config"]
).map(lambda value: f'"{value}"' if " " in value and '"' not in value else value)
RANGES = st.sampled_from([">99", "<137213", "137213..137300", ">13a146", "99..1000000", "<0", "5..1"])
SPANS = st.sampled_from(
    ["15m", "<1h", ">1h", "1h..1d", "1h-30d", "2026-05-06", "2026-04-06..2026-05-05", ">2026-05-05"]
)
KEYED = st.one_of(
    st.builds("{}:{}".format, st.sampled_from([*TEXTS, *ONLY_BY_KEY, *LISTS, "sn"]), VALUES | QUOTED),
    st.builds("{}:{},{}".format, st.sampled_from([*TEXTS, *LISTS]), VALUES, VALUES),
    st.builds("{}:{}".format, st.sampled_from(["firmware", "bootcode", "target"]), RANGES),
    st.builds("seen:{}".format, SPANS),
    st.builds("admin.name:{},{}".format, VALUES, VALUES),
    st.builds("{}:{}".format, st.sampled_from(sorted(COMMITS)), st.sampled_from(["a", "a1a1", "b2", "*2", "c"])),
    st.builds("{}:{}".format, st.sampled_from(["text", "word"]), IN_LINES),
    st.sampled_from(["has:backup", 'firmware:""', 'name:""', "present", "missing", "current", "state:present,missing"]),
)
TERMS = st.one_of(VALUES, QUOTED, KEYED, st.builds("{},{}".format, VALUES, QUOTED))
QUERIES = st.lists(st.builds("{}{}".format, st.sampled_from(["", "", "-"]), TERMS), min_size=1, max_size=3).map(
    " ".join
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.migrate()
    yield opened
    opened.close()


def answering(term: HasAnswered) -> Iterator[str]:
    """Yield some devices that are said to have answered so."""
    return (digits for digits in ("0090333000af", "009033101010") if (len(term.value) + len(digits)) % 2)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEVICES, st.lists(QUERIES, min_size=1, max_size=8))
def test_a_search_finds_what_its_reference_says(database: Database, fleet: list[Device], queries: list[str]) -> None:
    with database.connection() as connection:
        connection.execute(delete(devices))
    Inventory(database).save_sightings(fleet)
    BackupTexts(database).keep(
        [ReadBackup(Serial(digits), 1, "", frozenset(lines)) for digits, lines in BACKUPS.items()]
    )
    for query in queries:
        search = with_answers(parse_search(query), lambda term: Among(frozenset(answering(term))))
        expected = {device.serial for device in fleet if all(naive(device, term) for term in search.terms)}
        assert set(FleetTable(database).serials(search, YARDSTICK)) == expected, (query, search.terms)


def found(database: Database, text: str) -> list[Serial]:
    listed, _ = FleetTable(database).find(
        parse_search(text), YARDSTICK, sort="serial", descending=False, limit=100, offset=0
    )
    return [device.serial for device in listed]


def test_whole_values_come_before_parts(database: Database) -> None:
    fleet = [
        Device(Serial(f"00903300000{number}"), given_name=name, first_seen=NOW, last_seen=NOW)
        for number, name in enumerate(["Desk 10", "Desk 1", "desk 100", "Lobby"])
    ]
    Inventory(database).save_sightings(fleet)
    assert found(database, "desk,lobby") == [device.serial for device in fleet]
    assert found(database, '"desk 1"') == [fleet[1].serial]
    named = [replace(device, given_name=(device.given_name or "").replace(" ", "")) for device in fleet]
    Inventory(database).save_sightings(named)
    assert found(database, "desk1") == [fleet[number].serial for number in (1, 0, 2)]


def test_a_day_is_one_of_utc(database: Database) -> None:
    moments = [
        datetime.combine(date(2026, 5, day), time(hour), UTC) for day, hour in ((1, 23), (2, 0), (2, 23), (3, 0))
    ]
    fleet = [
        Device(Serial(f"00903300000{number}"), first_seen=moment, last_seen=moment)
        for number, moment in enumerate(moments)
    ]
    Inventory(database).save_sightings(fleet)
    assert found(database, "seen:2026-05-02") == [fleet[1].serial, fleet[2].serial]
    assert found(database, "seen:<2026-05-02") == [fleet[0].serial]
    assert found(database, "seen:>2026-05-02") == [fleet[3].serial]
    assert found(database, "seen:<9999-12-31") == [each.serial for each in fleet]


def test_a_day_of_another_zone_is_as_long_as_its_clock_makes_it(database: Database) -> None:
    """In Berlin the 29th of March has 23 hours, the 25th of October 25."""
    moments = [
        datetime.fromisoformat(text)
        for text in (
            *("2026-03-28T22:59Z", "2026-03-28T23:00Z", "2026-03-29T21:59Z", "2026-03-29T22:00Z"),
            *("2026-10-24T21:59Z", "2026-10-24T22:00Z", "2026-10-25T22:59Z", "2026-10-25T23:00Z"),
        )
    ]
    fleet = [
        Device(Serial(f"00903300000{number}"), first_seen=moment, last_seen=moment)
        for number, moment in enumerate(moments)
    ]
    Inventory(database).save_sightings(fleet)
    berlin = replace(YARDSTICK, zone=ZoneInfo("Europe/Berlin"))

    def on(day: str) -> list[int]:
        seen = FleetTable(database).serials(parse_search(f"seen:{day}"), berlin)
        return [int(serial.digits[-1]) for serial in seen]

    assert [on(day) for day in ("2026-03-28", "2026-03-29", "2026-03-30")] == [[0], [1, 2], [3]]
    assert [on(day) for day in ("2026-10-24", "2026-10-25", "2026-10-26")] == [[4], [5, 6], [7]]
