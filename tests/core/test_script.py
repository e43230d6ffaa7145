"""Scripts as people read them, and how two of them differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gitupd.core.actions import script
from gitupd.core.backups.restore import Pending
from gitupd.core.concealing import Values, Veil
from gitupd.core.plan import plan
from gitupd.core.script import Kind, Script, ScriptLine, Selected, differences, hiding, script_of
from gitupd.core.situation import Computed
from gitupd.core.snapshot import CommitId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.situation import Situation

    Make = Callable[..., Situation]

FILES = {
    "environments.yaml": "environments: {default: {}, home: {implies: [berlin]}, berlin: {}}",
    "snippets/all-all-all.txt": "# note\nconfig add A /x 1\n\n",
    "snippets/update-phone-home.txt": "config add B\n",
    "snippets/all-all-berlin.txt": "config add C\n",
    "snippets/update-all-00_90_33_30_00_af.txt": "config add D\n",
}
PHONE = "polling=0&phase=update&type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=i"


def readable(asked: Situation, failure: str | None = None) -> Script:
    return script_of(asked, tuple(plan(asked)), failure)


def test_each_line_is_shown_as_it_is_sent_and_where_it_is_from(situation: Make) -> None:
    asked = situation(FILES, PHONE, computed=Computed(("before",), ("after",)))
    made = readable(asked)
    assert (made.commit, made.failure) == (asked.snapshot.commit, None)
    assert "".join(f"{line.text}\r\n" for line in made.lines).encode() == script(plan(asked))
    assert [line.number for line in made.lines] == list(range(1, len(made.lines) + 1))
    written = [(line.path, line.line, line.text) for line in made.lines if line.kind == "snippet"]
    assert written[:4] == [
        ("snippets/all-all-all.txt", 1, "# note"),
        ("snippets/all-all-all.txt", 2, "config add A /x 1"),
        ("snippets/all-all-all.txt", 3, ""),
        ("snippets/update-all-00_90_33_30_00_af.txt", 1, "config add D"),
    ]
    assert [line.text for line in made.lines if line.kind == "computed"] == ["before", "after"]
    assert made.lines[0].kind == "comment"
    assert (made.lines[-1].kind, made.lines[-1].text, made.lines[-1].path) == ("command", "iresetn", None)


@pytest.mark.parametrize(("kind", "shown"), [("snippet", "x ***"), ("computed", "x ***"), ("command", "x geheim")])
def test_values_are_hidden_where_a_device_did_not_say_them_itself(kind: Kind, shown: str) -> None:
    line = ScriptLine(1, "x geheim", kind)
    assert hiding(line, Veil(values=Values(["geheim"])))(line.text) == shown


def test_commands_are_what_a_device_executes(situation: Make) -> None:
    commands = readable(situation(FILES, PHONE)).commands
    assert "config add A /x 1" in commands
    assert [command for command in commands if not command or command.startswith("#")] == []


@pytest.mark.parametrize(
    ("environments", "reasons"),
    [
        (
            "home",
            {
                "snippets/all-all-all.txt": "every phase; every class; every environment",
                "snippets/all-all-berlin.txt": "every phase; every class; environment berlin, implied by home",
                "snippets/update-phone-home.txt": "phase update; class phone; environment home",
                "snippets/update-all-00_90_33_30_00_af.txt": "phase update; every class; this very device",
            },
        ),
        (
            "home,berlin,nowhere",
            {
                "snippets/all-all-all.txt": "every phase; every class; every environment",
                "snippets/all-all-berlin.txt": "every phase; every class; environment berlin",
                "snippets/update-phone-home.txt": "phase update; class phone; environment home",
                "snippets/update-all-00_90_33_30_00_af.txt": "phase update; every class; this very device",
            },
        ),
    ],
)
def test_why_a_device_gets_a_snippet(situation: Make, environments: str, reasons: dict[str, str]) -> None:
    made = readable(situation(FILES, f"{PHONE}&env={environments}"))
    assert {Selected(path, reason) for path, reason in reasons.items()} == {*made.selected}


def test_what_is_said_of_the_whole_script(situation: Make) -> None:
    first = readable(situation(FILES, PHONE))
    check = next(line.text.split()[-1] for line in first.lines if " check ser " in line.text)
    assert (first.executed, first.restores) == (False, False)
    assert readable(situation(FILES, f"{PHONE}&CHECK={check}")).executed
    assert readable(situation(FILES, PHONE), "It is not so.").failure == "It is not so."


def test_the_address_of_a_restore_stays_a_secret(situation: Make) -> None:
    made = readable(situation(FILES, PHONE, restore=Pending(7, "the-token")))
    assert made.restores
    assert "restore/***" in "".join(line.text for line in made.lines)
    assert "the-token" not in str(made)


def of(*texts: str, kind: str = "snippet") -> Script:
    first = ScriptLine(1, f"# gitupd {texts[0]}", "comment")
    return Script(CommitId("a" * 40), (first, *(ScriptLine(n, text, kind) for n, text in enumerate(texts[1:], 2))), ())


def changed(left: Script, right: Script) -> list[tuple[str | None, str | None]]:
    rows = differences(left, right)
    return [(row.left and row.left.text, row.right and row.right.text) for row in rows if row.changed]


def test_two_scripts_stand_side_by_side() -> None:
    left, right = of("one", "a", "b", "c"), of("two", "a", "x", "y", "c", "d")
    rows = differences(left, right)
    assert changed(left, right) == [("b", "x"), (None, "y"), (None, "d")]
    assert tuple(row.left for row in rows if row.left) == left.lines
    assert tuple(row.right for row in rows if row.right) == right.lines
    assert changed(right, left) == [("x", "b"), ("y", None), ("d", None)]


def test_long_scripts_of_lines_that_repeat_are_held_against_each_other_all_the_same() -> None:
    left, right = of("one", *"ab" * 10_000), of("two", *"ba" * 10_000, "c")
    rows = differences(left, right)  # each line with each would take hours
    assert tuple(row.right for row in rows if row.right) == right.lines
    assert (None, "c") in changed(left, right)


@pytest.mark.parametrize(
    "text", ["config add UP1 /url x", "config rem UP1 /provision", "mod cmd UP1 provision 5", "config add UP1 /poll 1"]
)
def test_leading_a_device_on_to_its_next_poll_is_no_difference(text: str) -> None:
    before = of("one", "a")
    after = replace(before, lines=(*before.lines, ScriptLine(3, text, "command")))
    assert changed(before, after) == changed(after, before) == []
    assert changed(of("one", "a"), of("one", "a", text)) == [(None, text)], "what a snippet says is one"
