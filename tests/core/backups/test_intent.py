from __future__ import annotations

from gitupd.core.backups.intent import Finding, Verdict, intent


def held(script: str, backup: str) -> dict[str, str]:
    """Return the verdict on each option."""
    found = intent(enumerate(script.splitlines(), 1), backup.splitlines(), lambda line: " /pw " in line)
    return {f"{each.module} {each.option}": str(each.verdict) for each in found.findings}


def test_what_is_as_wanted_is_told_from_what_is_not() -> None:
    script = "config change SIG /gatekeeper 10.1.0.1 /prot SIP\nconfig add CMD0 /name Desk%2012\nconfig add NTP /addr 1"
    backup = "config change SIG /gatekeeper 10.1.0.9 /prot SIP /more x\nconfig change CMD0 /name Desk+12"
    assert held(script, backup) == {
        "SIG /gatekeeper": "different",
        "SIG /prot": "as wanted",
        "CMD0 /name": "as wanted",
        "NTP /addr": "not there",
    }


def test_a_finding_has_both_values_and_the_line() -> None:
    found = intent([(7, "config add SIG /a 1")], ["config change SIG /a 2"], lambda _: False)
    assert found.findings == (Finding("SIG", "/a", "1", "2", 7, Verdict.DIFFERENT),)
    assert found.of(Verdict.MET) == ()


def test_later_lines_overrule_earlier_ones() -> None:
    assert held("config add A /x 1\nconfig add A /x 2", "config change A /x 2") == {"A /x": "as wanted"}
    assert held("config add A /x 1\nconfig rem A /x", "config change A /x 1") == {"A /x": "still there"}
    assert held("config rem A /x", "config change B /x 1") == {"A /x": "as wanted"}


def test_an_option_stands_where_it_was_said_last() -> None:
    found = intent(
        [(1, "config add A /x 1"), (2, "config add B /y 1"), (3, "\tconfig add A /x 2 ")], [], lambda _: False
    )
    assert [(each.module, each.wanted, each.line) for each in found.findings] == [("B", "1", 2), ("A", "2", 3)]


def test_of_a_backup_the_last_line_counts_and_none_that_removes() -> None:
    backup = "config change A /x 1\nconfig change A /x 2\nconfig rem A /x\nconfig rem A /y"
    assert held("config add A /x 2\nconfig add A /y 1", backup) == {"A /x": "as wanted", "A /y": "not there"}


def test_options_without_values_and_several_of_a_name() -> None:
    backup = "config change A /flag /list 1 /list 2 /empty  /end "
    assert held("config change A /flag /list 2 /list 1 /empty  /end ", backup) == {
        "A /flag": "as wanted",
        "A /list": "as wanted",
        "A /empty": "as wanted",
        "A /end": "as wanted",
    }
    assert held("config add A /flag yes /list 1", backup) == {"A /flag": "different", "A /list": "different"}


def test_secrets_are_written_in_a_form_of_their_own_by_devices() -> None:
    assert held("config add A /pw plain", "config change A /pw 5c6a") == {"A /pw": "can't be compared"}
    assert held("config add A /pw plain", "config change A /pw plain") == {"A /pw": "as wanted"}
    assert held("config add A /pw plain", "config change A /x 1") == {"A /pw": "not there"}
    found = intent([(1, "config add A /x 1")], ["config change A /x 5c6a"], lambda line: line.endswith(" 5c6a"))
    assert found.findings[0].verdict is Verdict.SECRET, "what is there may be a secret alone"


def test_what_can_not_be_compared_is_counted() -> None:
    script = ["# comment", "", "mod cmd UP1 check x", "vars create A p 1", "config write", "config activate", "config"]
    found = intent(enumerate(script, 1), ["mod cmd X", "config change A"], lambda _: False)
    assert (found.findings, found.incomparable) == ((), 3)


def test_modules_of_two_words_are_told_apart() -> None:
    backup = "config change PHONE SIG /prot SIP\nconfig change PHONE USER /prot none"
    assert held("config add PHONE SIG /prot H323\nconfig add PHONE USER /prot none", backup) == {
        "PHONE SIG /prot": "different",
        "PHONE USER /prot": "as wanted",
    }
