"""Devices that the PHP server remembered are there before any of them calls."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority

from gitupd.core.admission.admittance import Admittance, Appearance, Decision, admit
from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Actor, Role
from gitupd.core.policy import Admission
from gitupd.core.search import parse_search
from gitupd.core.standing import State
from gitupd.service.creating import import_site
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet
from gitupd.service.importing import time_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONFIGURATION = """<config>
<master info=""/><status dir="status" missing="86400"/>
<phases><phase id="staging" seq="100"/></phases>
<environments><environment id="berlin"><implies>default</implies></environment></environments>
<queries><query id="admin"><applies>*</applies></query></queries>
</config>
"""


def status(number: int, seen: datetime, answer: str = '<info name="Desk"/>', query: str = "admin") -> str:
    at, name = int(seen.timestamp()), serial(number)
    return (
        f'<state seen="{at}"><device sn="{name}" type="IP222" hwid="IP222-{name[-8:]}"'
        f' ip="192.0.2.7" realip="10.0.0.9" rp="false" phase="update" environments="berlin, default"/>'
        f'<firmware build="137212" requested="137213" requested-at="{at - 60}"/><bootcode build="131286"/>'
        f'<queries><{query} seen="{at - 100}">{answer}</{query}></queries></state>'
    )


def serial(number: int) -> str:
    return f"00-90-33-30-{number >> 8:02x}-{number & 255:02x}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for folder in ("config", "scripts", "status"):
        (tmp_path / "php" / folder).mkdir(parents=True)
    (tmp_path / "php/config/user-config.xml").write_text(CONFIGURATION)
    (tmp_path / "php/scripts/update-all-default.txt").write_text("config add X /x")
    return tmp_path / "php"


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    made: list[Site] = []
    yield made
    for site in made:
        site.close()


def imported(source: Path, sites: list[Site]) -> list[str]:
    site, _, notes = import_site(source, source.parent / "site", who="vera", now=NOW)
    sites.append(site)
    return [str(note) for note in notes if note.path.startswith("status")]


def test_the_list_of_devices_is_filled(source: Path, sites: list[Site]) -> None:
    (source / f"status/{serial(1)}.xml").write_text(status(1, NOW - timedelta(hours=1)))
    (source / f"status/{serial(2)}.xml").write_text(status(2, NOW - timedelta(days=3)))
    assert imported(source, sites) == []
    (site,) = sites
    fleet = Fleet(site, live_now(site), NOW)
    summary = fleet.summary()
    assert (summary.total, summary.present, summary.missing, summary.current) == (2, 1, 1, 0)
    device = site.inventory.device(parse_serial(serial(1)))
    assert device is not None
    assert (device.model, device.hardware_id, device.name) == ("IP222", "IP222-30-00-01", "Desk")
    assert (device.address, device.own_address, device.proxy) == ("192.0.2.7", "10.0.0.9", None)
    assert (device.phase, device.phase_before, device.settled) == ("update", "staging", False)
    assert device.environments == ("berlin", "default")
    assert device.classes[-1] == "ip222"
    assert (device.firmware, device.firmware_wanted, device.bootcode) == ("137212", "137213", "131286")
    assert device.firmware_requested == NOW - timedelta(hours=1, minutes=1)
    assert (device.last_seen, device.first_seen) == (NOW - timedelta(hours=1), NOW - timedelta(hours=1, seconds=100))
    assert (device.confirmed, device.sent, device.admission) == (None, None, None)
    assert fleet.state(device) is State.WAITING
    (answer,) = site.answers.of(device.serial)
    assert (answer.query, answer.xml) == ("admin", '<info name="Desk"/>')
    assert answer.received == NOW - timedelta(hours=1, seconds=100)


def test_devices_are_neither_strangers_nor_forgotten_before_their_time(source: Path, sites: list[Site]) -> None:
    for number in range(1_200):  # more than the strangers that are remembered
        (source / f"status/{serial(number)}.xml").write_text(status(number, NOW - timedelta(days=30)))
    (source / f"status/{serial(1_200)}.xml").write_text(status(1_200, NOW - timedelta(days=100)))
    imported(source, sites)
    (site,) = sites
    strangers = site.fleet.strangers(NOW)
    assert (strangers.unknown, strangers.outside, strangers.unproved) == (1_201, 0, 0)
    assert site.inventory.forget_strangers(NOW - timedelta(days=1), NOW) == 0
    assert site.inventory.forget_unseen(NOW - timedelta(days=90)) == 1
    assert Fleet(site, live_now(site), NOW).find(parse_search("missing")).total == 1_200


def test_those_who_are_accepted_come_in_where_strangers_wait(source: Path, sites: list[Site]) -> None:
    for number in (1, 2):
        (source / f"status/{serial(number)}.xml").write_text(status(number, NOW - timedelta(days=30 * (number - 1))))
    imported(source, sites)
    (site,) = sites
    fleet = Fleet(site, live_now(site), NOW)
    found = fleet.serials(parse_search("unknown seen:7d"))
    assert found == [parse_serial(serial(1))]
    assert fleet.decide(found, Decision.ACCEPTED, Actor("vera", Role.ADMINISTRATOR, None)) == 1
    decisions = site.admissions.since(0)[1]
    verdicts = [
        admit(Admission(unknown="quarantine"), Appearance(), known=False, decision=decisions.get(each.serial.digits))
        for each in site.inventory.devices()
    ]
    assert verdicts == [Admittance.ACCEPTED, Admittance.QUARANTINED]
    assert fleet.serials(parse_search("unknown")) == [parse_serial(serial(2))]


def test_what_can_not_be_kept_is_named(source: Path, sites: list[Site]) -> None:
    for number in range(3):
        (source / f"status/{serial(number)}.xml").write_text(status(number, NOW, query="gone"))
    (source / f"status/{serial(3)}.xml").write_text(status(3, NOW, "<a>" * 150 + "</a>" * 150))
    first, second = imported(source, sites)
    names = ", ".join(f"{serial(number)}.xml" for number in range(3))
    assert first == f"status/: warning: 3 left out: its answer to the query 'gone', which does not exist: {names}"
    assert second.startswith(
        f"status/{serial(3)}.xml: warning: left out: its answer to the query 'admin': its elements"
    )
    assert Fleet(sites[0], live_now(sites[0]), NOW).summary().total == 4


def test_the_deployment_warns_of_what_the_site_lacks_in_the_end(source: Path, sites: list[Site]) -> None:
    authority = Authority.root("Our CA")
    transport = '<times forcehttps="true" forcetrust="true"/><customcerts dir="certs" CAname="Our CA"/>'
    configuration = CONFIGURATION.replace("</config>", f"{transport}</config>")
    (source / "config/user-config.xml").write_text(
        configuration.replace('info=""', 'info="none" firmware="137213" bootcode="none"')
    )
    (source / "certs").mkdir()
    (source / "certs/CAkey1.pem").write_bytes(authority.pem)
    (source / f"status/{serial(1)}.xml").write_text(status(1, NOW).replace('phase="update"', 'phase="gone"'))
    site, _, notes = import_site(source, source.parent / "site", who="vera", now=NOW)
    sites.append(site)
    said = "\n".join(map(str, notes))
    assert "the site trusts no authority" not in said
    assert "no phase 'gone' any more, in which 1 device is" in said
    assert "137213" in said.partition("policies/firmware.yaml")[2]


def test_a_clock_that_was_ahead_makes_no_device_of_the_future(source: Path, sites: list[Site]) -> None:
    (source / f"status/{serial(1)}.xml").write_text(status(1, NOW + timedelta(days=400)))
    os.utime(source / f"status/{serial(1)}.xml", (NOW.timestamp(),) * 2)
    imported(source, sites)
    device = sites[0].inventory.device(parse_serial(serial(1)))
    assert device is not None
    assert (device.first_seen, device.last_seen) == (NOW, NOW)
    assert time_of(2**33, NOW) == NOW
