"""What one device gets from one commit, in the form in which two commits are compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gitupd.core.actions import BootcodeRequested, Compute, Confirmed, Deliver, Do, FirmwareRequested, Say, lines
from gitupd.core.script import LEADING_ON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.actions import Action
    from gitupd.core.imagined import ImaginedPoll
    from gitupd.core.situation import Situation
    from gitupd.core.snapshot import Snippet

_CHECK = "mod cmd UP1 check ser "
_COMMIT = "gitupd "
_COMPUTED = "scripting.py"


class ComparedLine(NamedTuple):
    """One line of a script; ``path`` is the file that it is from, None for gitupd itself.

    ``shown`` is what people see of it in place of what is encrypted in the commit, None if that is the line itself.
    """

    text: bytes
    path: str | None = None
    shown: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    lines: tuple[ComparedLine, ...]
    onward: tuple[bytes, ...]
    check: str | None
    size: int


@dataclass(frozen=True)
class Rendering:
    """What a device gets: ``following`` answers its next poll, ``whole`` is all of it, executed already or not."""

    following: ImaginedPoll
    whole: ImaginedPoll

    @property
    def situation(self) -> Situation:
        """All that the answer depends on."""
        return self.following.situation

    @cached_property
    def is_executed(self) -> bool:
        """Whether the device has executed all of it."""
        return any(isinstance(action, Confirmed) for action in self.following.actions)

    @property
    def lines(self) -> tuple[ComparedLine, ...]:
        """All of it but the name of the commit, the CHECK serial, and what leads on to the next poll."""
        return self._parts.lines

    @property
    def onward(self) -> tuple[bytes, ...]:
        """The commands that lead the device on to its next poll."""
        return self._parts.onward

    @property
    def check(self) -> str | None:
        """The CHECK serial that the device is to store, None if it stores none."""
        return self._parts.check

    @property
    def size(self) -> int:
        """How many commands of snippets and computed lines there are."""
        return self._parts.size

    @cached_property
    def executed(self) -> tuple[bytes, ...]:
        """The commands of snippets and computed lines that are executed after the next poll."""
        origins = Deliver | Compute
        texts = (line.text.strip() for line in lines(self.following.actions) if isinstance(line.origin, origins))
        return tuple(text for text in texts if _is_command(text))

    @cached_property
    def builds(self) -> tuple[FirmwareRequested | BootcodeRequested, ...]:
        """What is to be loaded after the next poll."""
        wanted = FirmwareRequested | BootcodeRequested
        return tuple(action for action in self.following.actions if isinstance(action, wanted))

    @property
    def failure(self) -> str | None:
        """Why no lines can be made for the device, None if they can."""
        return self.situation.failure

    @property
    def essence(self) -> tuple[object, ...]:
        """All that a comparison looks at, the policies aside: where this is equal, so is what comes of it."""
        situation, same = self.situation, self.whole is self.following
        caller = situation.caller
        return (
            *(self.following.actions, None if same else self.whole.actions, self.failure),
            *(situation.admission.is_let_in, situation.identity.is_trusted, situation.phase, situation.next_phase),
            *(caller.endpoint, caller.model, caller.get("PROT"), caller.get("BOOT"), bool(caller.missing)),
        )

    @cached_property
    def _parts(self) -> _Parts:
        compared: list[ComparedLine] = []
        onward: list[bytes] = []
        check, size = None, 0
        for action in self.whole.actions:
            match action:
                case Deliver(snippet):
                    compared += _of(snippet)
                    size += sum(_is_command(text.strip()) for text in snippet.lines)
                case Compute(text):
                    compared.append(ComparedLine(text.encode(errors="surrogateescape"), _COMPUTED))
                    size += _is_command(compared[-1].text.strip())
                case Say(text) if text.startswith(_COMMIT):
                    pass
                case Do(command) if command.startswith(_CHECK):
                    check = command.removeprefix(_CHECK)
                case Do(command) if command.startswith(LEADING_ON):
                    onward.append(command.encode(errors="surrogateescape"))
                case _:
                    compared += _own(action)
        return _Parts(tuple(compared), tuple(onward), check, size)


def _of(snippet: Snippet) -> Iterator[ComparedLine]:
    """Yield the lines of *snippet*, those that are encrypted with what people see of them."""
    shown = snippet.shown or (None,) * len(snippet.lines)
    for text, seen in zip(snippet.lines, shown, strict=True):
        yield ComparedLine(text, snippet.path, None if seen == text else seen)


def _own(action: Action) -> Iterator[ComparedLine]:
    """Yield the lines of gitupd itself that *action* puts into a script."""
    return (ComparedLine(line.text) for line in lines((action,)))


def _is_command(text: bytes) -> bool:
    return bool(text) and not text.startswith(b"#")
