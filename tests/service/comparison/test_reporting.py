"""A comparison in text, in Markdown of bounded size, and as facts."""

from __future__ import annotations

import json
from dataclasses import replace

from gitupd.core.caller import Serial
from gitupd.core.comparison.consequences import ExecutedAgain, Loads
from gitupd.core.comparison.difference import Hunk, ScriptDifference
from gitupd.core.comparison.grouping import FleetComparison, Footing, Member, Skipped, grouped
from gitupd.core.snapshot import CommitId
from gitupd.service.comparison.reporting import BRIEF, FULL, facts, markdown, text

BASE, HEAD = CommitId("a" * 40), CommitId("b" * 40)
LINE = Hunk(("old \x1b[31m",), ("new ```` line", "two"), "snippets/a.txt")


def member(number: int, name: str | None = None, environments: str = "berlin") -> Member:
    return Member(Serial(f"00903300{number:04x}"), name, "IP222", environments, "update", Footing.EXECUTED)


def comparison(*differences: tuple[Member, ScriptDifference]) -> FleetComparison:
    return FleetComparison(BASE, HEAD, grouped(differences), 9_999)


FEW = comparison(
    *(
        (member(number, "@ada\n<b>" if number == 0 else None), ScriptDifference((LINE,), (ExecutedAgain(),)))
        for number in range(5)
    ),
    (member(7), ScriptDifference((Hunk((), ("x" * 500,)),), (Loads("firmware", "1", "2"),))),
)


def test_text_has_the_sentence_first_then_groups_then_lines_and_steers_no_terminal() -> None:
    assert list(text(FEW)) == [
        "6 of 9,999 devices get something else: 5 execute everything again, 1 loads firmware 2.",
        "",
        "1. 5 devices: get 2 lines more, 1 line less; execute everything again",
        "   models IP222 5; environments berlin 5; phases update 5",
        "   5 up to date",
        "   00-90-33-00-00-00 @ada\N{REPLACEMENT CHARACTER}<b>, 00-90-33-00-00-01, 00-90-33-00-00-02 and 2 more",
        "   @@ snippets/a.txt @@",
        "   - old \N{REPLACEMENT CHARACTER}[31m",
        "   + new ```` line",
        "   + two",
        "",
        "2. 1 device: gets 1 line more; loads firmware 2 (now 1)",
        "   models IP222 1; environments berlin 1; phases update 1",
        "   1 up to date",
        "   00-90-33-00-00-07",
        "   @@ gitupd itself @@",
        f"   + {'x' * 158}…",
    ]
    assert f"   + {'x' * 500}" in text(FEW, FULL)


def test_markdown_says_everything_literally_and_mentions_nobody() -> None:
    said = markdown(FEW)
    assert said.startswith(
        "**6 of 9,999 devices get something else: 5 execute everything again, 1 loads firmware 2.**\n"
    )
    assert "From `aaaaaaaaaaaa` to `bbbbbbbbbbbb`." in said
    assert "@\N{ZERO WIDTH NON-JOINER}ada\N{REPLACEMENT CHARACTER}\\<b\\>" in said
    assert "`````diff\n@@ snippets/a.txt @@\n- old \N{REPLACEMENT CHARACTER}[31m\n+ new ```` line\n+ two\n`````" in said
    assert "@ada" not in said


def test_what_is_left_out_is_counted() -> None:
    many = comparison(*((member(number), ScriptDifference((Hunk((), (f"line {number}",)),))) for number in range(25)))
    lines = list(text(many))
    assert lines[-1] == "5 more groups, of 5 devices, not shown here; --full shows everything, --format json, too."
    assert "25. 1 device: gets 1 line more" in text(many, FULL)
    long = comparison((member(1), ScriptDifference((Hunk((), tuple("x" * 30)), Hunk(("y",), (), "p")))))
    assert list(text(long))[-1] == "   … 11 more lines"
    spread = comparison(*((member(number, environments=f"e{number}"), ScriptDifference()) for number in range(8)))
    assert "environments e0 1, e1 1, e2 1, e3 1, e4 1, 3 others 3;" in "\n".join(text(spread))


def test_a_comment_stays_below_what_hosts_take_however_much_changes() -> None:
    wide = Hunk((), tuple(f"{'<`@' * 100} {number}" for number in range(100)), "p" * 300)
    many = comparison(
        *((member(number, "*" * 1_000), ScriptDifference((wide, Hunk((), (str(number),))))) for number in range(50))
    )
    said = markdown(many)
    assert len(said) < 60_000
    assert "more groups, of " in said
    assert len(markdown(many, FULL)) > 600_000


def test_facts_are_values_of_json_with_every_device() -> None:
    told = facts(replace(FEW, skipped=Skipped(silent=2)))
    assert json.loads(json.dumps(told)) == told
    assert (told["version"], told["base"], told["head"], told["devices"], told["changed"]) == (1, BASE, HEAD, 9_999, 6)
    assert told["remarks"] == ["Of 2 devices it is not known what they say, for they never polled."]
    group = told["groups"][1]
    assert group == {
        "devices": 1,
        "models": {"IP222": 1},
        "environments": {"berlin": 1},
        "phases": {"update": 1},
        "standings": {"executed": 1},
        "consequences": [
            {
                "kind": "loads",
                "what": "firmware",
                "before": "1",
                "after": "2",
                "present": None,
                "text": "loads firmware 2 (now 1)",
            }
        ],
        "lines": [{"path": None, "removed": [], "added": ["x" * 500]}],
        "staying": [],
        "serials": ["00-90-33-00-00-07"],
    }


def test_imagined_devices_have_no_names() -> None:
    lines = list(text(replace(FEW, imagined=True)))
    assert lines[0].startswith("6 of 9,999 imagined devices get something else")
    assert lines[1].startswith("No fleet was given")
    assert not any("00-90-33" in line for line in lines)
    assert BRIEF.groups is not None
