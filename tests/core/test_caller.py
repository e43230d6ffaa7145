"""Serial numbers, and who calls."""

from __future__ import annotations

import pytest

from gitupd.core.caller import Request, Serial, parse_caller, parse_serial
from gitupd.core.endpoint import Endpoint
from gitupd.errors import MalformedRequest

HERE = Endpoint("http", "upd.example", 80)


@pytest.mark.parametrize("text", ["00-90-33-30-00-af", "00:90:33:30:00:AF", "0090333000af", "0090-3330:00AF"])
def test_serial_numbers(text: str) -> None:
    assert parse_serial(text) == Serial("0090333000af")
    assert str(parse_serial(text)) == "00-90-33-30-00-af"
    assert parse_serial(text).place == "00_90_33_30_00_af"


@pytest.mark.parametrize(
    "text",
    [
        *("", "all", "0" * 13, "00-90-33-30-00-a", "00-90-33-30-00-af-", "00_90_33_30_00_af", "00-90-33-30-00-ag"),
        *("0090333000af\n", " 0090333000af", "\u0660\u06600090333000af"[:12], "00--90333000af"),
    ],
)
def test_what_is_no_serial_number(text: str) -> None:
    with pytest.raises(MalformedRequest, match="is no serial number"):
        parse_serial(text)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"sn": "x"}, "is no serial number"),
        ({"type": "IP 222"}, "'type'"),
        ({"type": "../../x"}, "'type'"),
        ({"type": "a" * 65}, "'type'"),
        ({"hwid": "<script>"}, "'hwid'"),
        ({"hwid": "a" * 2001}, "'hwid'"),
        ({"ip": '"'}, "'ip'"),
        ({"own": "\x1b"}, "control character"),
        ({"o\nwn": ""}, "control character"),
    ],
)
def test_callers_that_are_no_devices(arguments: dict[str, str], reason: str) -> None:
    with pytest.raises(MalformedRequest, match=reason):
        parse_caller(arguments, HERE)


def test_a_caller_says_what_it_is() -> None:
    caller = parse_caller({"type": "IP222", "sn": "00-90-33-30-00-AF", "env": "b,a,"}, HERE)
    assert (caller.model, caller.serial, caller.place) == ("IP222", Serial("0090333000af"), "00_90_33_30_00_af")
    assert (caller.missing, caller.environments) == (("hwid", "ip"), ("b", "a", ""))
    assert (caller.get("env"), caller.get("PROT")) == ("b,a,", None)
    nobody = parse_caller({}, HERE)
    assert (nobody.model, nobody.serial, nobody.environments) == ("", None, None)
    assert nobody.missing == ("type", "sn", "hwid", "ip")


def test_a_request_without_check_says_all_else() -> None:
    said = Request({"sn": "00-90-33-30-00-af", "CHECK": "abc", "CHECKdate": "x"}, HERE)
    assert said.without_check() == Request({"sn": "00-90-33-30-00-af", "CHECKdate": "x"}, HERE)
