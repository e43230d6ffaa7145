"""One device looked at closely: what it would get now, what it got last, why, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from gitupd.core.actions import (
    Compute,
    Confirmed,
    Deliver,
    Say,
    Warn,
    lines,
)
from gitupd.core.caller import Request, parse_caller
from gitupd.core.outlook import outlook
from gitupd.core.plan import plan
from gitupd.core.situation import Situation
from gitupd.errors import GitupdError, MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gitupd.core.actions import Action, Line
    from gitupd.core.device import Device
    from gitupd.core.snapshot import CommitId, Snapshot, Snippet
    from gitupd.service.deployments.live import Live
    from gitupd.service.deployments.snapshots import Snapshots
    from gitupd.service.scripting.computing import Computing

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


class Inspection:
    """What can be said of one device beyond what is remembered of it."""

    def __init__(
        self,
        device: Device,
        live: Live | None,
        snapshots: Snapshots,
        now: datetime,
        computing: Computing | None = None,
    ) -> None:
        """Look at *device* at the time *now*; *live* None means that nothing was deployed yet.

        Lines that the configuration's own code computes come from *computing*; None leaves them out.
        """
        self._device, self._live, self._snapshots = device, live, snapshots
        self._now, self._computing = now, computing

    def now_lines(self) -> Script | None:
        """Return all that the deployed commit has for the device, whether it has executed it already or not.

        None if nothing is deployed, or the device never polled.
        """
        if self._live is None or self._device.request is None:
            return None
        return self._script(self._live.snapshot, self._device.request)

    def last_lines(self) -> Script | None:
        """Return the last script with snippets that the device got, None if it never got one or it can't be told."""
        if self._device.sent is None or self._device.sent_request is None:
            return None
        try:
            return self._script(self._snapshots.of(self._device.sent), self._device.sent_request)
        except GitupdError as error:
            failure = f"Commit {self._device.sent[:12]} can't be read any more: {error}."
            return Script(self._device.sent, (), (), failure=failure)

    def expected(self) -> tuple[Action, ...]:
        """Return what the device's next poll is answered with, if it says the same as its last one; may be empty."""
        if self._live is None or self._device.request is None or _misread(self._device.request):
            return ()
        situation, _ = self._situation(self._live.snapshot, self._device.request)
        return tuple(plan(situation))

    def next_step(self) -> str:
        """Return what happens next, as a sentence or two."""
        if self._live is None:
            return "Nothing happens: no commit is deployed."
        if self._device.request is None:
            return "It never polled, so it is not known what it needs."
        if fault := _misread(self._device.request):
            return f"It polled as no device does ({fault}), so it is not known what it needs."
        return outlook(self._live.snapshot.policy, self.expected())

    def _script(self, snapshot: Snapshot, request: Request) -> Script:
        if fault := _misread(request):
            return Script(snapshot.commit, (), (), failure=f"It polled as no device does: {fault}.")
        situation, failure = self._situation(snapshot, request)
        actions = tuple(plan(situation))
        executed = any(isinstance(action, Confirmed) for action in actions)
        if executed:  # as if it had not, so that one sees what it has
            actions = tuple(plan(self._situation(snapshot, _without_check(request))[0]))
        return Script(
            snapshot.commit, _numbered(lines(actions)), tuple(_selected(situation)), executed=executed, failure=failure
        )

    def _situation(self, snapshot: Snapshot, request: Request) -> tuple[Situation, str | None]:
        builds = self._live.builds if self._live else None
        caller = parse_caller(request.arguments, request.endpoint)
        situation = Situation(snapshot, caller, self._now, device=self._device, builds=builds)
        if snapshot.scripting is None or caller.missing:
            return situation, None
        if self._computing is None:
            return situation, "Lines computed by scripting.py are left out here."
        return self._computing.completed(situation), None


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


def _misread(request: Request) -> str | None:
    """Return what is wrong with a remembered *request*: an earlier version may have let through what none does now."""
    try:
        parse_caller(request.arguments, request.endpoint)
    except MalformedRequest as error:
        return str(error)
    return None


def _without_check(request: Request) -> Request:
    return replace(request, arguments={name: value for name, value in request.arguments.items() if name != "CHECK"})


def _numbered(found: Iterable[Line]) -> tuple[ScriptLine, ...]:
    return tuple(_script_line(number, line) for number, line in enumerate(found, 1))


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


def _selected(situation: Situation) -> Iterator[Selected]:
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
