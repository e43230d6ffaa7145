"""Devices found and counted by SQL, held against the rules in memory; in SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support import fleets

from gitupd.core.admission.admittance import OUTSIDE, Admittance
from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.core.certificates.standing import SOON, WORDS, CertificateStanding
from gitupd.core.device import Device, Message
from gitupd.core.policy import Policy
from gitupd.core.search import STATES, parse_search
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import State, Yardstick
from gitupd.store.certificates.rollouts import Rollouts
from gitupd.store.database import Database
from gitupd.store.fleet import DeviceKind, FleetTable, Strangers
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
LIVE, OLD = CommitId("a" * 40), CommitId("b" * 40)
YARDSTICK = Yardstick.of(Policy(), LIVE, NOW)
ODD = Device(
    Serial("0090333000af"),
    hardware_id="IP222-30-00-af",
    previous_hardware_id="IP111-30-00-af",
    hardware_changed=NOW - timedelta(hours=1),
    model="IP222",
    own_name="Österreich_100%",
    address="192.168.1.7",
    own_address="10.9.8.7",
    proxy="127.0.0.1",
    environments=("Österreich", "default"),
    classes=("phone", "ip222"),
    first_seen=NOW,
    last_seen=NOW,
    sent=OLD,
    sent_at=NOW,
    confirmed=OLD,
    confirmed_at=NOW,
    messages=(Message(NOW, "hello"),),
)
EMPTY = Device(Serial("0090333000b0"), first_seen=NOW, last_seen=NOW - timedelta(days=300))
DEVICES = [*(fleets.device(number, LIVE, NOW) for number in range(300)), ODD, EMPTY]


@pytest.fixture
def table(database_url: str) -> Iterator[FleetTable]:
    opened = Database(database_url)
    opened.migrate()
    Inventory(opened).save_sightings(DEVICES)
    yield FleetTable(opened)
    opened.close()


def found(table: FleetTable, text: str, yardstick: Yardstick = YARDSTICK, **more: object) -> list[Device]:
    options = {"sort": "serial", "descending": False, "limit": 1000, "offset": 0} | more
    devices, total = table.find(parse_search(text), yardstick, **options)
    assert len(devices) == min(options["limit"], max(0, total - options["offset"]))
    assert set(table.serials(parse_search(text), yardstick)) >= {device.serial for device in devices}
    return devices


STRANGERS = [
    Device(Serial(f"0090334000{number:02x}"), first_seen=NOW, last_seen=NOW, admission=verdict)
    for number, verdict in enumerate(Admittance)
]


@pytest.mark.parametrize(
    ("state", "verdicts"),
    [
        ("unknown", [Admittance.SERVED, Admittance.QUARANTINED, Admittance.REFUSED]),
        ("quarantined", [Admittance.QUARANTINED]),
        ("refused", [Admittance.REFUSED]),
        ("accepted", [Admittance.ACCEPTED]),
    ],
)
def test_devices_are_found_by_the_verdict_on_them(
    table: FleetTable, database_url: str, state: str, verdicts: list[Admittance]
) -> None:
    opened = Database(database_url)
    Inventory(opened).save_sightings(STRANGERS)
    opened.close()
    # For whom nobody has judged yet, nobody speaks either.
    unjudged: list[Admittance | None] = [None] * len(DEVICES) if state == "unknown" else []
    assert [device.admission for device in found(table, state)] == unjudged + verdicts
    assert [device.admission for device in found(table, f"state:{state}")] == unjudged + verdicts


def test_who_is_not_let_in_is_found_only_by_whoever_looks_for_such(table: FleetTable, database_url: str) -> None:
    opened = Database(database_url)
    Inventory(opened).save_sightings(STRANGERS)
    opened.close()
    everybody = len(DEVICES) + len(STRANGERS)
    assert len(found(table, "")) == everybody - 2
    assert sum(tally.total for tally in table.tally(parse_search(""), YARDSTICK, [], []).kinds) == everybody - 2
    outside = next(device for device in STRANGERS if device.admission is Admittance.REFUSED)
    for text in (str(outside.serial), f"sn:{outside.serial}"):
        assert [device.serial for device in found(table, text)] == [outside.serial]
    assert found(table, "sn:00-90-33-40-00-*") == [each for each in STRANGERS if each.admission not in OUTSIDE]
    assert table.strangers(NOW) == Strangers(len(DEVICES) + 3, 2, 3)


@pytest.mark.parametrize("by_sent", [False, True])
def test_states_are_the_same_in_sql_and_in_memory(table: FleetTable, *, by_sent: bool) -> None:
    yardstick = replace(YARDSTICK, by_sent=by_sent, needs_trust=True)
    rules = {
        "present": yardstick.is_present,
        "missing": lambda device: not yardstick.is_present(device),
        "current": lambda device: yardstick.state(device) is State.CURRENT,
        "waiting": lambda device: yardstick.state(device) is State.WAITING,
        "warned": lambda device: bool(yardstick.warnings(device)),
        "alarmed": yardstick.is_alarming,
    }
    assert set(rules) == set(STATES) - {"unknown", "quarantined", "refused", "accepted"}  # these are verdicts
    for state, rule in rules.items():
        expected = {device.serial for device in DEVICES if rule(device)}
        assert expected, "a state that nobody is in shows nothing"
        assert {device.serial for device in found(table, state, yardstick)} == expected
    assert found(table, "alarmed", replace(yardstick, needs_trust=False)) == []


def test_nothing_deployed_and_nothing_ever_missing(table: FleetTable) -> None:
    yardstick = Yardstick(NOW, None, None)
    assert found(table, "missing", yardstick) == found(table, "current", yardstick) == []
    assert len(found(table, "waiting", yardstick)) == len(DEVICES)
    assert sum(tally.present for tally in table.tally(parse_search(""), yardstick, [], []).kinds) == len(DEVICES)


@pytest.mark.parametrize(
    "text",
    [
        "0090333000AF", "00:90:33:30:00:af", "sn:00-90-33-30-00-af", "sn:*30-00-af", "ip222-30-00-AF", "Österreich",
        "env:Österreich", "env:*reich", 'name:"Österreich_100%"', "name:*100%", "192.168.", "address:10.9.8.7",
        "10.9.8.7", "127.0.", f"commit:{OLD[:7]}", f"sent:{OLD}", "has:message", "IP222 192.168.1.7", "168.1", "%", "_",
        "*reich", "?sterreich", "-10.0. type:*", "33-30-00-af",
    ],
)  # fmt: skip
def test_words_that_find_one_device(table: FleetTable, text: str) -> None:
    assert [device.serial for device in found(table, text)] == [ODD.serial]


@pytest.mark.parametrize(
    "text",
    [
        "IP2223", "%%", "__", "193.168", "Deskx", "name:Desk", "name:%", "env:intra", "nosuch:IP222", "state:x",
        "has:x", "IP222 IP232", "commit:_", 'env:"', "'; DROP TABLE devices; --", "phase:upd", "österreichx", "x\x00",
        "seen:soon", "seen:1d-1h", "seen:1h-1h", "seen:*",
    ],
)  # fmt: skip
def test_words_that_find_nothing(table: FleetTable, text: str) -> None:
    assert found(table, text) == []


def test_whole_values_and_wild_ones(table: FleetTable) -> None:
    assert len(found(table, "homeoffice")) == len(found(table, "env:home*")) == 100
    assert len(found(table, "class:phone_newui")) == 300
    assert len(found(table, "ip1130")) == len(found(table, "type:IP1130")) == 50
    assert [device.serial for device in found(table, 'type:""')] == [EMPTY.serial]
    assert len(found(table, "env:nowhere")) == 3
    assert len(found(table, "10.0.1.")) == 44


@pytest.mark.parametrize(
    ("text", "beyond", "within"),
    [
        ("seen:15m", None, timedelta(minutes=15)),
        ("seen:1h-21d", timedelta(hours=1), timedelta(days=21)),
        ("seen:>30d", timedelta(days=30), None),
    ],
)
def test_when_a_device_called_last(
    table: FleetTable, text: str, beyond: timedelta | None, within: timedelta | None
) -> None:
    expected = [
        device.serial
        for device in sorted(DEVICES, key=lambda each: each.serial)
        if (beyond is None or NOW - device.last_seen > beyond) and (within is None or NOW - device.last_seen <= within)
    ]
    assert 0 < len(expected) < len(DEVICES)
    assert [device.serial for device in found(table, text)] == expected


def test_spans_that_follow_each_other_hold_every_device_once(table: FleetTable, database_url: str) -> None:
    spans = (timedelta(), timedelta(minutes=15), timedelta(hours=1), timedelta(days=1))
    opened = Database(database_url)
    Inventory(opened).save_sightings(
        [replace(EMPTY, serial=Serial(f"00903340000{n}"), last_seen=NOW - span) for n, span in enumerate(spans)]
    )
    opened.close()
    listed = [device.serial for text in ("15m", "15m-1h", "1h-1d", ">1d") for device in found(table, f"seen:{text}")]
    assert sorted(listed) == [device.serial for device in found(table, "")]


def test_kinds_are_few_and_count_every_device_once(table: FleetTable) -> None:
    kinds = table.kinds()
    assert len(kinds) < len(DEVICES)
    counted = Counter({replace(kind, count=0): kind.count for kind in kinds})
    assert counted == Counter(
        DeviceKind(each.phase, each.firmware, each.bootcode, each.model, each.environments, 0) for each in DEVICES
    )


def test_of_kinds_only_those_are_counted_that_were_seen_lately(table: FleetTable) -> None:
    since = sorted(each.last_seen for each in DEVICES if each.last_seen)[len(DEVICES) // 2]
    present = sum(each.last_seen is not None and each.last_seen >= since for each in DEVICES)
    assert sum(kind.count for kind in table.kinds(since)) == present < len(DEVICES)


def test_sorted_and_in_pages(table: FleetTable) -> None:
    every = found(table, "")
    assert [device.serial for device in every] == sorted(device.serial for device in DEVICES)
    assert [device for page in range(4) for device in found(table, "", limit=100, offset=page * 100)] == every
    names = [device.name for device in found(table, "", sort="name")]
    assert names[-1] is None
    assert found(table, "", sort="name", descending=True)[-1].name is None
    assert found(table, "", sort="state")[0].serial == Serial("009033000001")
    seen = [device.last_seen for device in found(table, "", sort="last_seen", descending=True)]
    assert seen == sorted(seen, reverse=True)


def test_one_after_the_other_in_chunks(table: FleetTable) -> None:
    assert [each.serial for each in table.each(parse_search("present"), YARDSTICK, at_once=7)] == [
        each.serial for each in found(table, "present")
    ]


def test_counts_by_kind(table: FleetTable) -> None:
    spans = [timedelta(minutes=1), timedelta(days=1)]
    moments = [NOW - timedelta(minutes=2), NOW]
    counted = table.tally(parse_search(""), YARDSTICK, spans, moments)
    tallies = counted.kinds
    assert sum(tally.total for tally in tallies) == len(DEVICES)
    assert sum(tally.current for tally in tallies) == len(found(table, "current"))
    assert sum(tally.warned for tally in tallies) == len(found(table, "warned"))
    for number, span in enumerate(spans):
        lately = sum(device.last_seen >= NOW - span for device in DEVICES)
        assert counted.seen[number] == lately
    for number, moment in enumerate(moments):
        arrived = sum(device.confirmed == LIVE and device.confirmed_at <= moment for device in DEVICES)
        assert counted.arrived[number] == arrived
    assert {"Österreich", "homeoffice"} <= {name for tally in tallies for name in tally.environments}


def test_counts_within_what_a_search_finds(table: FleetTable) -> None:
    spans = [timedelta(minutes=1), timedelta(days=1)]
    for text in ("missing", "env:homeoffice", "type:IP222 present", "nobody"):
        counted, those = table.tally(parse_search(text), YARDSTICK, spans, [NOW]), found(table, text)
        assert sum(tally.total for tally in counted.kinds) == len(those), text
        assert counted.seen == tuple(sum(each.last_seen >= NOW - span for each in those) for span in spans), text
        assert counted.arrived == (sum(each.confirmed == LIVE for each in those),), text


DAY, MOMENT = timedelta(days=1), timedelta(seconds=1)
ENDS = (None, NOW - DAY, NOW - MOMENT, NOW, NOW + SOON - MOMENT, NOW + SOON, NOW + 900 * DAY)


@pytest.fixture
def rolled_out(table: FleetTable, database_url: str) -> dict[Serial, CertificateStanding]:
    """Give devices a certificate at every stage with every end; there are more devices than that."""
    opened = Database(database_url)
    given = {}
    for device, (stage, end) in zip(DEVICES, ((stage, end) for stage in Stage for end in ENDS), strict=False):
        Rollouts(opened).note(device.serial, Need(stage, "why"), NOW, end, None)
        given[device.serial] = CertificateStanding(stage, end)
    opened.close()
    assert len(given) == len(Stage) * len(ENDS) < len(DEVICES)
    assert table.find(parse_search("certificate:good"), YARDSTICK, sort="serial", descending=False, limit=1, offset=0)
    return given


def test_certificates_are_the_same_in_sql_and_in_memory(
    table: FleetTable, rolled_out: dict[Serial, CertificateStanding]
) -> None:
    for word in WORDS:
        expected = {serial for serial, standing in rolled_out.items() if standing.meets(word, NOW)}
        assert expected, "a word that finds nothing shows nothing"
        listed = found(table, f"certificate:{word}")
        assert {device.serial for device in listed} == expected
        assert {device.serial: device.certificate for device in listed} == {
            serial: rolled_out[serial] for serial in expected
        }
    without = found(table, 'certificate:""')
    assert {device.serial for device in without} == {device.serial for device in DEVICES} - rolled_out.keys()
    assert {device.certificate for device in without} == {None}


def test_devices_are_sorted_by_the_end_of_their_certificates(
    table: FleetTable, rolled_out: dict[Serial, CertificateStanding]
) -> None:
    for descending in (False, True):
        listed = found(table, "", sort="certificate", descending=descending)
        ends = [device.certificate and device.certificate.expires for device in listed]
        known = [end for end in ends if end is not None]
        assert ends == sorted(known, reverse=descending) + [None] * (len(ends) - len(known))
        assert len(known) == sum(standing.expires is not None for standing in rolled_out.values())


def test_certificates_come_along_with_each_device(
    table: FleetTable, database_url: str, rolled_out: dict[Serial, CertificateStanding]
) -> None:
    listed = {each.serial: each.certificate for each in table.each(parse_search(""), YARDSTICK, at_once=50)}
    assert {serial: standing for serial, standing in listed.items() if standing} == rolled_out
    opened = Database(database_url)
    for device in (DEVICES[3], EMPTY):
        one = Inventory(opened).device(device.serial)
        assert one is not None
        assert one.certificate == rolled_out.get(device.serial)
    opened.close()


@pytest.mark.parametrize("text", ["", "IP222", "missing", "nosuch"])
def test_what_is_found_is_counted_by_how_it_stands(table: FleetTable, text: str) -> None:
    search = parse_search(text)
    counts = table.standings(search, YARDSTICK)
    states = [len(found(table, f"{text} {state}")) for state in ("present", "missing", "current", "waiting", "warned")]
    assert states == [counts.present, counts.missing, counts.current, counts.waiting, counts.warned]
    assert counts.total == len(found(table, text)) == counts.present + counts.missing


@pytest.mark.parametrize("text", ["", "IP222", "nosuch"])
def test_some_are_listed_without_being_counted(table: FleetTable, text: str) -> None:
    search, some = parse_search(text), {"sort": "serial", "descending": False, "limit": 7, "offset": 3}
    listed, total = table.find(search, YARDSTICK, **some)
    assert table.listed(search, YARDSTICK, **some) == listed
    assert table.count(search, YARDSTICK) == total == len(found(table, text))
