"""A script as people read it: where each line is from, why a device gets a snippet, and how two scripts differ."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from gitupd.core.actions import Compute, Deliver, Say, Warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.actions import Line
    from gitupd.core.situation import Situation
    from gitupd.core.snapshot import CommitId, Snippet

Kind = Literal["comment", "command", "snippet", "computed"]

_LEADING_ON = ("config add UP1 ", "config rem UP1 ", "mod cmd UP1 provision ")


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One line of a script, ``number`` from 1; ``path`` and ``line`` are its origin, None and 0 if it has none."""

    number: int
    text: str
    kind: Kind
    path: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Selected:
    """A snippet that a device gets, and why, in words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Script:
    """What a device gets from one commit.

    ``executed`` means that it has executed all of this already, so that its next poll is answered with a comment
    only. ``failure`` says what is not as it would be, None if nothing is.
    """

    commit: CommitId
    lines: tuple[ScriptLine, ...]
    selected: tuple[Selected, ...]
    executed: bool = False
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of one script beside its counterpart in the other, None where there is none."""

    left: ScriptLine | None
    right: ScriptLine | None
    changed: bool


def differences(left: Script, right: Script) -> tuple[Row, ...]:
    """Return the lines of two scripts side by side.

    That each names its own commit is no difference, and neither are the commands that lead a device on to its next
    poll: they say where it stands, and not what is configured.
    """
    before, after = [_compared(line) for line in left.lines], [_compared(line) for line in right.lines]
    rows: list[Row] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        for one, other in zip_longest(left.lines[a:b], right.lines[c:d]):
            passing = all(line is None or _leads_on(line) for line in (one, other))
            rows.append(Row(one, other, changed=tag != "equal" and not passing))
    return tuple(rows)


def _compared(line: ScriptLine) -> str:
    return "# gitupd" if line.number == 1 and line.kind == "comment" else line.text


def _leads_on(line: ScriptLine) -> bool:
    return line.kind == "command" and line.text.startswith(_LEADING_ON)


def numbered(lines: Iterable[Line]) -> tuple[ScriptLine, ...]:
    """Return *lines* as people read them, numbered from 1."""
    return tuple(_script_line(number, line) for number, line in enumerate(lines, 1))


def _script_line(number: int, line: Line) -> ScriptLine:
    text = line.text.decode(errors="replace")
    match line.origin:
        case Deliver(snippet):
            return ScriptLine(number, text, "snippet", snippet.path, line.number)
        case Compute():
            return ScriptLine(number, text, "computed")
        case Say() | Warn():
            return ScriptLine(number, text, "comment")
        case _:
            return ScriptLine(number, text, "command")


def selected(situation: Situation) -> Iterator[Selected]:
    """Yield the snippets of *situation*, in order."""
    for snippet in situation.snippets:
        yield Selected(snippet.path, "; ".join(_reasons(situation, snippet)))


def _reasons(situation: Situation, snippet: Snippet) -> Iterator[str]:
    """Yield why a snippet is selected, one part of its name after the other."""
    yield "every phase" if snippet.phase == "all" else f"phase {snippet.phase}"
    yield "every class" if snippet.device_class == "all" else f"class {snippet.device_class}"
    if snippet.place == "all":
        yield "every environment"
    elif snippet.place == situation.caller.place:
        yield "this very device"
    else:
        implying = [
            name
            for name in situation.asked_environments
            if name != snippet.place
            and name in situation.policy.environments
            and snippet.place in situation.policy.environments[name].implies
        ]
        why = f", implied by {implying[0]}" if implying and snippet.place not in situation.asked_environments else ""
        yield f"environment {snippet.place}{why}"
