"""Whatever a request holds, a device gets no command that a harmless request would not have brought."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitupd.core.actions import script
from gitupd.core.caller import MOST_ENVIRONMENTS, REQUIRED, parse_caller
from gitupd.core.firmware import Builds
from gitupd.core.plan import plan
from gitupd.core.situation import Situation
from gitupd.errors import MalformedRequest
from gitupd.settings import Settings
from gitupd.web.asgi.request import Requests, parse_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitupd.core.endpoint import Endpoint

_FILES = {
    "phases.yaml": "phases: {staging: {order: 1}, update: {order: 2}}",
    "environments.yaml": "environments: {default: {}, berlin: {}}",
    "snippets/all-all-all.txt": "config add A /snippet 1\n",
    "policies/backup.yaml": "enabled: true",
    "policies/delivery.yaml": "window: {hours: [1], initial_minutes: 2}",
    "policies/firmware.yaml": """\
master: {url: "http://10.0.0.1/"}
firmware: master
bootcode: "1"
storage: "fw/{build}/{model}/{filetype}/{filename}"
""",
    "queries.yaml": "queries: {admin: {applies: [all]}}",
}
_SWITCH = _FILES | {"policies/transport.yaml": "https: required"}

_KNOWN_NAMES = (
    "type",
    "sn",
    "hwid",
    "ip",
    "env",
    "phase",
    "polling",
    "PROT",
    "BOOT",
    "CHECK",
    "PROTdate",
    "ver",
    "room",
)
_PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b"\x0c", b"\x1c", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\xff\xfe"]
    ),
    st.sampled_from(
        [
            b"config reset",
            b"\nreset\n",
            b" ser x",
            b"%0d%0areset",
            b"#m",
            b"{build}",
            b"{filename}",
            b"%%",
            b"+",
            b"\\1",
        ]
    ),
    st.sampled_from([b"IP222", b"00-90-33-30-00-af", b"berlin", b"staging", b"update", b"5", b"0", b"9" * 5000]),
)
_VALUES = st.lists(_PIECES, max_size=3).map(b"".join)


def _written(arguments: list[tuple[bytes, bytes, bool]]) -> bytes:
    pairs = (
        name + b"=" + (quote_from_bytes(value).encode() if encoded else value) for name, value, encoded in arguments
    )
    return b"&".join(pairs)


_NAMES = st.one_of(st.sampled_from([name.encode() for name in _KNOWN_NAMES]), _VALUES)
_QUERIES = st.one_of(
    st.binary(max_size=200), st.lists(st.tuples(_NAMES, _VALUES, st.booleans()), max_size=14).map(_written)
)
_IDENTITY = b"type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.7"

_URL = r"https?://[0-9A-Za-z.:\[\]_-]+(/[0-9A-Za-z%._~-]*)*"
_SHAPES = re.compile(
    r"mod cmd UP1 provision \d+|config rem UP1 /provision|config add UP1 /poll \d+"
    r"|config add UP1 /url [0-9A-Za-z%._~-]+|config add UP1 /no-dhcp|config write|config activate|iresetn"
    r"|mod cmd UP1 check ser [0-9a-f]{32}|config add A /snippet 1|mod cmd UP1 times  (/allow 1 )?/initial 2"
    rf"|mod cmd UP0 scfg {_URL}\?mode=backup&hwid=#h&sn=#m"
    rf"|mod cmd UP0 scfg {_URL}\?mode=query&sn=#m&id=admin ser nop /always mod%20cmd%20CMD0%20xml-info"
    rf"|mod cmd UP0 prot {_URL} ser 134250|mod cmd UP0 boot {_URL} ser 1",
    re.ASCII,
)
_FREE = re.compile(r"(?<=/url )\S+|https?://\S+|(?<=ser )[0-9a-f]{32}")


def _commands(sent: bytes) -> list[str]:
    """Return the commands of a script for a device that takes anything for the end of a line."""
    return [line for line in sent.decode().splitlines() if not line.startswith("#")]


def _harmless(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return arguments of the same names, and of harmless values that lead to the same decisions."""
    chosen = {"type": "IP222", "hwid": "x", "ip": "10.0.0.7", "PROT": "x", "BOOT": "x", "CHECK": "x", "env": "default"}
    result: dict[str, str] = {}
    for number, (name, value) in enumerate(arguments.items()):
        decides = name == "sn" or (name == "phase" and value in ("", "staging", "update"))
        if decides or (name == "polling" and re.fullmatch("[0-9]{0,9}", value, re.ASCII)):
            result[name] = value
        elif name in _KNOWN_NAMES:
            result[name] = chosen.get(name, "nonsense")
        else:
            result[f"own{number}"] = "x"
    return result


