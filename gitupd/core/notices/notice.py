"""What there is to tell, the rules that say whom, and messages that are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

LONGEST_TEXT = 600
_MOST_TOLD = 20
_NOT_IN_CHATS = str.maketrans({"<": "(", ">": ")", "@": "@\N{ZERO WIDTH SPACE}", "`": "'"})
_PAUSES = (10, 30, 60, 300, 900, 3600)
GIVEN_UP_AFTER = 40
"""Tries in vain: after almost two days nobody needs to be told any more."""


class NoticeKind(StrEnum):
    """What somebody may be told of; the value is what rules call it."""

    DEPLOYED = "deployed"
    REFUSED = "refused"
    BRAKED = "braked"
    STOPPED = "stopped"
    ROLLED_BACK = "rolled-back"
    DIVERGED = "diverged"
    MISSING = "missing"
    OVERDUE = "overdue"
    EXPIRING = "expiring"

    @property
    def words(self) -> str:
        """What has happened, as the subject of a message."""
        return _WORDS[self]


_WORDS: Mapping[str, str] = {
    NoticeKind.DEPLOYED: "deployed",
    NoticeKind.REFUSED: "a commit is refused",
    NoticeKind.BRAKED: "a commit is braked",
    NoticeKind.STOPPED: "deployments are stopped",
    NoticeKind.ROLLED_BACK: "rolled back",
    NoticeKind.DIVERGED: "the upstream is not followed",
    NoticeKind.MISSING: "devices are missing",
    NoticeKind.OVERDUE: "backups are overdue",
    NoticeKind.EXPIRING: "certificates end",
}


class Channel(StrEnum):
    """How somebody is told."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """What of, and whom to tell; ``at_most`` is in seconds, and one message of a kind comes within them (0 = any)."""

    on: frozenset[NoticeKind]
    to: str
    at_most: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell: nobody is told twice of the same ``cause``. ``path`` leads to a page, empty for none."""

    kind: NoticeKind
    cause: str
    text: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """A notice on its way to ``recipient`` by one ``channel``, with its ``number`` in the outbox.

    It was made ``at`` some time, and tried so often in vain. ``at_most`` is that of its rule.
    """

    number: int
    recipient: str
    channel: Channel
    notice: Notice
    at: datetime
    tries: int = 0
    at_most: int = 0


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """What is sent: ``id`` stays the same however often it is tried."""

    id: str
    kind: NoticeKind
    title: str
    lines: tuple[str, ...]
    at: datetime
    path: str = ""

    @property
    def line(self) -> str:
        """All of it in one line, the beginning if it is much."""
        return one_line(f"{self.title}: {'; '.join(self.lines)}")


def recipients(rules: Iterable[NoticeRule], kind: NoticeKind) -> dict[str, int]:
    """Return whom *rules* want to be told of *kind*, each with the shortest time between two messages."""
    found: dict[str, int] = {}
    for rule in rules:
        if kind in rule.on:
            found[rule.to] = min(found.get(rule.to, rule.at_most), rule.at_most)
    return found


def message(waiting: Sequence[PendingNotice], tell: Callable[[str], str] = str) -> NoticeMessage:
    """Return the one message that is made of what waits, at least one notice, all of one kind, the oldest first.

    *tell* says a text again in the language of whoever gets it.
    """
    first, more = waiting[0], len(waiting) - _MOST_TOLD
    lines = [one_line(tell(each.notice.text)) for each in waiting[:_MOST_TOLD]]
    lines += [tell(f"and {counted(more, 'more notice')}")] if more > 0 else []
    path = first.notice.path if len(waiting) == 1 else ""
    key = f"gitupd-{first.channel}-{first.number}-{len(waiting)}"
    title = tell(f"gitupd: {first.notice.kind.words}")
    return NoticeMessage(key, first.notice.kind, title, tuple(lines), first.at, path)


def pause(tries: int) -> int | None:
    """Return the seconds until the next try after so many in vain, None once it is given up."""
    if tries >= GIVEN_UP_AFTER:
        return None
    return _PAUSES[min(tries, len(_PAUSES)) - 1]


def one_line(text: str) -> str:
    """Return *text* as one line that everybody can read, shortened if it is long."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…"


def for_chat(text: str) -> str:
    """Return *text* without what chats take for a mention, a link or a command: devices choose their own names."""
    return text.translate(_NOT_IN_CHATS)
