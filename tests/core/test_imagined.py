"""Devices that need not exist: what they say, and where and how they call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.actions import script
from gitupd.core.endpoint import Endpoint, parse_place
from gitupd.core.identity import NOT_BY_HTTP, NOT_SHOWN, PRESUMED, Identity
from gitupd.core.imagined import SOMEWHERE, ImaginedDevice, ImaginedPoll
from gitupd.core.plan import plan
from gitupd.core.policy import Transport
from gitupd.core.script import script_of
from gitupd.errors import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.situation import Situation

OPTIONAL = Transport()
REQUIRED = Transport(https="required", https_port=8443)
HERE = Endpoint("http", "upd.example", 8080, "/mtls")
PROXIED = Endpoint("https", "upd.example", 443)
PHONE = ImaginedDevice("IP222")


def calling(transport: Transport, reached: Endpoint, device: ImaginedDevice = PHONE) -> str:
    return device.caller(transport, reached).endpoint.base


def test_a_device_of_which_nothing_is_said_has_all_that_it_needs_to_be_served() -> None:
    caller = PHONE.caller(OPTIONAL, SOMEWHERE)
    assert caller.missing == ()
    assert caller.arguments == {
        "type": "IP222",
        "sn": "00-90-33-00-00-01",
        "hwid": "IP222-00-00-01",
        "ip": "192.0.2.1",
    }


@pytest.mark.parametrize(
    ("transport", "reached", "base"),
    [
        (OPTIONAL, HERE, "http://upd.example:8080/mtls"),
        (OPTIONAL, PROXIED, "https://upd.example"),
        (REQUIRED, HERE, "https://upd.example:8443/mtls"),
        (REQUIRED, PROXIED, "https://upd.example:8443"),
        (Transport(https="required"), HERE, "https://upd.example/mtls"),
    ],
)
def test_it_calls_where_the_server_was_reached_and_as_is_required(
    transport: Transport, reached: Endpoint, base: str
) -> None:
    assert calling(transport, reached) == base


@pytest.mark.parametrize(
    ("transport", "device", "base"),
    [
        (OPTIONAL, ImaginedDevice("IP222", https=True), "https://upd.example/mtls"),
        (REQUIRED, ImaginedDevice("IP222", https=False), "http://upd.example/mtls"),
        (OPTIONAL, ImaginedDevice("IP222", place="10.0.0.2"), "http://10.0.0.2"),
        (OPTIONAL, ImaginedDevice("IP222", place="10.0.0.2:81/a/b/"), "http://10.0.0.2:81/a/b"),
        (REQUIRED, ImaginedDevice("IP222", place="[fe80::1]"), "https://[fe80::1]:8443"),
        (REQUIRED, ImaginedDevice("IP222", place="10.0.0.2:444"), "https://10.0.0.2:444"),
        (REQUIRED, ImaginedDevice("IP222", place="10.0.0.2:81", https=False), "http://10.0.0.2:81"),
    ],
)
def test_where_and_how_it_calls_may_be_said(transport: Transport, device: ImaginedDevice, base: str) -> None:
    assert calling(transport, HERE, device) == base


def test_it_shows_a_certificate_where_one_is_required() -> None:
    def shown(device: ImaginedDevice, transport: Transport) -> Identity:
        return device.identity(transport, device.caller(transport, HERE))

    required = Transport(https="required", client_certificate="required")
    assert shown(PHONE, required) == PRESUMED
    assert shown(PHONE, REQUIRED) == NOT_SHOWN
    assert shown(ImaginedDevice("IP222", certificate=False), required) == NOT_SHOWN
    assert shown(ImaginedDevice("IP222", certificate=True), REQUIRED) == PRESUMED
    assert shown(ImaginedDevice("IP222", certificate=True), OPTIONAL) == NOT_BY_HTTP


@pytest.mark.parametrize(
    "text",
    ["", "http://upd.example", "upd.example:", "upd.example:0", "upd.example:65536", "a b", "a/../b", "a/.", "-"],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(MalformedRequest, match=r"write HOST, HOST:PORT or HOST:PORT/DIRECTORY"):
        parse_place(text)


def test_an_imagined_poll_is_answered_as_a_real_one(situation: Callable[..., Situation]) -> None:
    asked = situation({"snippets/all-all-all.txt": "x\n"}, "type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=i&phase=update")
    poll = ImaginedPoll(asked, "It is not so.")
    assert poll.actions == tuple(plan(asked))
    assert poll.body == script(plan(asked))
    assert b"\nx\r\n" in poll.body
    assert poll.script == script_of(asked, poll.actions, "It is not so.")
