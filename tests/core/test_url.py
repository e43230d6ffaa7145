"""The update URL that a device gets for its next poll."""

from __future__ import annotations

import re

import pytest

from gitupd.core.actions import Do, Say
from gitupd.core.caller import parse_caller
from gitupd.core.endpoint import Endpoint
from gitupd.core.policy import Delivery, Firmware, Rewrite, Transport
from gitupd.core.url import fast_polling, firmware_url, is_zero, poll_url

HERE = Endpoint("http", "upd.example", 80)


def _next(
    now: dict[str, str], *, polling: str | None, phase: str | None, delivery: Delivery | None = None
) -> list[str]:
    everything = {**now, "type": "x", "sn": "00-90-33-30-00-af", "hwid": "h", "ip": "i"}
    actions = poll_url(parse_caller(everything, HERE), delivery or Delivery(), polling=polling, phase=phase)
    return [
        each.command.replace("config add UP1 /url http%3A%2F%2Fupd.example%2Fupdate.php%3F", "url ")
        for each in actions
        if isinstance(each, Do)
    ]


_SELF = "type%3D%23t%26sn%3D%23m%26hwid%3D%23h%26ip%3D%23i"
_END = ["config add UP1 /no-dhcp", "config write", "config activate"]
_FAST = ["mod cmd UP1 provision 5", "config add UP1 /poll 1"]
_SLOW = ["mod cmd UP1 provision 0", "config rem UP1 /provision", "config add UP1 /poll 15"]


@pytest.mark.parametrize(
    ("now", "polling", "phase", "told"),
    [
        ({"polling": "5", "phase": "a"}, "5", "a", []),
        ({"polling": "05", "phase": "a"}, "5", "a", []),
        ({"polling": "0", "phase": "a"}, "", "a", []),
        ({"polling": "00", "phase": "a"}, "", "a", []),
        ({"phase": "a"}, "", "a", []),
        ({"polling": "5", "phase": "a"}, None, None, []),
        ({"polling": "5", "phase": "a"}, "5", "b", [f"url polling%3D5%26phase%3Db%26{_SELF}", *_END]),
        ({"polling": "5", "phase": "a"}, "", "a", [*_SLOW, f"url polling%3D0%26phase%3Da%26{_SELF}", *_END]),
        ({"polling": "0", "phase": "a"}, "5", "a", [*_FAST, f"url polling%3D5%26phase%3Da%26{_SELF}", *_END]),
        ({"polling": "x", "phase": "a"}, "", None, [*_SLOW, f"url polling%3D0%26phase%3Da%26{_SELF}", *_END]),
        ({"polling": "9" * 5000, "phase": "a"}, "5", None, [*_FAST, f"url polling%3D5%26phase%3Da%26{_SELF}", *_END]),
        ({"phase": "a"}, "", "b", [f"url polling%3D%26phase%3Db%26{_SELF}", *_END]),
        (
            {"a b": "c&d", "phase": "a", "polling": "0"},
            None,
            "b",
            [f"url polling%3D0%26phase%3Db%26a%2520b%3Dc%2526d%26{_SELF}", *_END],
        ),
    ],
)
def test_the_next_update_url(now: dict[str, str], polling: str | None, phase: str | None, told: list[str]) -> None:
    assert _next(now, polling=polling, phase=phase) == told


def test_arguments_that_devices_fill_in_themselves_become_placeholders_again() -> None:
    delivery = Delivery(url_arguments={"room": "#n", "load": None})
    now = {"phase": "a", "room": "17", "load": "0.7", "CFG-BACKUP-NUM": "3", "SCFGdate": "x", "ver": "y"}
    assert (
        _next(now, polling=None, phase="b", delivery=delivery)[0]
        == f"url polling%3D%26phase%3Db%26room%3D%23n%26{_SELF}"
    )


@pytest.mark.parametrize(("fast_poll", "said"), [(None, ""), (0, "0"), (5, "5")])
def test_what_the_url_says_of_fast_polling_while_phases_remain(fast_poll: int | None, said: str) -> None:
    assert fast_polling(Delivery(fast_poll=fast_poll)) == said


