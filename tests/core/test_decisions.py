"""Single decisions of the core."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.actions import (
    BootcodeRequested,
    Compute,
    Confirmed,
    Deliver,
    Do,
    FirmwareRequested,
    InPhase,
    Line,
    Say,
    Warn,
    lines,
    script,
)
from gitupd.core.caller import Origin, Request, Serial, parse_caller, parse_serial
from gitupd.core.device import Device, Message, Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.core.firmware import Builds, parse_version
from gitupd.core.plan import plan
from gitupd.core.policy import Delivery, DeviceClass, Environment, Policy, Window
from gitupd.core.snapshot import CommitId, Snapshot, Snippet, check_serial
from gitupd.core.url import poll_url
from gitupd.errors import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.actions import Action
    from gitupd.core.situation import Situation

HERE = Endpoint("http", "upd.example", 80)
COMMIT = CommitId("ab" * 20)
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def _snippet(name: str, content: bytes = b"x\n") -> Snippet:
    phase, device_class, place = name.split("-")
    return Snippet(f"snippets/{name}.txt", phase, device_class, place, content)


# Environments, classes, phases


@pytest.mark.parametrize(
    ("names", "full", "first_only"),
    [
        (["a"], "a x y", "a x y"),
        (["a", "b"], "a x y b y z", "a x y"),
        (["b", "a"], "b y z", "b y z"),
        (["c", "a"], "c a x y", "c x y"),
        (["c", "c"], "c", "c"),
        (["x", "a", "x"], "x a y", "x x y"),
    ],
)
def test_environments_are_expanded(names: list[str], full: str, first_only: str) -> None:
    implied = {"a": ("x", "y"), "b": ("y", "z"), "c": (), "x": (), "y": ("z",), "z": ()}
    policy = Policy(environments={name: Environment(name, implies) for name, implies in implied.items()})
    unique = list(dict.fromkeys(name for each in names for name in (each, *implied[each])))
    assert policy.expanded(names) == tuple(unique)
    assert set(full.split()) <= set(unique)
    assert replace(policy, full_expansion=False).expanded(names) == tuple(first_only.split())


def test_a_model_is_the_last_of_its_classes_unless_a_class_bears_its_name() -> None:
    phone = DeviceClass("phone", frozenset({"ip222", "ip232"}), "phone")
    own = DeviceClass("ip232", frozenset({"ip232", "ip241"}), "other")
    policy = Policy(classes=(own, phone))
    assert policy.classes_of("IP222") == (phone, DeviceClass("ip222", frozenset({"ip222"}), "ip222"))
    assert policy.classes_of("Ip232") == (own, phone)
    assert policy.classes_of("IP241") == (own, DeviceClass("ip241", frozenset({"ip241"}), "ip241"))
    assert policy.classes_of("ÏP") == (DeviceClass("Ïp", frozenset({"Ïp"}), "Ïp"),)


def test_the_first_run_stands_before_the_last_phase() -> None:
    delivery = Delivery(window=Window(("1",), None), first_run_ignores_window=True)
    policy = Policy(phases=("staging", "update"), delivery=delivery)
    assert policy.staged_phases == ("staging", "_first_update", "update")
    without_hours = replace(delivery, window=Window(None, 5))
    assert replace(policy, delivery=without_hours).staged_phases == policy.phases
    assert replace(policy, delivery=replace(delivery, window=None)).staged_phases == policy.phases


def test_snippets_come_by_phase_then_class_then_place() -> None:
    names = [
        f"{phase}-{device_class}-{place}"
        for phase in ("all", "update")
        for device_class in ("all", "phone", "ip222")
        for place in ("all", "00_90_33_30_00_af", "berlin", "intranet")
    ]
    others = ["staging-all-all", "update-gw-all", "update-phone-default", "update-all-00_90_33_30_00_b0"]
    snapshot = Snapshot(COMMIT, Policy(), tuple(map(_snippet, [*others, *reversed(names)])))
    found = snapshot.select("Update", ["phone", "IP222"], ["00_90_33_30_00_AF", "Berlin", "intranet"])
    assert [f"{each.phase}-{each.device_class}-{each.place}" for each in found] == names


def test_a_snippet_is_sent_once() -> None:
    snapshot = Snapshot(COMMIT, Policy(), (_snippet("all-all-all"),))
    assert len(snapshot.select("all", ["all", "all"], ["all"])) == 1


# The CHECK serial


@pytest.mark.parametrize(
    ("content", "counted"),
    [
        (b"a\nb\n", b"ab"),
        (b"a\r\nb", b"ab"),
        (b" a b \t\r\n\r\n# c \n", b"a b# c"),
        (b"\0a\0\x0b\n", b"a"),
        (b"a\rb\n", b"a\rb"),
        (b"\x0ca\x0c\n", b"\x0ca\x0c"),
        ("\u00a0a\u00a0\n".encode(), "\u00a0a\u00a0".encode()),
        ("\u00a0a\n".encode("latin-1"), b"\xa0a"),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfa"),
        ("\u2003\x85\x1c a\n".encode(), "\u2003\x85\x1c a".encode()),
        (b"\n\n \n", b""),
        (b"", b""),
    ],
)
def test_lines_count_for_the_check_as_the_php_server_trimmed_them(content: bytes, counted: bytes) -> None:
    expected = hashlib.md5(b"before" + counted + b"after", usedforsecurity=False).hexdigest()
    assert check_serial(["be", "fore"], [_snippet("a-b-c", content)], ["after"]) == expected


def test_computed_lines_count_untrimmed_and_snippets_without_anything_between() -> None:
    expected = hashlib.md5(b" x abcd y ", usedforsecurity=False).hexdigest()
    assert check_serial([" x "], [_snippet("a-b-c", b"a\nb"), _snippet("d-e-f", b" c\n d")], [" y "]) == expected


def test_lines_are_sent_as_they_are_with_cr_lf() -> None:
    snippet = _snippet("a-b-c", b" a \r\n\r\nb\rc\n\xff\0")
    assert snippet.lines == (b" a ", b"", b"b\rc", b"\xff\0")
    assert snippet.sent == b" a \r\n\r\nb\rc\r\n\xff\0\r\n"
    assert _snippet("a-b-c", b"").sent == b""
    assert script([Deliver(snippet)]) == snippet.sent
    assert [line.number for line in lines([Deliver(snippet)])] == [1, 2, 3, 4]


# Actions


@pytest.mark.parametrize(
    "separator", ["\r", "\n", "\0", "\x0b", "\x0c", "\x1c", "\x1e", "\x7f", "\x85", "\u2028", "\u2029"]
)
def test_a_command_is_one_line_or_refused(separator: str) -> None:
    with pytest.raises(ValueError, match="not one command line"):
        Do(f"config write{separator}reset")
    said = script([Say(f"hello{separator}reset"), Warn(f"{separator}reset")]).decode()
    assert [line[:2] for line in said.splitlines()] == ["# ", "# "]


@pytest.mark.parametrize("command", ["", "  ", "# config write"])
def test_no_command_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match="not one command line"):
        Do(command)


@pytest.mark.parametrize("line", ["a\nb", "a\r", "\n"])
def test_a_computed_line_is_one_line(line: str) -> None:
    with pytest.raises(ValueError, match="not one line"):
        Compute(line)


def test_a_comment_is_characters_even_if_a_device_sent_none() -> None:
    assert script([Say("type \udcff\udce9 ü")]) == "# type ?? ü\r\n".encode()


def test_facts_make_no_lines() -> None:
    facts: list[Action] = [FirmwareRequested("1"), BootcodeRequested("1"), Confirmed("x"), InPhase("update", None)]
    assert list(lines([*facts, Do("x")])) == [Line(b"x", Do("x"))]


# Serial numbers and callers


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
    nobody = parse_caller({}, HERE)
    assert (nobody.model, nobody.serial, nobody.environments) == ("", None, None)
    assert nobody.missing == ("type", "sn", "hwid", "ip")


# The next update URL


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


def test_addresses_lie_below_the_place_where_the_device_reached_the_server() -> None:
    endpoint = Endpoint("http", "upd.example", 8080, "/a%20b")
    assert endpoint.base == "http://upd.example:8080/a%20b"
    assert endpoint.full("fw/1/") == endpoint.full("/fw/1/") == "http://upd.example:8080/a%20b/fw/1/"
    assert endpoint.full("https://cdn.example/x") == "https://cdn.example/x"
    assert Endpoint("https", "[::1]", 443).base == "https://[::1]"
    assert endpoint.moved_to_https(None) == Endpoint("https", "upd.example", 443, "/a%20b")


# Firmware


@pytest.mark.parametrize(
    ("version", "builds"),
    [
        ("13r2 IP222[13.4250], Bootcode[131286], HW[1300]", Builds("134250", "131286")),
        ("13r2 [x] IP222[13A146], Bootcode[13.1], HW[]", Builds("13A146", "13.1")),
        ("13r2 IP222[13 4250], Bootcode[131286], HW[1300]", None),
        ("13r2 IP222[], Bootcode[131286], HW[1300]", None),
        ("13r2 IP222[1], Bootcode[2\n], HW[1300]", None),
        ("13r2 IP222[1], Bootcode[2]", None),
        ("", None),
    ],
)
def test_versions(version: str, builds: Builds | None) -> None:
    assert parse_version(version) == builds


@pytest.mark.parametrize(
    ("firmware", "model", "urls"),
    [
        (
            "firmware: 137213\nbootcode: firmware",
            "IP222",
            ["prot /fw/137213/ ser 137213", "boot /fw/137213/ ser 137213"],
        ),
        (
            "firmware: 13A146\nstorage: '{model}/{filetype}/{filename}'",
            "IP29-2",
            ["prot /IP29-2/prot/ip29.bin ser 13A146"],
        ),
        ("bootcode: '1'\nstorage: '{filename}?{build}'", "IP222", ["boot /boot222.bin?1 ser 1"]),
        ("firmware: '1'\nstorage: '{filename}'", "MyPBXa", ["prot /mypbx.apk ser 1"]),
        ("firmware: '1'\nbootcode: '1'", "swphone", []),
        ("firmware: '1'\napplies: [{class: gw}]", "IP222", []),
        ("firmware: '1'\napplies: [{class: phone}, {environment: default}]", "IP222", ["prot /fw/1/ ser 1"]),
        ("firmware: none", "IP222", []),
    ],
)
def test_firmware_requests(situation: Callable[..., Situation], firmware: str, model: str, urls: list[str]) -> None:
    query = f"type={model}&sn=00-90-33-30-00-af&hwid=h&ip=i"
    asked = situation({"policies/firmware.yaml": firmware}, query, HERE)
    commands = [each.command for each in plan(asked) if isinstance(each, Do)]
    told = [each.removeprefix("mod cmd UP0 ").replace("http://upd.example", "") for each in commands if " ser " in each]
    assert [each for each in told if each.startswith(("prot", "boot"))] == urls
    assert commands.count("iresetn") == (2 if urls else 1)


# What is remembered


def test_what_a_request_says_is_remembered_and_what_it_does_not_say_is_kept() -> None:
    told = {"type": "IP222", "hwid": "h", "ip": "i", "PROT": "1", "BOOT": "2", "CHECK": "3"}
    made_of_it = Recognised(("a",), ("b",), ("phone",), "Desk 12")
    origin = Origin("10.0.0.7", proxy="127.0.0.1")
    device = Device(Serial("0090333000af")).seen(parse_caller(told, HERE), made_of_it, origin, NOON)
    assert device == Device(
        Serial("0090333000af"), hardware_id="h", model="IP222", given_name="Desk 12", address="10.0.0.7",
        own_address="i", proxy="127.0.0.1", environments=("a",), unknown_environments=("b",), classes=("phone",),
        firmware="1", bootcode="2", check="3", first_seen=NOON, last_seen=NOON, request=Request(told, HERE),
    )  # fmt: skip
    little = {"PROT": "", "hwid": ""}
    again = device.seen(parse_caller(little, HERE), Recognised(("c",)), Origin(), LATER)
    assert again == replace(
        device, given_name=None, proxy=None, environments=("c",), unknown_environments=(), classes=(),
        last_seen=LATER, request=Request(little, HERE),
    )  # fmt: skip


def test_an_identity_that_changes_is_noticed() -> None:
    def seen(device: Device, hardware_id: str, address: str, at: datetime) -> Device:
        return device.seen(parse_caller({"hwid": hardware_id}, HERE), Recognised(), Origin(address), at)

    first = seen(Device(Serial("0090333000af")), "IP222-1", "10.0.0.7", NOON)
    assert (first.hardware_changed, first.address_changed) == (None, None)
    moved = seen(first, "IP222-1", "10.0.0.8", LATER)
    assert (moved.previous_address, moved.address_changed, moved.address_returned) == ("10.0.0.7", LATER, None)
    back = seen(moved, "IP111-1", "10.0.0.7", LATER)
    assert (back.previous_address, back.address_returned) == ("10.0.0.8", LATER)
    assert (back.previous_hardware_id, back.hardware_changed) == ("IP222-1", LATER)


def test_a_device_that_comes_in_the_next_phase_has_executed_what_sent_it_there() -> None:
    staged = Device(Serial("0090333000af")).after([InPhase("staging", None), Deliver(_snippet("a-b-c"))], COMMIT, NOON)
    assert (staged.sent, staged.confirmed) == (COMMIT, None)
    again = staged.after([InPhase("staging", None)], COMMIT, LATER)
    assert again.confirmed is None
    arrived = staged.after([InPhase("update", "staging")], CommitId("b" * 40), LATER)
    assert (arrived.confirmed, arrived.confirmed_at) == (COMMIT, LATER)


def test_what_an_answer_does_to_a_device() -> None:
    device = Device(Serial("0090333000af"), settled=True, snippets=("snippets/old.txt",))
    actions: list[Action] = [
        InPhase("update", None),
        Say("x"),
        Do("y"),
        FirmwareRequested("1"),
        BootcodeRequested("2"),
        Deliver(_snippet("a-b-c")),
        Deliver(_snippet("d-e-f")),
        Compute("z"),
        Warn("careful"),
    ]
    after = device.after(actions, COMMIT, NOON)
    assert after == replace(
        device, phase="update", settled=False, firmware_wanted="1", firmware_requested=NOON, bootcode_wanted="2",
        bootcode_requested=NOON, sent=COMMIT, sent_at=NOON, snippets=("snippets/a-b-c.txt", "snippets/d-e-f.txt"),
        messages=(Message(NOON, "careful"),),
    )  # fmt: skip
    confirmed = after.after([InPhase("update", None), Confirmed("3")], COMMIT, NOON)
    assert confirmed == replace(after, settled=True, confirmed=COMMIT, confirmed_at=NOON)
