"""A fleet in a file: what is written is read again, and what is wrong is told with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Request, Serial
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.identity import NOT_SHOWN, PRESUMED
from gitupd.core.policy import Admission, Policy, Transport
from gitupd.errors import GitupdError
from gitupd.service.comparison.fleet_file import poll_facts, read_fleet

if TYPE_CHECKING:
    from gitupd.service.comparison.fleets import ComparedFleet

SERIAL = Serial("0090333000af")
SAID = {"phase": "update", "type": "IP222", "sn": str(SERIAL), "hwid": "h", "ip": "10.0.0.7", "CHECK": "abc"}
OPEN = Policy()
DEVICE = Device(SERIAL, model="IP222", request=Request(SAID, Endpoint("https", "upd.example", 8443, "/mtls")))


def read(*entries: Any, policy: Policy = OPEN) -> ComparedFleet:
    return read_fleet("fleet.json", json.dumps(entries), policy)


def only(entry: dict[str, Any], policy: Policy = OPEN) -> Device:
    (device,) = read(entry, policy=policy).devices
    return device


@pytest.mark.parametrize("identity", [None, PRESUMED, NOT_SHOWN])
def test_a_device_is_read_as_it_was_written(identity: Any) -> None:
    device = replace(DEVICE, identity=identity)
    entry = {"serial": str(SERIAL), "type": "IP222", "last_poll": poll_facts(device), "unknown key": 1}
    assert only(entry) == device


def test_secrets_and_codes_are_not_written() -> None:
    secret = replace(
        DEVICE, request=Request({**SAID, "token": "x", "code": "y", "pin": "z"}, Endpoint("http", "a", 80))
    )
    facts = poll_facts(secret)
    assert facts is not None
    assert facts["arguments"] == SAID
    assert poll_facts(Device(SERIAL)) is None


def test_facts_are_enough_where_nobody_knows_the_poll() -> None:
    entry = {
        "serial": "00-90-33-30-00-AF",
        "type": "IP222",
        "name": "Desk",
        "phase": "update",
        "check": "***",
        "environments": ["berlin", "intranet"],
        "firmware": "137213",
        "hardware_id": "own",
        "address": "10.0.0.9",
    }
    device = only(entry)
    assert device.request is not None
    assert device.request.arguments == {
        "polling": "0",
        "phase": "update",
        "type": "IP222",
        "sn": str(SERIAL),
        "hwid": "own",
        "ip": "192.0.2.1",
        "env": "berlin,intranet",
        "PROT": "137213",
    }
    assert (device.name, device.address, device.request.endpoint.scheme) == ("Desk", "10.0.0.9", "http")
    demanding = Policy(transport=Transport(https="required", client_certificate="required"))
    secure = only(entry, demanding)
    assert secure.request is not None
    assert (secure.request.endpoint.scheme, secure.identity) == ("https", PRESUMED)
    assert only({"serial": str(SERIAL)}).request is None


def test_what_people_decided_is_known_from_what_came_of_it() -> None:
    entries = [
        {"serial": f"00903330000{number}", "type": "IP222", "admission": verdict.value}
        for number, verdict in enumerate((Admittance.ACCEPTED, Admittance.REFUSED, Admittance.SERVED))
    ]
    assert read(*entries).decisions == {"009033300000": Decision.ACCEPTED, "009033300001": Decision.REFUSED}
    refusing = read(*entries, policy=Policy(admission=Admission(unknown="refuse")))
    assert refusing.decisions == {"009033300000": Decision.ACCEPTED}


def test_the_answer_of_the_api_is_a_fleet_too() -> None:
    assert read_fleet("-", '{"devices": [{"serial": "0090333000af"}], "total": 1}', Policy()).count == 1
    assert read_fleet("-", " \n[ ]\n", Policy()).count == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f:1:1: no JSON: Expecting value; make it by: gitupd devices --json > f"),
        ('[{"serial": "0090333000af"}\n{}]', "f:2:1: no JSON: a comma or the end of the list is missing; make it by: "),
        ('[{"serial": "0090333000af"},\n{"a" 1}]', "f:2:6: no JSON: Expecting ':' delimiter; make it by: "),
        ('[{"serial": "0090333000af"}', "f:1:28: no JSON: a comma or the end of the list is missing; make it by: "),
        ("[" * 100_000, "f:1:2: no JSON: nested too deeply; make it by: "),
        ('[{"a": 1' + "0" * 10_000 + "}]", "f:1:2: no JSON: Exceeds the limit"),
        ('{"device": []}', "f: no list of devices; make it by: gitupd devices --json > f"),
        ('"x"', "f: no list of devices; make it by: gitupd devices --json > f"),
    ],
)
def test_what_is_no_fleet_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(GitupdError) as told:
        read_fleet("f", text, Policy())
    assert str(told.value).startswith(message)


POLL = {"version": 1, "url": "http://upd.example/update.php", "arguments": {}}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (7, ": no device; it is to be an object with serial and type"),
        ({}, ".serial: '' is no serial number; write twelve hexadecimal digits, such as 00-90-33-30-00-af"),
        ({"serial": 9}, ".serial: no text"),
        ({"type": ["IP222"]}, ".type: no text"),
        ({"type": "<x>"}, ": argument 'type' is no model name"),
        ({"type": "IP222", "environments": "berlin"}, ".environments: no list of texts"),
        ({"admission": "gone"}, ".admission: 'gone' is none of known, rule, accepted, served, quarantined, refused"),
        ({"last_poll": []}, ".last_poll: no object"),
        ({"last_poll": {**POLL, "version": 2}}, ".last_poll.version: 2, of which this version of gitupd knows nothing"),
        ({"last_poll": {**POLL, "arguments": {"a": 1}}}, ".last_poll.arguments: no object of texts"),
        ({"last_poll": {**POLL, "url": "ftp://x/update.php"}}, ".last_poll.url: 'ftp://x/update.php' is no update URL"),
        (
            {"last_poll": {**POLL, "url": "http://x\v/update.php"}},
            ".last_poll.url: 'http://x\\x0b/update.php' is no up",
        ),
        ({"last_poll": {**POLL, "url": "http:///update.php"}}, ".last_poll.url: no endpoint: 'http://'"),
        ({"last_poll": {**POLL, "url": "http://x:y/update.php"}}, ".last_poll.url: "),
        ({"last_poll": {**POLL, "certificate": "good"}}, ".last_poll.certificate: 'good' is neither trusted nor "),
    ],
)
def test_what_is_wrong_with_a_device_is_told_with_its_place(entry: Any, message: str) -> None:
    whole = {"serial": str(SERIAL), **entry} if isinstance(entry, dict) and entry else entry
    with pytest.raises(GitupdError) as told:
        read({"serial": "0090333000b0"}, whole)
    assert str(told.value).startswith(f"fleet.json: [1]{message}")


def test_all_that_is_wrong_is_told_at_once_but_not_without_bound() -> None:
    with pytest.raises(GitupdError) as told:
        read({"serial": "0090333000b0"}, {"serial": "0090333000b0"}, *([{}] * 30))
    lines = str(told.value).split("\n")
    assert lines[0] == "fleet.json: [1].serial: 00-90-33-30-00-b0 a second time; leave one out"
    assert (len(lines), lines[-1]) == (21, "and 11 more")
