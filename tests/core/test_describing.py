from __future__ import annotations

import ipaddress
import re
from datetime import datetime

import pytest

from gitupd.core.certificates.approval import ApprovalRule
from gitupd.core.deployments.brake import Brake, Limit
from gitupd.core.deployments.freezing import FreezeRule
from gitupd.core.deployments.rule import Deploy
from gitupd.core.describing import (
    Sentence,
    admission,
    backup,
    certificates,
    conditions,
    delivery,
    deploy,
    duration,
    firmware,
    hours,
    query,
    sections,
    status,
    transport,
)
from gitupd.core.policy import (
    Accept,
    Admission,
    Backup,
    Build,
    Certificates,
    Delivery,
    Everyone,
    Firmware,
    InClass,
    InEnvironment,
    Master,
    Policy,
    Query,
    Rate,
    Show,
    Status,
    Transport,
    Window,
)


def texts(sentences: object) -> list[str]:
    return [each.text for each in sentences]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ("22 23 0 1 2 3 4", "from 22:00 to 5:00"),
        ("4 3 2 1 0 23 22", "from 22:00 to 5:00"),
        ("20 21 22 23", "from 20:00 to 24:00"),
        ("0 1", "from 0:00 to 2:00"),
        ("23", "from 23:00 to 24:00"),
        ("1 2 22", "from 1:00 to 3:00 and from 22:00 to 23:00"),
        ("02 03", "from 2:00 to 4:00"),
        (" ".join(map(str, range(24))), "at any hour"),
        ("", "at no hour"),
        ("24 1", "in the hours 24, 1"),
        ("² 1", "in the hours ², 1"),
    ],
)
def test_hours_of_the_day_are_told_in_spans(listed: str, words: str) -> None:
    assert hours(listed.split()) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "90 seconds"),
        (60, "1 minute"),
        (5400, "90 minutes"),
        (3600, "1 hour"),
        (604800, "7 days"),
        (90 * 86400, "90 days"),
    ],
)
def test_durations_are_told_exactly(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_delivery_with_a_window() -> None:
    rule = Delivery(window=Window(("22", "23"), 1), first_run_ignores_window=True, url_arguments={"x": "#x", "y": None})
    assert list(delivery(rule, ("staging", "update"))) == [
        Sentence("Devices poll every 15 minutes.", ("interval",)),
        Sentence("While phases remain, they poll every 5 seconds.", ("fast_poll",)),
        Sentence(
            "Scripts run only from 22:00 to 24:00, in the device's local time,"
            " and not within 1 minute after a restart.",
            ("window",),
        ),
        Sentence("Staging ignores these hours.", ("staging_ignores_window",)),
        Sentence("A device's first run ignores these hours.", ("first_run_ignores_window",)),
        Sentence("What a device has executed already is not sent to it again.", ("check",)),
        Sentence("In the update URL, the argument x is carried as #x.", ("url_arguments", "x")),
        Sentence("In the update URL, the argument y is left out.", ("url_arguments", "y")),
    ]


def test_delivery_without_much_to_say() -> None:
    rule = Delivery(check=False, fast_poll=5, interval=1, window=Window(None, None))
    assert texts(delivery(rule, ("update",))) == [
        "Devices poll every minute.",
        "Scripts run at any time.",
        "Scripts are sent at every poll, whether they were executed before or not.",
    ]
    assert "While phases remain, fast polling is switched off." in texts(delivery(Delivery(fast_poll=0), ("a", "b")))
    assert "While phases remain, fast polling is never mentioned." in texts(
        delivery(Delivery(fast_poll=None), ("a", "b"))
    )
    after_a_restart = Delivery(window=Window(None, 5), first_run_ignores_window=True)
    assert texts(delivery(after_a_restart, ("a", "b")))[2:] == [
        "Scripts run not within 5 minutes after a restart.",
        "What a device has executed already is not sent to it again.",
    ]
    heeded = Delivery(window=Window(("1",), None), staging_ignores_window=False)
    assert [text for text in texts(delivery(heeded, ("a", "b"))) if "ignore" in text] == []
    several = Delivery(window=Window(("1",), None))
    assert "A and b ignore these hours." in texts(delivery(several, ("a", "b", "c")))


def test_firmware_of_a_build_for_some() -> None:
    rule = Firmware(
        firmware=Build("137213"),
        bootcode="firmware",
        applies=(InClass("phone"), InEnvironment("berlin")),
        storage="https://ada:secret@files.example/{build}/",
        no_firmware=frozenset({"b", "a"}),
        no_bootcode=frozenset({"c"}),
    )
    assert texts(firmware(rule)) == [
        "Firmware for devices of class phone in berlin: build 137213.",
        "Boot code for devices of class phone in berlin: the same build as the firmware.",
        "Devices load it from https://files.example/{build}/.",
        "No firmware for a and b.",
        "No boot code for c.",
    ]


def test_firmware_of_a_master_device_names_no_password() -> None:
    rule = Firmware(master=Master("http://ada:secret@10.0.0.1/box.xml"), firmware="master")
    assert texts(firmware(rule)) == [
        "Firmware for every device: what the master device runs.",
        "Boot code for every device: none.",
        "The master device is asked at http://10.0.0.1/box.xml, and counts as known for 1 hour.",
        "Devices load it from fw/{build}/ of this server.",
    ]
    assert texts(firmware(Firmware())) == ["Firmware and boot code are left as they are."]


def test_conditions_of_firmware_must_all_hold_and_those_of_queries_any() -> None:
    both = (InClass("phone"), InEnvironment("berlin"))
    assert conditions(both, all_of_them=True) == "devices of class phone in berlin"
    assert conditions(both, all_of_them=False) == "devices of class phone or in berlin"
    assert conditions((), all_of_them=True) == "every device"
    assert conditions((), all_of_them=False) == "no device"
    assert conditions((Everyone(), InClass("gw")), all_of_them=False) == "every device"
    assert conditions((Everyone(), InClass("gw")), all_of_them=True) == "devices of class gw"
    assert conditions((Everyone(),), all_of_them=True) == "every device"


def test_queries() -> None:
    asked = Query("admin", "Name", "mod cmd CMD0 xml-info", (Everyone(),), (Show("A", "/a"), Show("B", "/b")))
    assert query(asked) == "Asks every device for the output of “mod cmd CMD0 xml-info” and shows A and B."
    assert query(Query("x", "X", "y")) == "Asks no device for the output of “y”."


def test_the_other_policies() -> None:
    assert texts(deploy(Deploy(mode="automatic", grace=90, require_signatures=True))) == [
        "Commits of branch main are deployed by themselves, 90 seconds after they arrived.",
        "Every commit has to be signed by somebody whom signers/ of the deployed commit names.",
        (
            "A commit waits for a person's word if more than 25 % of the active devices would get another script, or if"
            " more than 10 % of the active devices would restart, or if a script would lose more than 50 % of its"
            " commands, or if something is taken away that devices are in or call by."
        ),
    ]
    free = "A commit may change as much as it will."
    at_once = "Commits of branch main are deployed by themselves at once."
    assert texts(deploy(Deploy(grace=0, brake=None))) == [at_once, free]
    (*_, loose) = texts(deploy(Deploy(brake=Brake(Limit(9, is_share=False), None, None))))
    assert loose == (
        "A commit waits for a person's word if more than 9 of the active devices would get another script, or if"
        " something is taken away that devices are in or call by."
    )
    frozen = (FreezeRule(days=frozenset({4, 5}), reason="nobody is here"), FreezeRule(start=datetime(2026, 12, 18)))
    assert texts(deploy(Deploy("x", "manual", approval="second-person", freeze=frozen)))[2:] == [
        "Somebody else than who made or pushed a commit approves it first.",
        "Nothing is deployed by itself on Fri, Sat: nobody is here.",
        "Nothing is deployed by itself from 2026-12-18 00:00.",
    ]
    prod = Deploy("prod", "manual", brake=None)
    assert texts(deploy(prod)) == ["Commits of branch prod wait until somebody deploys them.", free]
    assert texts(status(Status(0, 0, 10, 60))) == [
        "No device ever counts as missing.",
        "No device is ever forgotten.",
        "Messages of a device are kept for 1 minute.",
        "Pages refresh every 10 seconds.",
    ]
    assert texts(transport(Transport("required", None, None, "required"))) == [
        "HTTPS is required: who comes otherwise is sent to port 443 first.",
        "Without a certificate that speaks for it, a device gets no snippets, and uploads nothing.",
    ]
    assert texts(transport(Transport(client_certificate="required"))) == [
        "Devices may use HTTP or HTTPS.",
        "Without a certificate that speaks for it, a device gets no snippets, and uploads nothing.",
    ]
    assert texts(transport(Transport("required", 8443))) == [
        "HTTPS is required: who comes otherwise is sent to port 8443 first.",
    ]
    assert texts(status(Status(refresh=0)))[2:] == ["Messages of a device are kept for 30 minutes."]
    assert texts(backup(Backup(enabled=False))) == [
        "Devices don't upload their configuration.",
        "Nothing in scripts is hidden from viewers.",
    ]
    assert texts(backup(Backup(ignore=())))[0] == "Devices upload their configuration at every poll."
    pattern = re.compile("x")
    assert texts(backup(Backup(ignore=(pattern,), hide=(pattern, pattern)))) == [
        "Devices upload their configuration at every poll.",
        "1 kind of volatile lines don't count as changes.",
        "What matches 2 patterns is hidden from viewers.",
    ]
    assert texts(certificates(Certificates(authorities=("Our CA", "Root CA"), hold=True))) == [
        "Devices are identified by certificates of Our CA and Root CA.",
        "Devices keep the certificates that they have.",
    ]
    assert texts(certificates(Certificates(enabled=True))) == [
        "Devices get certificates, which people sign.",
        "They are renewed 90 days before they expire.",
    ]
    demanding = Certificates(
        enabled=True, signing="authority", request_missing=False, hold=True, renew_spread=30 * 86400
    )
    assert texts(certificates(demanding)) == [
        "Devices get certificates, which the site's authority signs for requests that people approve.",
        "They are valid for 730 days.",
        "A device without any certificate is left as it is.",
        "All else waits until a device has a good one.",
        "They are renewed 90 days before they expire, and up to 30 days earlier.",
    ]


def test_every_document_of_policies_has_its_section() -> None:
    found = sections(Policy())
    assert {each.document for each in found} == {
        "delivery", "firmware", "deploy", "status", "transport", "admission", "backup", "certificates",
    }  # fmt: skip
    assert all(each.sentences and all(sentence.text.endswith(".") for sentence in each.sentences) for each in found)


def test_certificates_and_who_signs() -> None:
    assert texts(certificates(Certificates(enabled=True))) == [
        "Devices get certificates, which people sign.",
        "They are renewed 90 days before they expire.",
    ]
    assert texts(certificates(Certificates(enabled=False))) == ["Devices keep the certificates that they have."]
    assert texts(certificates(Certificates(enabled=True, signing="authority")))[:2] == [
        "Devices get certificates, which the site's authority signs for requests that people approve.",
        "They are valid for 730 days.",
    ]
    rules = (ApprovalRule(identified=True), ApprovalRule(known=True, same_names=True, at_most=Rate(1000, 86400)))
    assert texts(certificates(Certificates(enabled=True, signing="automatic", approve=rules)))[:5] == [
        "Devices get certificates, which the site's authority signs.",
        "Requests identified by its old certificate are approved.",
        "Requests of a known device, for the same names are approved, at most 1,000 a day.",
        "All other requests wait until somebody approves them.",
        "They are valid for 730 days.",
    ]
    assert texts(certificates(Certificates(enabled=True, signing="external")))[:2] == [
        "Devices get certificates, which an authority elsewhere signs.",
        "Requests wait until somebody approves them.",
    ]


def test_who_is_admitted_is_said_for_each_rule() -> None:
    rules = (
        Accept(network=ipaddress.ip_network("10.0.0.0/8"), model="ip222"),
        Accept(hardware_id=re.compile("^IP222-")),
        Accept(certificate=True),
    )
    assert [(each.text, each.keys) for each in admission(Admission("quarantine", rules, 50, 3600))] == [
        (
            "A device that nobody knows gets its update URL completed, and nothing else until it is accepted.",
            ("unknown",),
        ),
        ("Accepted is any device that calls from 10.0.0.0/8 and of type ip222.", ("accept", "0")),
        ("Accepted is any device whose hardware id matches ^IP222-.", ("accept", "1")),
        ("Accepted is any device with a trusted certificate.", ("accept", "2")),
        ("Of unknown ones that have confirmed nothing, 50 are remembered at a time.", ("most",)),
        ("They are forgotten 1 hour after their last call.", ("forget_after",)),
    ]


@pytest.mark.parametrize(("unknown", "said"), [("serve", "is served like all"), ("refuse", "gets nothing until it")])
def test_what_becomes_of_unknown_devices_is_said(unknown: str, said: str) -> None:
    assert said in next(admission(Admission(unknown))).text  # type: ignore[arg-type] # the schema allows nothing else
