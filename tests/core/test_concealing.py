from __future__ import annotations

import re

import pytest

from gitupd.core.concealing import Veil, looks_secret
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
        ("gatekeeper: 10.0.0.1", "gatekeeper: 10.0.0.1"),
        ("config add X /pw abc /y", "config add X /pw *** /y"),
    ],
)  # fmt: skip
def test_what_is_assigned_to_a_secret_name_is_hidden_in_files(text: str, shown: str) -> None:
    assert Veil((PATTERN,)).source(text) == shown


def test_a_lifted_veil_hides_nothing() -> None:
    veil = Veil((PATTERN,), re.compile("abc"), lifted=True)
    for text in ("config add X /pw abc", "password: abc"):
        assert veil.line(text) == text
        assert veil.source(text) == text
