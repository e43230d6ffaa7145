"""Two devices beside each other."""

from __future__ import annotations

import pytest

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.core.certificates.standing import CertificateStanding
from gitupd.core.concealing import Values, Veil
from gitupd.core.device import Device
from gitupd.core.script import Script, ScriptLine
from gitupd.core.snapshot import CommitId
from gitupd.service.stories.beside import MOST_LINES, pair_facts, paired_facts, paired_scripts

ONE, OTHER = parse_serial("00-90-33-30-00-af"), parse_serial("00-90-33-30-00-b0")
COMMIT = CommitId("a" * 40)
DEVICE = Device(ONE, model="IP222", address="10.0.0.1", environments=("home", "berlin"), sent=COMMIT)
GOOD = CertificateStanding(Stage.GOOD, None)


def script(*texts: str, failure: str | None = None) -> Script:
    lines = (ScriptLine(at, text, "snippet", "snippets/a.txt", at) for at, text in enumerate(texts, 1))
    return Script(COMMIT, tuple(lines), (), failure=failure)


def test_what_is_known_of_both_stands_side_by_side() -> None:
    other = Device(OTHER, model="IP222", address="10.0.0.2", environments=("home", "berlin"), certificate=GOOD)
    facts = {each.name: each for each in paired_facts(DEVICE, other)}
    assert [name for name, fact in facts.items() if fact.differs] == ["address", "sent", "certificate"]
    assert facts["environments"].texts == ("home, berlin", "home, berlin")
    assert (facts["sent"].texts, facts["sent"].left) == (("a" * 12, ""), COMMIT)
    assert facts["certificate"].texts == ("", "good")
    assert facts["hardware_id"].texts == ("", "")


def test_lines_that_differ_are_told_and_their_secrets_are_not() -> None:
    left, right = script("config add A", "x geheim1"), script("config add A", "x geheim2", failure="It is not all.")
    hide = Veil(values=Values(["geheim1", "geheim2"]))
    told = pair_facts(DEVICE, Device(OTHER), paired_scripts(left, right), hide)
    assert (told["serial"], told["with"], told["failures"]) == (str(ONE), str(OTHER), ["It is not all."])
    (row,) = told["rows"]
    assert (row["left"]["text"], row["right"]["text"], row["left"]["path"]) == ("x ***", "x ***", "snippets/a.txt")
    (row,) = pair_facts(DEVICE, Device(OTHER), paired_scripts(left, script("config add A")), hide)["rows"]
    assert (row["left"]["number"], row["right"]) == (2, None)


@pytest.mark.parametrize("right", [None, script(*["x"] * (MOST_LINES + 1))])
def test_what_is_not_known_or_too_long_is_not_compared(right: Script | None) -> None:
    for scripts in (paired_scripts(script("x"), right), paired_scripts(right, script("x"))):
        assert pair_facts(DEVICE, Device(OTHER), scripts, Veil())["rows"] is None
    assert paired_scripts(script("x"), script("x")).rows == ()
