"""What happened to a device, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.people.audit import Kind, deed
from gitupd.core.stories.change import ChangeKind
from gitupd.core.words import capital, counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.core.stories.change import Change


class StoryTopic(StrEnum):
    """What a happening is about, by which stories are filtered."""

    CALL = "calls"
    SCRIPT = "scripts"
    PLACE = "moves"
    SOFTWARE = "software"
    WARNING = "warnings"
    ANSWER = "answers"
    BACKUP = "backups"
    CERTIFICATE = "certificates"
    DEED = "people"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a device, as a sentence that ``commit`` ends if it is not None.

    ``commit`` is one of the configuration, ``version`` the commit of a version in the backup history.
    """

    at: datetime
    topic: StoryTopic
    text: str
    commit: CommitId | None = None
    version: CommitId | None = None


_TOPICS: Mapping[ChangeKind, StoryTopic] = {
    ChangeKind.SENT: StoryTopic.SCRIPT,
    ChangeKind.CONFIRMED: StoryTopic.SCRIPT,
    ChangeKind.FIRMWARE: StoryTopic.SOFTWARE,
    ChangeKind.BOOTCODE: StoryTopic.SOFTWARE,
    ChangeKind.FIRMWARE_WANTED: StoryTopic.SOFTWARE,
    ChangeKind.BOOTCODE_WANTED: StoryTopic.SOFTWARE,
    ChangeKind.WARNED: StoryTopic.WARNING,
    ChangeKind.DEED: StoryTopic.DEED,
}

_DEEDS: Mapping[str, str] = {
    Kind.DEVICE_FORGET: "forgot it",
    Kind.DEVICE_TOUCH: "let it count as seen",
    Kind.DEVICE_ACCEPT: "accepted it",
    Kind.DEVICE_REFUSE: "refused it",
    Kind.DEVICE_WITHDRAW: "withdrew what was decided on it",
    Kind.DEVICE_RECORD: "had its requests recorded",
    Kind.DEVICE_RECORD_STOP: "ended the record of its requests",
    Kind.REQUESTS_VIEW: "looked at its recorded requests",
    Kind.BACKUP_VIEW: "looked at its backups",
}


def topic_of(kind: ChangeKind) -> StoryTopic:
    """Return what a change of that *kind* is about."""
    return _TOPICS.get(kind, StoryTopic.PLACE)


def kinds_of(topic: StoryTopic) -> tuple[ChangeKind, ...]:
    """Return the kinds of changes that are about *topic*."""
    return tuple(kind for kind in ChangeKind if topic_of(kind) is topic)


def deed_on_it(kind: str) -> str:
    """Return the words for a deed that concerned one device, which follow a name: ``Otto`` ``accepted it``."""
    return _DEEDS.get(kind) or deed(kind)


def told(change: Change) -> Happening:
    """Return a change in words."""
    return Happening(change.at, topic_of(change.kind), _text(change), change.commit)


def _text(change: Change) -> str:
    now = change.now or ""
    match change.kind:
        case ChangeKind.SENT:
            return f"Was sent {counted(int(now), 'snippet')} of"
        case ChangeKind.CONFIRMED:
            return "Confirmed that it executed"
        case ChangeKind.WARNED:
            return capital(now)
        case ChangeKind.KEY:
            return "Showed a certificate with another key than before" if change.was else "Showed a certificate"
        case ChangeKind.DEED:
            return f"{now} {deed_on_it(change.was or '')}"
        case ChangeKind.ENVIRONMENTS:
            said = ", ".join(now.split()), ", ".join((change.was or "").split())
        case _:
            said = now, change.was or ""
    beginning, before = _WORDS[change.kind]
    return f"{beginning} {said[0]}" + (f"{before} {said[1]}" if before and said[1] else "")


_WORDS: Mapping[ChangeKind, tuple[str, str]] = {
    ChangeKind.NAME: ("Is called", ", before"),
    ChangeKind.ENVIRONMENTS: ("Moved to", " from"),
    ChangeKind.PHASE: ("Came into phase", " from"),
    ChangeKind.ADDRESS: ("Called from", ", before from"),
    ChangeKind.HARDWARE: ("Called as", ", before as"),
    ChangeKind.TYPE: ("Is now of type", ", before"),
    ChangeKind.FIRMWARE: ("Runs firmware", ", before"),
    ChangeKind.BOOTCODE: ("Runs boot code", ", before"),
    ChangeKind.FIRMWARE_WANTED: ("Was told to load firmware", ""),
    ChangeKind.BOOTCODE_WANTED: ("Was told to load boot code", ""),
}
"""How each is told: what is before the new value, and before the old one, which is left out if that is empty."""
