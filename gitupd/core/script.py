"""A script as people read it: where each line is from, why a device gets a snippet, and how two scripts differ."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from gitupd.core.actions import Compute, Confirmed, Deliver, Restoring, Say, Warn, lines
from gitupd.core.concealing import HIDDEN
from gitupd.core.differing import spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gitupd.core.actions import Action, Line
    from gitupd.core.backups.restore import Pending
    from gitupd.core.concealing import Values, Veil
    from gitupd.core.situation import Situation
    from gitupd.core.snapshot import CommitId, Snippet

Kind = Literal["comment", "command", "snippet", "computed"]

LEADING_ON = ("config add UP1 ", "config rem UP1 ", "mod cmd UP1 provision ")
"""How the commands begin that lead a device on to its next poll."""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One line of a script, ``number`` from 1; ``path`` and ``line`` are its origin, None and 0 if it has none.

    What a template has more or fewer lines of than its file is from the file as a whole, and so is what is encrypted in
    it: ``line`` is 0.
    """

    number: int
    text: str
    kind: Kind
    path: str | None = None
    line: int = 0


def hiding(line: ScriptLine, hide: Veil) -> Callable[[str], str]:
    """Return what hides secrets in the text of *line*, by who has written it."""
    return hide.line if line.kind in ("snippet", "computed") else hide.command


@dataclass(frozen=True, slots=True)
class Selected:
    """A snippet that a device gets, and why, in words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Script:
    """What a device gets from one commit.

    ``executed`` means that it has executed all of this already, so that its next poll is answered with a comment
    only; ``restores`` that an earlier version of its configuration comes first. ``failure`` says what is not as it
    would be, None if nothing is.
    """

    commit: CommitId
    lines: tuple[ScriptLine, ...]
    selected: tuple[Selected, ...]
    executed: bool = False
    restores: bool = False
    failure: str | None = None

    @property
    def commands(self) -> tuple[str, ...]:
        """What of it a device executes, without blanks around."""
        texts = (line.text.strip() for line in self.lines if line.kind != "comment")
        return tuple(text for text in texts if text and not text.startswith("#"))


def script_of(situation: Situation, actions: Sequence[Action], failure: str | None = None) -> Script:
    """Return what *situation* is answered with, by *actions*, as people read it."""
    return Script(
        situation.snapshot.commit,
        tuple(
            _script_line(number, line, situation.restore, situation.snapshot.sealed)
            for number, line in enumerate(lines(actions), 1)
        ),
        tuple(_selected(situation, actions)),
        executed=any(isinstance(action, Confirmed) for action in actions),
        restores=any(isinstance(action, Restoring) for action in actions),
        failure=failure,
    )


def _script_line(number: int, line: Line, restore: Pending | None, sealed: Values) -> ScriptLine:
    text = line.text.decode(errors="replace")
    match line.origin:
        case Deliver(snippet):
            if snippet.shown is not None:
                text = snippet.shown[line.number - 1].decode(errors="replace")
            is_same = snippet.seal is None and (snippet.template is None or snippet.template.keeps_lines)
            return ScriptLine(number, text, "snippet", snippet.path, line.number if is_same else 0)
        case Compute():
            return ScriptLine(number, sealed.hidden(text), "computed")
        case Say() | Warn():
            return ScriptLine(number, text, "comment")
        case _:
            # Whoever has the token of a restore gets the configuration, with all its secrets.
            return ScriptLine(number, text if restore is None else text.replace(restore.token, HIDDEN), "command")


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
    for span in spans(before, after):
        ours, theirs = left.lines[span.start : span.end], right.lines[span.other_start : span.other_end]
        for one, other in zip_longest(ours, theirs):
            passing = all(line is None or _leads_on(line) for line in (one, other))
            rows.append(Row(one, other, changed=not span.same and not passing))
    return tuple(rows)


def _compared(line: ScriptLine) -> str:
    return "# gitupd" if line.number == 1 and line.kind == "comment" else line.text


def _leads_on(line: ScriptLine) -> bool:
    return line.kind == "command" and line.text.startswith(LEADING_ON)


def _selected(situation: Situation, actions: Iterable[Action]) -> Iterator[Selected]:
    for action in actions:
        if isinstance(action, Deliver):
            yield Selected(action.snippet.path, "; ".join(_reasons(situation, action.snippet)))


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
