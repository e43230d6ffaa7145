from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pace import slowness

from gitupd.config.builtin import BUILTIN
from gitupd.config.patterns import compiled
from gitupd.core.concealing import Values, Veil, hidden, looks_secret
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


BUILT_IN = tuple(map(compiled, BUILTIN.secret_patterns))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("config add A /pw  x /y z", "config add A /pw  *** /y z"),
        ("config add A /pw /psk x /y z", "config add A /pw *** *** /y z"),
        ("config add A /hotkeys 1 /spin 3 /bypass on", "config add A /hotkeys 1 /spin 3 /bypass on"),
        ("config add A /name x /auth-name y /user z", "config add A /name x /auth-name y /user z"),
        ("config add CMD0 /user admin,x /name Desk", "config add CMD0 /user admin,*** /name Desk"),
        ("vars create X/PW p x", "vars create X/PW p ***"),
        ("vars create X509/REQUESTKEY pb 3082", "vars create X509/REQUESTKEY pb ***"),
        ("vars create X/Y pc two words", "vars create X/Y pc ***"),
        ("vars create X/Y p plain", "vars create X/Y p plain"),
        ('add-item 1 (cn=A)(pbx=<user pwd="a &amp; b" e="1"/>)', 'add-item 1 (cn=A)(pbx=<user pwd="***" e="1"/>)'),
        ("add-item 1 (cn=A)(pwd=x)(e164=1)", "add-item 1 (cn=A)(pwd=***)(e164=1)"),
        ("/url http://h/x?token=x&a=b", "/url http://h/x?token=***&a=b"),
        ("/url http%3A%2F%2Fh%2Fx%3Fpw%3Dx%26a%3Db", "/url http%3A%2F%2Fh%2Fx%3Fpw%3D***%26a%3Db"),
        ("/url http%3A%2F%2Fada%3Ax%40h%2F", "/url http%3A%2F%2Fada%3A***%40h%2F"),
        ("/url%3Dhttp%253A%252F%252Fada%253Ax%2540h%252F", "/url%3Dhttp%253A%252F%252Fada%253A***%2540h%252F"),
        ("config add A /pw \u00fc\u3000x\u00a0y\x0bz /b c", "config add A /pw *** /b c"),
    ],
)  # fmt: skip
def test_what_the_built_in_patterns_hide(line: str, shown: str) -> None:
    assert Veil(BUILT_IN).line(line) == shown