@pytest.mark.parametrize(
    ("polling", "zero"), [("0", True), ("000", True), ("5", False), ("", False), ("x", False), ("\u0660", False)]
)
def test_fast_polling_is_off_if_the_url_says_zero(polling: str, *, zero: bool) -> None:
    assert is_zero(polling) is zero


def test_the_first_url_asks_for_all_that_was_missing_and_keeps_what_was_there() -> None:
    caller = parse_caller({"env": "berlin", "sn": "00-90-33-30-00-af"}, HERE)
    actions = list(poll_url(caller, Delivery(), polling="5", phase="staging", first_contact=True))
    said = [action.text for action in actions if isinstance(action, Say)]
    assert said == ["completing the update URL: type, hwid, ip"]
    commands = [action.command for action in actions if isinstance(action, Do)]
    wanted = "polling=5&phase=staging&type=#t&hwid=#h&ip=#i&env=berlin&sn=#m"
    encoded = wanted.replace("=", "%3D").replace("&", "%26").replace("#", "%23")
    url = f"config add UP1 /url http%3A%2F%2Fupd.example%2Fupdate.php%3F{encoded}"
    assert commands == [*_FAST, url, *_END]


def test_a_url_that_lacks_nothing_but_arguments_is_completed_without_a_word_of_polling() -> None:
    caller = parse_caller({"polling": "7", "phase": "a", "sn": "00-90-33-30-00-af"}, HERE)
    actions = list(poll_url(caller, Delivery(), polling=None, phase=None, first_contact=True))
    assert [action.command for action in actions if isinstance(action, Do)] == [
        f"config add UP1 /url http%3A%2F%2Fupd.example%2Fupdate.php%3F{rest}" if rest else command
        for command, rest in [
            ("", "type%3D%23t%26hwid%3D%23h%26ip%3D%23i%26polling%3D7%26phase%3Da%26sn%3D%23m"),
            *((command, "") for command in _END),
        ]
    ]


@pytest.mark.parametrize(
    ("transport", "address"),
    [
        (Transport(https="required"), "https://upd.example/mtls/update.php?"),
        (Transport(https="required", https_port=8443), "https://upd.example:8443/mtls/update.php?"),
        (
            Transport(https="required", https_rewrite=Rewrite(re.compile("mtls/|&ip=#i"), "")),
            "https://upd.example/update.php?",
        ),
    ],
)
def test_the_way_to_https(transport: Transport, address: str) -> None:
    here = Endpoint("http", "upd.example", 80, "/mtls")
    now = {"phase": "a", "type": "x", "sn": "00-90-33-30-00-af", "hwid": "h", "ip": "i"}
    actions = list(poll_url(parse_caller(now, here), Delivery(), polling=None, phase=None, secure=transport))
    commands = [action.command for action in actions if isinstance(action, Do)]
    arguments = "phase=a&type=#t&sn=#m&hwid=#h" + ("" if transport.https_rewrite else "&ip=#i")
    url = f"{address}{arguments}"
    for mark in "/:?=&#":
        url = url.replace(mark, f"%{ord(mark):02X}")
    assert commands == [f"config add UP1 /url {url}", *_END]


@pytest.mark.parametrize(
    ("storage", "model", "filetype", "url"),
    [
        ("fw/{build}/", "IP222", "prot", "http://upd.example/fw/1/"),
        ("{model}/{filetype}/{filename}", "IP29-2", "prot", "http://upd.example/IP29-2/prot/ip29.bin"),
        ("{filename}?{build}", "IP222", "boot", "http://upd.example/boot222.bin?1"),
        ("https://f.example/{filename}", "Own", "prot", "https://f.example/mine.bin"),
        ("{model}/{filename}", "a b", "boot", "http://upd.example/a%20b/boota%20b.bin"),
    ],
)
def test_where_a_model_finds_its_build(storage: str, model: str, filetype: str, url: str) -> None:
    policy = Firmware(storage=storage, file_names={"own": {"prot": "mine.bin"}})
    assert firmware_url(HERE, policy, "1", model, filetype) == url
