from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.concealing import Values, Veil, looks_secret
from gitupd.core.policy import Backup, Environment, Policy
from gitupd.core.snapshot import CommitId, KnownDevice, Snapshot

PATTERN = re.compile(r"(/pw) (\S+)")


def snapshot(variables: dict[str, str], *, device: dict[str, str] | None = None, hide: str = "") -> Snapshot:
    policy = Policy(
        environments={"default": Environment("default", variables=variables)},
        backup=Backup(hide=(re.compile(hide),) if hide else ()),
    )
    devices = {"009033000001": KnownDevice(variables=device or {})}
    return Snapshot(CommitId("0" * 40), policy, devices=devices)


@pytest.mark.parametrize(
    "name",
    ["password", "sip_password", "Passwd", "gk-pw", "pw", "PIN", "sip.secret", "api_key", "apikey", "psk2", "token",
     "sippassword", "clientsecret", "pass", "shared-key"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["gatekeeper", "pinned", "key", "name", "compass", "tokens_of_esteem", "ldap", "spin"])
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not looks_secret(name)


def test_values_of_secret_variables_are_hidden_wherever_they_occur() -> None:
    veil = Veil.over([snapshot({"sip_password": "s p&ce", "gatekeeper": "10.1.0.1"}, device={"pin": "98765"})])
    assert veil.line("config add X /a s%20p%26ce /b 10.1.0.1") == "config add X /a *** /b 10.1.0.1"
    assert veil.line("x s p&ce y 98765") == "x *** y ***"


@given(st.lists(st.text("ab", min_size=4, max_size=8), max_size=6), st.text("ab ", max_size=40))
def test_values_are_hidden_as_an_expression_of_all_of_them_would(values: list[str], text: str) -> None:
    longest_first = sorted(values, key=len, reverse=True)
    told = re.sub("|".join(longest_first), "***", text) if values else text
    assert Values(values).hidden(text) == told


def test_ten_thousand_secrets_and_long_lines_take_no_time() -> None:
    values = Values(f"secret-of-device-{number}" for number in range(10_000))
    veil = Veil((PATTERN,), values)
    lines = ["config add PHONE/SIG /prot SIP /gk-addr sip.example.com /e164 1234 /hw IP222"] * 1000 + ["a" * 4000] * 20
    started = time.process_time()
    assert [veil.source(line) for line in lines] == lines
    assert time.process_time() - started < 1


def test_short_values_are_not_looked_for() -> None:
    assert Veil.over([snapshot({"pin": "1"})]).line("poll 15") == "poll 15"


def test_of_two_values_the_longer_one_is_hidden_whole() -> None:
    veil = Veil.over([snapshot({"password": "abcd", "other_password": "abcdefgh"})])
    assert veil.line("abcdefgh abcd") == "*** ***"


def test_every_snapshot_adds_what_it_hides() -> None:
    veil = Veil.over([snapshot({}, hide=r"(/pw) (\S+)"), snapshot({}, hide=r"(/psk) (\S+)")])
    assert veil.line("x /pw one /psk two") == "x /pw *** /psk ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  password: hunter2 and more", "  password: ***"),
        ("  b: {implies: [a], variables: {password: x, y: z}}", "  b: {implies: [a], variables: {password: ***"),
        ('"secret" : "x"', '"secret" : ***'),
        ("TOKEN = 'x'", "TOKEN = ***"),
        ("password:", "password:"),
        ("url: https://ada:hunter:2@10.0.0.1/x?y=a@b", "url: https://ada:***@10.0.0.1/x?y=a@b"),
        ("url: https://10.0.0.1:8080/a:b@c", "url: https://10.0.0.1:8080/a:b@c"),
        ("gatekeeper: 10.0.0.1", "gatekeeper: 10.0.0.1"),
        ("config add X /pw abc /y", "config add X /pw *** /y"),
    ],
)  # fmt: skip
def test_what_is_assigned_to_a_secret_name_is_hidden_in_files(text: str, shown: str) -> None:
    assert Veil((PATTERN,)).source(text) == shown


def test_a_lifted_veil_hides_nothing() -> None:
    veil = Veil((PATTERN,), Values(["abcd"]), lifted=True)
    for text in ("config add X /pw abcd", "password: abcd"):
        assert veil.line(text) == text
        assert veil.source(text) == text