@pytest.mark.parametrize("files", [_FILES, _SWITCH], ids=["http", "https required"])
@pytest.mark.parametrize("identity", [b"", _IDENTITY + b"&", _IDENTITY + b"&phase=update&"], ids=["", "new", "settled"])
def test_no_query_makes_a_command(situation: Callable[..., Situation], files: dict[str, str], identity: bytes) -> None:
    known = situation(files, "", builds=Builds("134250", "1"))

    def answer(arguments: Mapping[str, str]) -> list[str]:
        caller = parse_caller(arguments, known.caller.endpoint)
        return _commands(script(plan(Situation(known.snapshot, caller, known.now, builds=known.builds))))

    @settings(max_examples=150)
    @given(_QUERIES)
    @example(b"env=%0d%0areset&phase=%0areset&room=%0d%0areset")
    @example(b"polling=" + b"9" * 5000 + b"&env=\xff\xe2\x80\xa8reset")
    @example(b"type=IP222%85reset&CHECK=%e2%80%a8reset&env=%c2%85reset,%0breset")
    @example(b"room=x+y%20z&%0dreset=1&type={filename}")
    def holds(query: bytes) -> None:
        try:
            arguments = parse_arguments(identity + query)
            commands = answer(arguments)
        except MalformedRequest:
            return
        assert [line for line in commands if not _SHAPES.fullmatch(line)] == []
        expected = answer(_harmless(arguments))
        assert [_FREE.sub("*", line) for line in commands] == [_FREE.sub("*", line) for line in expected]

    holds()


@settings(max_examples=300)
@given(
    path=st.one_of(st.binary(max_size=40), st.lists(_PIECES, max_size=4).map(b"/".join)).map(
        lambda folder: b"/" + folder + b"/update.php"
    ),
    host=st.one_of(st.sampled_from([b"upd.example", b"[::1]:8080", b"10.0.0.1:81"]), _VALUES),
)
def test_no_path_or_host_makes_a_command(situation: Callable[..., Situation], path: bytes, host: bytes) -> None:
    known = situation(_FILES, "", builds=Builds("134250", "1"))
    scope = {
        "headers": [(b"host", host)],
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "raw_path": path,
    }
    try:
        endpoint: Endpoint = Requests(Settings()).endpoint(scope)
    except MalformedRequest:
        return
    for query in (b"", _IDENTITY, _IDENTITY + b"&phase=update&polling=5"):
        caller = parse_caller(parse_arguments(query), endpoint)
        sent = script(plan(Situation(known.snapshot, caller, known.now, builds=known.builds)))
        assert [line for line in _commands(sent) if not _SHAPES.fullmatch(line)] == []


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", ["%0a", "%0d", "%00", "%7f", "%1b", "%0b"])
def test_control_characters_are_refused(situation: Callable[..., Situation], name: str, value: str) -> None:
    with pytest.raises(MalformedRequest, match="control character"):
        situation({}, f"{name}=00-90-33-30-00-af{value}")


@pytest.mark.parametrize("count", [1, 11, MOST_ENVIRONMENTS])
def test_a_poll_that_names_many_environments_is_answered_briefly(
    situation: Callable[..., Situation], count: int
) -> None:
    sent = script(tuple(plan(situation({}, "env=" + ",".join(["x" * 60] * count)))))
    assert 1 <= sent.count(b"environment") < 13


def test_more_environments_than_a_device_is_in_are_refused(situation: Callable[..., Situation]) -> None:
    with pytest.raises(MalformedRequest, match="more than 100 environments"):
        situation({}, "env=" + "a," * MOST_ENVIRONMENTS)
