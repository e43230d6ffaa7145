"""``gitupd accept`` and ``gitupd codes`` on a real site."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from gitupd.cli.main import cli
from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

PHONES = [Serial(f"0090338800{number:02x}") for number in range(12)]
KNOWN = Serial("009033770001")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    created, _ = create_site(tmp_path / "site", who="test", now=now())
    at = now()
    created.inventory.save_sightings(
        [
            *(
                Device(each, model="IP222", admission=Admittance.QUARANTINED, first_seen=at, last_seen=at)
                for each in PHONES
            ),
            Device(KNOWN, model="IP222", admission=Admittance.KNOWN, first_seen=at, last_seen=at),
        ]
    )
    yield created
    created.close()


def run(site: Site, *arguments: str, answer: str = "", code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [*arguments, "--site", str(site.path)], input=answer)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        assert code == 1, done.exception
        return done
    assert done.exit_code == code, done.output
    return done


def decided(site: Site) -> dict[Serial, Decision]:
    return {serial: each.decision for serial, each in site.admissions.standing().items()}


def test_devices_are_accepted_by_a_search_once_that_is_confirmed(site: Site) -> None:
    asked = run(site, "accept", "type:IP222", answer="n\n", code=1)
    assert f"Accept 12 devices: {PHONES[0]}" in asked.output
    assert "and 2 more?" in asked.output
    assert decided(site) == {}
    assert "accepted 12 devices" in run(site, "accept", "type:IP222", answer="y\n").output
    assert decided(site) == dict.fromkeys(PHONES, Decision.ACCEPTED)
    assert KNOWN not in decided(site)
    listed = json.loads(run(site, "devices", "accepted", "--json").output)
    assert [device["admission"] for device in listed] == ["accepted"] * 12
    back = json.loads(run(site, "accept", "--withdraw", "accepted", "--json").output)
    assert (back["decision"], len(back["devices"])) == ("withdrawn", 12)
    assert decided(site) == {}


def test_a_serial_number_is_taken_as_it_is_whether_the_device_called_or_not(site: Site) -> None:
    unheard = "00:90:33:99:00:01"
    assert "refused 1 device" in run(site, "accept", "--refuse", "--yes", unheard).output
    assert decided(site) == {Serial("009033990001"): Decision.REFUSED}
    assert "withdrew what was decided on 1 device" in run(site, "accept", "--withdraw", "--yes", unheard).output


@pytest.mark.parametrize(("words", "said"), [("name:nobody", "no such device"), ("colour:red", "nothing to search by")])
def test_who_is_not_there_is_not_accepted(site: Site, words: str, said: str) -> None:
    done = run(site, "accept", "--yes", words, code=1)
    assert said in str(done.exception)
    assert decided(site) == {}


def test_codes_are_made_listed_and_revoked(site: Site) -> None:
    shown = run(site, "codes", "add", "--count", "2", "--days", "3", "--title", "new office").output.split()
    assert len(set(shown)) == 2
    (made,) = json.loads(run(site, "codes", "add", "--json").output)
    assert (made["id"], made["state"], made["title"]) == (3, "open", "devices")
    listed = run(site, "codes", "list").output
    assert "new office" in listed
    assert not any(code in listed for code in shown)
    assert "revoked 2 codes" in run(site, "codes", "revoke", "1", "3").output
    states = {code["id"]: code["state"] for code in json.loads(run(site, "codes", "list", "--json").output)}
    assert states == {1: "revoked", 2: "open", 3: "revoked"}
    assert "no such code is open" in str(run(site, "codes", "revoke", "1", code=1).exception)
    run(site, "codes", "add", "--count", "0", code=2)


def test_status_tells_of_those_who_wait(site: Site) -> None:
    assert "outside  12 unknown ones wait to be accepted" in run(site, "status").output
    assert json.loads(run(site, "status", "--json").output)["strangers"]["outside"] == 12
