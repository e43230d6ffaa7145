"""How two answers differ, and what of that is on purpose."""

from __future__ import annotations

import pytest

from gitupd.core.proof.comparing import Cause, OnPurpose, ScriptAnswer, ScriptComparison, compared

CHECK = "mod cmd UP1 check ser " + "0123456789abcdef" * 2
QUERY = (
    "mod cmd UP0 scfg http://h/update.php?mode=query&sn=#m&id=certificates ser nop /always mod%20cmd%20X509%20xml-info"
)
DUMP = "mod cmd UP0 scfg http://h/update.php?mode=vardump&sn=#m&var=X509/REQUEST ser nop /always vars%20read"


def answer(*lines: str) -> ScriptAnswer:
    return ScriptAnswer("\r\n".join(lines).encode())


def test_comments_blanks_and_line_ends_make_no_difference() -> None:
    old = ScriptAnswer(b"# a\r\n\r\nconfig add X /x  \r\n# b\r\nreset")
    new = ScriptAnswer(b"# gitupd 1\nconfig add X /x\nreset\n")
    assert compared(old, new) == ScriptComparison()
    assert old.comments == ("a", "b")


def test_lines_that_differ_are_told_in_order() -> None:
    old, new = answer("a 1", "b 2", "c 3"), answer("a 1", "b 9", "c 3", "d 4")
    assert compared(old, new).changes == ("- b 2", "+ b 9", "+ d 4")
    assert compared(answer("a 1", "b 2"), answer("b 2", "a 1")).changes in (("- a 1", "+ a 1"), ("+ b 2", "- b 2"))


def test_blanks_in_front_and_bytes_that_are_no_characters_count() -> None:
    assert compared(answer(" a 1"), answer("a 1")).changes == ("-  a 1", "+ a 1")
    old, new = ScriptAnswer(b"a \xff"), ScriptAnswer(b"a \xfe")
    assert len(compared(old, new).changes) == 2
    assert compared(old, old) == ScriptComparison()


def test_the_check_serial_counts_only_where_nothing_else_differs() -> None:
    other = CHECK.replace("0", "f")
    assert compared(answer("a 1", CHECK), answer("a 2", other)).changes == ("- a 1", "+ a 2")
    assert compared(answer("a 1", CHECK), answer("a 1", other)).changes == (f"- {CHECK}", f"+ {other}")
    assert compared(answer("a 1", CHECK), answer("a 1")).changes == (f"- {CHECK}",)
    assert answer("a 1", CHECK, "iresetn").check == CHECK[-32:]
    assert answer("a 1").check is None


def test_the_misspelt_signature_is_on_purpose_and_nothing_else_of_that_line() -> None:
    old = answer("mod cmd X509 servercert-create /key 2048-bit /signature SH256 /dn-cn x")
    new = answer("mod cmd X509 servercert-create /key 2048-bit /signature SHA256 /dn-cn x")
    assert compared(old, new) == ScriptComparison((), (OnPurpose.SIGNATURE,))
    other = answer("mod cmd X509 servercert-create /key 2048-bit /signature SHA256 /dn-cn y")
    assert len(compared(old, other).changes) == 2


def test_queries_that_are_asked_by_themselves_are_on_purpose() -> None:
    assert compared(answer("a 1"), answer(QUERY, "a 1")) == ScriptComparison((), (OnPurpose.QUERIES,))
    other = QUERY.replace("id=certificates", "id=lan")
    assert compared(answer("a 1"), answer(other, "a 1")).changes == (f"+ {other}",)
    assert compared(answer(QUERY, "a 1"), answer("a 1")).changes == (f"- {QUERY}",)


@pytest.mark.parametrize(
    ("said", "purpose"),
    [
        ("# cannot get cached PBX info: cannot access cache/master-info.xml - exit", OnPurpose.MASTER),
        ("# invalid phase: 'x'", OnPurpose.PHASE),
        ("# invalid environment: 'x' (x)", OnPurpose.ENVIRONMENT),
    ],
)
def test_where_the_old_server_gives_up_the_new_one_goes_on(said: str, purpose: OnPurpose) -> None:
    assert compared(answer("backup b", said), answer("backup b", "a 1")) == ScriptComparison((), (purpose,))
    assert compared(answer("backup other", said), answer("backup b", "a 1")).changes != ()


def test_firmware_is_not_asked_for_without_the_master_device() -> None:
    old = answer("# cannot get cached PBX info: x - exit")
    assert compared(old, answer("mod cmd UP0 prot http://h/fw/1/ ser 1")).changes != ()


STEPS = ("# certificate cmds need to process - no further cmds",)


@pytest.mark.parametrize(
    "lines",
    [
        ("config write", "config activate", "iresetn"),
        ("ser", "mod cmd UP1 provision 5", "config add UP1 /poll 1", "config add UP1 /url x", "config write"),
        (DUMP, "config write"),
        ("mod cmd X509 servercert-create /key x", "config write"),
    ],
)
def test_a_device_gets_updates_while_its_certificate_waits(lines: tuple[str, ...]) -> None:
    old, new = answer(QUERY, *lines, *STEPS), answer(QUERY, "a 1", CHECK)
    assert compared(old, new) == ScriptComparison((), (OnPurpose.CERTIFICATE,))
    assert compared(answer(QUERY, *lines), new).changes != (), "without a word of it nothing is on purpose"
    assert compared(answer(QUERY, "config add Y /y", *lines, *STEPS), new).changes != ()


def test_what_php_says_itself_is_no_command() -> None:
    old = ScriptAnswer(b"<br />\n<b>Warning</b>:  x in <b>y</b> on line <b>1</b><br />\nconfig add X /x\n")
    assert old.commands == ("config add X /x",)
    assert len(old.complaints) == 2


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("# files being updated (scripts/a.txt 4s old, waiting for at least 90s to expire)", Cause.FRESH),
        ("# need up-to-date query state, skipping update script, doing queries only", Cause.SKIPPED),
        ("# cannot parse ./config/user-config.xml: x - exit", Cause.OFF),
        ("# phase: update", None),
    ],
)
def test_answers_that_can_not_be_compared_say_why(said: str, cause: Cause | None) -> None:
    assert answer(said).cause is cause
