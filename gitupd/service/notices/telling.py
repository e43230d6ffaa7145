"""What there is to tell of notices themselves: who is told of what, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitupd.core.words import counted
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from gitupd.core.notices.notice import Channel, NoticeKind
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.store.notices.outbox import Posted


@dataclass(frozen=True, slots=True)
class ToldPerson:
    """A name in rules or settings: by which ``channels`` it is told, none if the settings lack it, and of what."""

    name: str
    channels: tuple[Channel, ...]
    kinds: tuple[NoticeKind, ...]


def told(site: Site, live: Live | None) -> list[ToldPerson]:
    """Return who is told, or would be: all names of the deployed rules and of the settings, in order."""
    rules, known = live.snapshot.policy.notify if live else (), site.settings.notify.to
    names = sorted({*known, *(rule.to for rule in rules)})
    return [
        ToldPerson(
            name,
            known[name].channels if name in known else (),
            tuple(sorted({kind for rule in rules if rule.to == name for kind in rule.on})),
        )
        for name in names
    ]


def notice_concerns(site: Site) -> list[str]:
    """Return what somebody should look at, for who is to be told can't be."""
    failing = site.outbox.failing()
    if failing is None:
        return []
    count, pending, error = failing
    who = f"{pending.recipient} by {pending.channel}"
    return [f"{counted(count, 'notice')} could not be sent yet, to {who}: {error}; see: gitupd notify list"]


def state(posted: Posted) -> str:
    """Return in a word how far a notice is: waiting, failing, sent or given up."""
    if posted.done is None:
        return "failing" if posted.waiting.tries else "waiting"
    return "sent" if posted.sent is not None else "given up"


def notice_facts(posted: Posted) -> dict[str, Any]:
    """Return a notice as values of JSON."""
    waiting = posted.waiting
    return {
        "id": waiting.number,
        "at": plain(waiting.at),
        "kind": waiting.notice.kind.value,
        "recipient": waiting.recipient,
        "channel": waiting.channel.value,
        "text": waiting.notice.text,
        "state": state(posted),
        "tries": waiting.tries,
        "error": posted.error,
        "sent": plain(posted.sent),
        "due": None if posted.done else plain(posted.due),
    }
