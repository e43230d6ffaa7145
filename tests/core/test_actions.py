"""Actions become lines of a script, and nothing becomes a command by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.actions import (
    BootcodeRequested,
    Compute,
    Confirmed,
    Deliver,
    Do,
    FirmwareRequested,
    InPhase,
    Line,
    Say,
    Warn,
    lines,
    script,
)
from gitupd.core.snapshot import Snippet

if TYPE_CHECKING:
    from gitupd.core.actions import Action


@pytest.mark.parametrize(
    "separator", ["\r", "\n", "\0", "\x0b", "\x0c", "\x1c", "\x1e", "\x7f", "\x85", "\u2028", "\u2029"]
)
def test_a_command_is_one_line_or_refused(separator: str) -> None:
    with pytest.raises(ValueError, match="not one command line"):
        Do(f"config write{separator}reset")
    said = script([Say(f"hello{separator}reset"), Warn(f"{separator}reset")]).decode()
    assert [line[:2] for line in said.splitlines()] == ["# ", "# "]


@pytest.mark.parametrize("command", ["", "  ", "# config write"])
def test_no_command_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match="not one command line"):
        Do(command)


@pytest.mark.parametrize("line", ["a\nb", "a\r", "\n"])
def test_a_computed_line_is_one_line(line: str) -> None:
    with pytest.raises(ValueError, match="not one line"):
        Compute(line)


def test_a_comment_is_characters_even_if_a_device_sent_none() -> None:
    assert script([Say("type \udcff\udce9 ü")]) == "# type ?? ü\r\n".encode()


def test_facts_make_no_lines() -> None:
    facts: list[Action] = [FirmwareRequested("1"), BootcodeRequested("1"), Confirmed("x"), InPhase("update", None)]
    assert list(lines([*facts, Do("x")])) == [Line(b"x", Do("x"))]


def test_a_snippet_is_numbered_lines_and_its_bytes() -> None:
    snippet = Snippet("snippets/a-b-c.txt", "a", "b", "c", b" a \r\n# b")
    assert [(line.text, line.number) for line in lines([Deliver(snippet)])] == [(b" a ", 1), (b"# b", 2)]
    assert script([Do("x"), Deliver(snippet), Compute("y")]) == b"x\r\n a \r\n# b\r\ny\r\n"
