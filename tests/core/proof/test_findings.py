"""What a proof finds, alike differences together, and the sentence that it comes to."""

from __future__ import annotations

from gitupd.core.caller import Serial
from gitupd.core.proof.comparing import OnPurpose, ScriptComparison
from gitupd.core.proof.findings import Evidence, Findings, named

ONE, TWO, THREE = (Serial(f"00903330000{number}") for number in (1, 2, 3))


def test_differences_that_differ_in_the_device_only_are_alike() -> None:
    evidence = Evidence()
    for serial in (ONE, TWO):
        evidence.add("phase x", serial, (str(serial), ""), ScriptComparison((f"- file={serial}", "+ a")))
    evidence.add("phase y", ONE, (str(ONE),), ScriptComparison((f"- file={ONE}", "+ a")))
    evidence.add("phase y", THREE, (), ScriptComparison(("+ b",)))
    evidence.add("phase y", THREE, (), ScriptComparison())
    found = evidence.findings(3)
    assert found.polls == 5
    first, second = found.differences
    assert (first.titles, first.serials) == (("phase x", "phase y"), (ONE, TWO))
    assert first.changes == (f"- file={ONE}", "+ a")
    assert (second.serials, second.changes) == ((THREE,), ("+ b",))
    assert found.verdict == "2 kinds of differences, which concern 3 devices"


def test_kinds_have_a_bound() -> None:
    evidence = Evidence()
    for number in range(250):
        evidence.add("x", ONE, (), ScriptComparison((f"+ {number}",)))
        evidence.add("x", TWO, (), ScriptComparison((f"+ {number}",)))
    found = evidence.findings(2)
    assert (len(found.differences), found.more) == (200, 50)
    assert found.verdict == "250 kinds of differences, which concern 2 devices"


def test_long_differences_are_cut() -> None:
    evidence = Evidence()
    evidence.add("x", ONE, (), ScriptComparison(tuple(f"+ {number}" for number in range(1_000))))
    assert len(evidence.findings(1).differences[0].changes) == 40


def test_the_sentence_is_no_better_than_what_was_asked() -> None:
    assert Findings(0, 0, 0).verdict == "nothing was compared"
    assert Findings(1, 1, 5).verdict == "no difference: the device is told the same as before, and can be moved over"
    whole = "no difference: all 2,000 devices are told the same as before, and can be moved over"
    assert Findings(2_000, 2_000, 5).verdict == whole
    assert Findings(9, 8, 5).verdict == "no difference in what could be compared, of 8 of 9 devices"
    assert (
        Findings(9, 9, 5, troubles=(("x", ()),)).verdict == "no difference in what could be compared, of 9 of 9 devices"
    )
    purposes = ((OnPurpose.QUERIES, (ONE,)),)
    assert Findings(1, 1, 1, on_purpose=purposes).verdict.startswith("no difference but those on purpose: the device")


def test_what_was_left_out_and_what_went_wrong_is_told_once_for_all_devices() -> None:
    evidence = Evidence()
    for serial in (ONE, TWO):
        evidence.leave_out("why", serial)
        evidence.trouble("what", serial)
    evidence.trouble("more")
    found = evidence.findings(2)
    assert found.left_out == (("why", (ONE, TWO)),)
    assert found.troubles == (("what", (ONE, TWO)), ("more", ()))


def test_many_devices_are_named_by_the_first() -> None:
    assert named((ONE, TWO), 2) == f"{ONE}, {TWO}"
    assert named((ONE, TWO, THREE), 2) == f"{ONE}, {TWO} and 1 more"
