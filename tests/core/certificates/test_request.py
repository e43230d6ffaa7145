"""The command that has a device make a signing request."""

from __future__ import annotations

import pytest

from gitupd.core.certificates.request import (
    RequestWords,
    awaited,
    dns_name,
    request_command,
    requested_names,
    uses,
    written_name,
)
from gitupd.core.policy import Certificates

KNOWN = RequestWords({"sn": "0090333000af", "hwid": "IP232-30-00-af", "name": "desk-12", "proxy": "", "ip": "10.0.0.1"})


def test_every_option_is_named_in_order_and_those_not_set_are_empty() -> None:
    command = request_command(
        Certificates(dn={"cn": "{sn}", "o": "My Org & Co"}, dns=("{name}.example",)), KNOWN, "IP232"
    )
    assert command == (
        "mod cmd X509 servercert-create /cmd servercert-create /redirect /target device /type Signing%20request "
        " /key 2048-bit /signature SHA256 /dn-cn 0090333000af /dn-ou  /dn-o My%20Org%20%26%20Co /dn-l  /dn-st  /dn-c "
        " /san-dns desk-12.example /san-dns  /san-dns  /san-ip  /san-ip "
    )


@pytest.mark.parametrize("model", ["mypbxa", "MyPBXi"])
def test_two_apps_want_a_plus(model: str) -> None:
    assert "/type Signing+request " in request_command(Certificates(), KNOWN, model)


def test_a_word_that_is_not_known_empties_its_option_and_no_other() -> None:
    words = RequestWords({**KNOWN.values, "name": None})
    command = request_command(Certificates(dns=("{name}.{sn}.example", "{sn}.example")), words, "IP232")
    assert "/san-dns  /san-dns 0090333000af.example" in command


def test_a_value_is_not_filled_in_twice() -> None:
    assert RequestWords({"name": "{sn}", "sn": "1"}).filled("{name}") == "{sn}"


def test_other_braces_are_text() -> None:
    assert KNOWN.filled("{oops} {SN}") == "{oops} {SN}"


def test_a_request_waits_for_words_of_its_template_alone() -> None:
    words = RequestWords({}, frozenset({"name", "rdns"}))
    assert awaited(Certificates(dns=("{name}", "{rdns}"), dn={"cn": "{sn}"}), words) == ("name", "rdns")
    assert awaited(Certificates(dn={"cn": "{sn}"}), words) == ()


def test_a_template_says_which_words_it_uses() -> None:
    assert uses(Certificates(dn={"ou": "x{name}y"}), "name")
    assert not uses(Certificates(dn={"ou": "name"}), "name")


@pytest.mark.parametrize(("name", "label"), [("My Phone ä", "my-phone-"), ("Desk_12", "desk-12"), ("a--b", "a--b")])
def test_a_name_becomes_a_label_as_the_php_server_made_it(name: str, label: str) -> None:
    assert dns_name(name) == label


def test_the_names_that_a_device_is_told_to_ask_for_are_known() -> None:
    policy = Certificates(
        dn={"cn": "{sn}", "o": "My Org & Co", "ou": ""}, dns=("{name}.Example.", "{rdns}"), ip=("{ip}", "::0001")
    )
    assert requested_names(policy, KNOWN) == (
        "CN=0090333000af",
        "O=My Org & Co",
        "DNS=desk-12.example",
        "IP=10.0.0.1",
        "IP=::1",
    )


@pytest.mark.parametrize(
    ("kind", "value", "name"),
    [
        ("CN", "a B ", "CN=a B"),
        ("DNS", "A.b.", "DNS=a.b"),
        ("IP", "2001:DB8::00", "IP=2001:db8::"),
        ("IP", "x", "IP=x"),
    ],
)
def test_a_name_is_written_so_that_it_can_be_compared(kind: str, value: str, name: str) -> None:
    assert written_name(kind, value) == name
