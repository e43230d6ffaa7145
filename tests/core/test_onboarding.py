from __future__ import annotations

import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from gitupd.core.onboarding import Onboarding

DEVICE = Onboarding("http://upd.example:8080/", ("homeoffice", "berlin"), "Desk 12 & 50%", 1)


def test_the_update_url_names_the_environments() -> None:
    assert DEVICE.url == "http://upd.example:8080/update.php?env=homeoffice,berlin"
    assert parse_qs(urlsplit(Onboarding("http://h/", ("a&b", "ü")).url).query) == {"env": ["a&b,ü"]}
    assert Onboarding("http://h/", ()).url == "http://h/update.php"


def test_values_in_commands_are_encoded_as_a_whole() -> None:
    assert DEVICE.commands == (
        "config add UP1 /url http%3A%2F%2Fupd.example%3A8080%2Fupdate.php%3Fenv%3Dhomeoffice%2Cberlin /poll 1",
        "config add CMD0 /name Desk%2012%20%26%2050%25",
        "config write",
        "config activate",
        "mod cmd UP1 poll",
    )
    assert unquote(DEVICE.commands[0].split()[4]) == DEVICE.url
    assert not any("CMD0" in line for line in Onboarding("http://h/", ("a",)).commands)


def test_links_hold_the_commands_encoded_once_more() -> None:
    android, ios = DEVICE.android_link, DEVICE.ios_link
    assert android.startswith("https://com.innovaphone.commands/config%20add%20UP1%20%2Furl%20http%253A")
    assert ios.startswith("com.innovaphone.commands://ser%0D%0Aconfig%20add")
    assert unquote(android.removeprefix("https://com.innovaphone.commands/")).split("\r\n") == [*DEVICE.commands, ""]
    assert unquote(ios.removeprefix("com.innovaphone.commands://")).split("\r\n") == ["ser", *DEVICE.commands, ""]


def test_dhcp_servers_hand_out_both_options() -> None:
    assert DEVICE.dnsmasq == (
        'dhcp-option=vendor:1.3.6.1.4.1.6666,215,"http://upd.example:8080/update.php?env=homeoffice,berlin"',
        "dhcp-option=vendor:1.3.6.1.4.1.6666,216,1",
    )
    assert f'  option innovaphone.update-url "{DEVICE.url}";' in DEVICE.dhcpd
    options = json.loads("{" + "\n".join(DEVICE.kea) + "}")
    assert [each["code"] for each in options["option-def"]] == [215, 216]
    assert options["client-classes"][0]["option-data"][1]["data"] == DEVICE.url


@pytest.mark.parametrize("name", ["Desk\r\nmod cmd X", "a /b c", "“ü”"])
def test_no_name_gets_out_of_its_place(name: str) -> None:
    line = Onboarding("http://h/", ("a",), name).commands[1]
    assert line.startswith("config add CMD0 /name ")
    assert len(line.split()) == 5
    assert line.isascii()