@pytest.mark.parametrize(
    "part",
    ["/", "key", "key=", "/key ", " /pw", " /pw-", " /-pin", "pw%3d", 'key="', "key='", "vars create ",
     "vars create c", "://a:", "://a:b@", "%3a%2f%2fa%3a", "%25", ":%25", " /user ,", "/user a,", "@", '/pw "', "1",
     "key1", " ", "="],
)  # fmt: skip
def test_no_line_takes_long_whatever_a_device_writes(part: str) -> None:
    started = time.process_time()
    for front in ("", "/pw ", "vars create ", "http://a:b@"):
        Veil(BUILT_IN).line(front + part * (32_768 // len(part)))
    assert time.process_time() - started < slowness()


@pytest.mark.parametrize("pattern", [r"(pwd)=(.*)", r"(pwd)=([^&]*)", r"(/pw) (\S+)", r"(p)(\S+?)", r"", r"x*"])
def test_secrets_within_secrets_take_no_time(pattern: str) -> None:
    started = time.process_time()
    for text in ("pwd=" * 8_000, "/pw " * 8_000, "p" * 32_000):
        hidden(text, [re.compile(pattern)])
    assert time.process_time() - started < slowness()


def test_a_secret_may_be_what_names_the_next_one() -> None:
    patterns = [re.compile(r"(/pw|/psk) (\S+)")]
    assert hidden("/pw /psk x /y z", patterns) == "/pw *** *** /y z"
    assert hidden("/pw x /psk y", patterns) == "/pw *** /psk ***"
    assert hidden("x /pw", patterns) == "x /pw"
    assert hidden("pwd=pwd=x&b pwd=y", [re.compile("(pwd)=([^&]*)")]) == "pwd=***&b pwd=***"
    assert hidden("/pw /pw /pw a b", patterns) == "/pw *** *** *** b"
    assert hidden("aXbXcd", [re.compile("X(..)")]) == "aX******"


def test_values_are_hidden_however_they_are_written() -> None:
    veil = Veil.over([snapshot({"password": "a b/c&d"})])
    for written in ("a b/c&d", "a%20b%2Fc%26d", "a+b%2Fc%26d", "a%20b%2fc%26d", "a+b%2fc%26d", "a%2520b%252Fc%2526d"):
        assert veil.line(f"config add X /a {written} /b") == "config add X /a *** /b", written


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
    assert time.process_time() - started < slowness()


def test_short_values_are_not_looked_for() -> None:
    assert Veil.over([snapshot({"pin": "1"})]).line("poll 15") == "poll 15"


def test_of_two_values_the_longer_one_is_hidden_whole() -> None:
    veil = Veil.over([snapshot({"password": "abcd", "other_password": "abcdefgh"})])
    assert veil.line("abcdefgh abcd") == "*** ***"


def test_every_snapshot_adds_what_it_hides() -> None:
    values = Veil.over([snapshot({"password": "first"}), snapshot({"password": "second"})])
    assert values.line("first second") == "*** ***"
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
        ("url: https://ada:hun@ter@10.0.0.1/x", "url: https://ada:***@10.0.0.1/x"),
        ("a: /pw abc password: x", "a: /pw *** password: ***"),
        ("gatekeeper: 10.0.0.1", "gatekeeper: 10.0.0.1"),
        ("config add X /pw abc /y", "config add X /pw *** /y"),
    ],
)  # fmt: skip
def test_what_is_assigned_to_a_secret_name_is_hidden_in_files(text: str, shown: str) -> None:
    assert Veil((PATTERN,)).source(text) == shown


def test_what_a_variable_says_is_hidden_by_its_name_or_line_by_line() -> None:
    veil = Veil((PATTERN,), Values(["first", "second"]))
    assert veil.variable("sip_password", "plain\nwords") == "***"
    assert veil.variable("sip_password", "") == ""
    assert veil.variable("lines", "a first\nb /pw x\nc") == "a ***\nb /pw ***\nc"


def test_each_line_of_a_secret_is_hidden_by_itself() -> None:
    veil = Veil.over([snapshot({"secret": "  first line\n\nsecond line\n"})])
    assert [veil.line(line) for line in ("x first line", "second line", "line")] == ["x ***", "***", "line"]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("config change REG /gk-addr 10.0.0.1 /pw x", "config ***"),
        ("mod cmd UP0 scfg http://10.0.0.1/", "mod ***"),
        ("vars create A/B p 1", "vars ***"),
        ("hunter2", "***"),
        ("  key: value", "***"),
        ("", ""),
    ],
)
def test_a_shut_veil_shows_verbs(line: str, seen: str) -> None:
    veil = Veil(shut=True)
    assert veil.line(line) == veil.source(line) == veil.document(line) == seen
    assert Veil(shut=True, lifted=True).line(line) == line


def test_a_lifted_veil_hides_nothing() -> None:
    veil = Veil((PATTERN,), Values(["abcd"]), lifted=True)
    for text in ("config add X /pw abcd", "password: abcd"):
        assert veil.line(text) == text
        assert veil.source(text) == text
        assert veil.command(text) == text
        assert veil.variable("password", text) == text


@pytest.mark.parametrize(
    ("pattern", "text", "shown"),
    [
        (r"(/pw) (\S+)", "config add X /pw secret /a b", "config add X /pw *** /a b"),
        (r"(/pw) (\S+)", "/pw one /pw two", "/pw *** /pw ***"),
        (r"secret", "a secret b", "a *** b"),
        (r"(a)|(b)", "a b", "a ***"),
        (r"(/pw) (\S+)", "nothing here", "nothing here"),
    ],
)
def test_secrets_are_hidden(pattern: str, text: str, shown: str) -> None:
    assert hidden(text, [re.compile(pattern)]) == shown
