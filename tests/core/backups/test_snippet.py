from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.backups.config_line import parse_config_line
from gitupd.core.backups.snippet import snippet_between


def between(before: str, after: str) -> list[str]:
    return list(snippet_between(_seen(before.splitlines()), _seen(after.splitlines())))


def _seen(lines: list[str]) -> list[tuple[str, str]]:
    """Return *lines* with how they are shown: secrets begin with ``s3``."""
    return [(line, re.sub(r"s3\S*", "***", line)) for line in lines]


def test_options_are_set_and_removed_one_by_one() -> None:
    before = "config change PHONE SIG /prot SIP /gk-addr 10.1.0.1 /old\nconfig change CMD0 /name Desk%2012"
    after = "config change PHONE SIG /prot SIP /gk-addr 10.1.0.2 /stun\nconfig change CMD0 /name Desk%2012"
    assert between(before, after) == ["config rem PHONE SIG /old", "config add PHONE SIG /gk-addr 10.1.0.2 /stun"]


def test_what_is_equal_gives_nothing() -> None:
    text = "config change A /x 1\nvars create B p 1\nmod cmd FLASHDIR0 add-item 1 (x)\nconfig write\n\n# said"
    assert between(text, text) == []
    assert between("config change A /x 1 /y 2", "config change A /y 2 /x 1") == []


def test_several_values_of_an_option_are_not_added_to_those_that_are_there() -> None:
    assert between("config change A /l 1 /l 2", "config change A /l 2 /l 3") == [
        "config rem A /l",
        "config add A /l 2 /l 3",
    ]
    assert between("config change A /x 1", "config change A /x 1 /l 1 /l 2") == ["config add A /l 1 /l 2"]


def test_modules_that_are_gone_or_new() -> None:
    assert between("config change A /x 1 /y", "config change B /z 1") == ["config add B /z 1", "config rem A /x /y"]


def test_variables_are_created_and_deleted() -> None:
    before = "vars create M/KEPT p 1\nvars create M/GONE p 1\nvars create M/CHANGED/00000 pb 00"
    after = "vars create M/KEPT p 1\nvars create M/CHANGED/00000 pb 01\nvars create M/NEW p a+b"
    assert between(before, after) == ["vars create M/CHANGED/00000 pb 01", "vars create M/NEW p a+b", "vars del M/GONE"]


def test_other_lines_are_taken_over_and_those_that_are_gone_are_told() -> None:
    assert between("mod cmd D add-item 1", "mod cmd D add-item 2\nvars create") == [
        "mod cmd D add-item 2",
        "vars create",
        "# Gone, and no command is known that takes it back: mod cmd D add-item 1",
    ]


def test_the_update_client_is_left_alone() -> None:
    before = "config change UP1 /url a\nvars create UPDATE/CHECK p 1"
    assert between(before, "config change UP1 /url b\nvars create UPDATE/CHECK p 2\niresetn\nconfig activate") == []


def test_a_hidden_secret_becomes_a_comment() -> None:
    assert between("config change A /x 1 /pw s3a", "config change A /x 1 /pw s3b") == [
        "# Write its secret here: config add A /pw ***"
    ]
    assert between("vars create A p s3a\ndo s3x", "vars create A p s3b\ndo s3y") == [
        "# Write its secret here: vars create A p ***",
        "# Write its secret here: do ***",
        "# Gone, and no command is known that takes it back: do ***",
    ]


def test_of_a_line_that_is_hidden_as_a_whole_nothing_is_told() -> None:
    for shown in ("***", "config change A ***"):
        assert snippet_between([], [("config change A /x s3", shown)]) == (
            "# Write its secret here: config add A /x ***",
        )


OPTIONS = st.dictionaries(st.sampled_from(["/a", "/b", "/c"]), st.lists(st.sampled_from("123"), min_size=1, max_size=3))
CONFIGURATIONS = st.dictionaries(st.sampled_from(["A", "B", "P Q"]), OPTIONS.filter(bool))


@given(CONFIGURATIONS, CONFIGURATIONS)
def test_a_device_that_executes_it_has_the_other_configuration(
    before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]]
) -> None:
    device = {module: dict(options) for module, options in before.items()}
    for command in snippet_between(_seen(_dump(before)), _seen(_dump(after))):
        line = parse_config_line(command)
        assert line is not None
        module = device.setdefault(line.module, {})
        for name, values in line.options.items():
            if line.verb == "rem":
                del module[name]
            elif len(values) > 1:
                module[name] = [*module.get(name, []), *values]
            else:
                module[name] = list(values)
    assert {module: options for module, options in device.items() if options} == after


def _dump(configuration: dict[str, dict[str, list[str]]]) -> list[str]:
    return [
        " ".join(
            ("config change", module, *(f"{name} {value}" for name, values in options.items() for value in values))
        )
        for module, options in configuration.items()
    ]
