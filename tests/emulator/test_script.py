import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitupd.emulator.configuration import Configuration, config_line
from gitupd.emulator.exchange import Failure, Pause, Request, answered
from gitupd.emulator.phone import Phone
from gitupd.emulator.script import (
    CertificateRequest,
    Check,
    Command,
    ConfigEdit,
    Flash,
    Flashed,
    LoadConfig,
    Other,
    Provision,
    Reset,
    SaveConfig,
    Times,
    VarsCreate,
    Verb,
    commit_named,
    lines,
    parse,
)

FRAGMENTS = """
config add change rem write activate vars create del read mod cmd UP0 UP1 X509 servercert-create check times provision
poll reinit setvar prot boot cfg scfg /url /allow /initial /always /force /provision /poll /key /dn-cn / // ser reset
iresetn nop http://h/ http://[ 0 5 -1 ² 99999999999999999999 UPDATE/CHECK % %ff http://u/#m#h#t#i#x ? p pb 30820101 #
X509/REQUESTRESPONSE/00000 hourly mod%20cmd%20X509%20xml-info vars%20read%20UPDATE%2FCHECK config%20show%20UP1
"""
URL, ENCODED = "http://h/?m=#m", "http%3A%2F%2Fh%2F%3Fm%3D%23m"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (f"config add UP1 /url {ENCODED} /x", ConfigEdit(Verb.ADD, "UP1", (("url", URL), ("x", None)))),
        ("config change PHONE SIG /prot SIP", ConfigEdit(Verb.CHANGE, "PHONE SIG", (("prot", "SIP"),))),
        ("config add CMD0 /name a  b", ConfigEdit(Verb.ADD, "CMD0", (("name", "a  b"),))),
        ("config rem UP1 /provision", ConfigEdit(Verb.REMOVE, "UP1", (("provision", None),))),
        ("config", Other("config")),
        ("config add /url x", Other("config add /url x")),
        ("vars create A/B pb 00 11", VarsCreate("A/B", "pb", "00 11")),
        ("mod cmd UP1 check ser abc", Check("ser", "abc")),
        ("mod cmd UP1 check ser", Other("mod cmd UP1 check ser")),
        ("mod cmd UP1 times  /allow 22,23,0,1 /initial 5", Times(frozenset({22, 23, 0, 1}), 5)),
        ("mod cmd UP1 times /initial 0", Times(None, 0)),
        ("mod cmd UP1 times /allow 7,24,x", Times(frozenset({7}), None)),
        ("mod cmd UP1 provision 5", Provision(5)),
        ("mod cmd UP1 provision five", Other("mod cmd UP1 provision five")),
        ("mod cmd UP0 prot http://h/fw/ ser 137213", Flash(Flashed.PROT, "http://h/fw/", "ser", "137213")),
        ("mod cmd UP0 cfg http://h/c iresetn", LoadConfig("http://h/c", "iresetn", None)),
        (f"mod cmd UP0 scfg {URL}", SaveConfig(URL, "ser", None, always=False, command=None)),
        ("mod cmd UP0 scfg U ser nop /always a%20b", SaveConfig("U", "ser", "nop", always=True, command="a b")),
        ("mod cmd UP0 scfg U ser hourly /force 1", SaveConfig("U", "ser", "hourly", always=False, command=None)),
        ("mod cmd X509 servercert-create /a  /b c /b ", CertificateRequest((("a", ""), ("b", "c"), ("b", "")))),
        ("iresetn", Reset(when_idle=True, if_required=True)),
        ("reset", Reset(when_idle=False, if_required=False)),
        ("mod cmd PHONE set", Other("mod cmd PHONE set")),
    ],
)  # fmt: skip
def test_a_line_is_understood(line: str, command: Command) -> None:
    assert parse(line) == command


def test_lines_end_in_any_of_three_ways() -> None:
    assert lines("a\r\nb\nc\rd\x85e\x0bf\r\n\r\n  ") == ["a", "b", "c", "d\x85e\x0bf"]


def test_the_commit_is_named_by_the_first_comment() -> None:
    commit = "0123456789" * 4
    assert commit_named(f"\r\n# gitupd {commit} deployed 12:00\r\nconfig write") == commit
    assert commit_named(f"# hello\n# gitupd {commit}") is None
    assert commit_named("# gitupd 0123") is None
    assert commit_named("") is None


def test_editing_a_configuration_touches_one_layer() -> None:
    configuration = Configuration()
    configuration.impose(Verb.CHANGE, "M", [("a", "1"), ("b", None)])
    configuration.apply(Verb.ADD, "M", [("c", "3"), ("a", "x"), ("a", "y")])
    configuration.apply(Verb.REMOVE, "M", [("b", None)])
    assert configuration.edit == {"M": (("a", "x"), ("a", "y"), ("c", "3"))}
    assert configuration.active == {"M": (("a", "1"), ("b", None))}
    configuration.activate()
    assert configuration.value("M", "c") == "3"
    configuration.restart()
    assert configuration.edit == configuration.active == {"M": (("a", "1"), ("b", None))}


@given(st.lists(st.tuples(st.from_regex(r"[a-z][a-z0-9.*-]{0,5}", fullmatch=True), st.none() | st.text())))
def test_a_dumped_line_restores_what_it_was_written_from(options: list[tuple[str, str | None]]) -> None:
    line = config_line("PHONE SIG", options)
    executed = lines(f"{line}\r\nx")
    assert executed[1:] == ["x"], "one line stays one line"
    assert parse(executed[0]) == ConfigEdit(Verb.CHANGE, "PHONE SIG", tuple(options))


def converse(phone: Phone, scripts: list[bytes], rng: random.Random) -> None:
    """Let a phone have these scripts, whatever it asks for, with a failure now and then."""
    life, answer = phone.life(), None
    for _ in range(60):
        match life.send(answer):
            case Request(chunks=None):
                answer = answered(rng.choice(scripts)) if rng.random() < 0.9 else Failure("timeout", "none")
            case Request():
                answer = answered(status=rng.choice([200, 204, 302, 500]), location="http://[")
            case Pause():
                answer = None
    assert phone.doing
    assert phone.phase is not None
    assert phone.settled in (True, False)


words = st.sampled_from(FRAGMENTS.split()) | st.text(max_size=8)
script_lines = st.lists(words, max_size=9).map(" ".join)
scripts = st.lists(script_lines, max_size=8).map("\r\n".join).map(str.encode) | st.binary(max_size=60)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(scripts, min_size=1, max_size=4), st.integers(0, 1000))
def test_no_script_is_too_strange(make_phone: Callable[..., Phone], bodies: list[bytes], seed: int) -> None:
    converse(make_phone(key_seconds=1e9), bodies, random.Random(seed))


def test_a_url_that_is_none_has_no_phase(make_phone: Callable[..., Phone]) -> None:
    assert make_phone("http://[?phase=x").phase == ""
    assert make_phone("http://h/?phase=a&phase=b%20c&sn=#m").phase == "b c"
