"""Telling people what happened, from a thread beside the keeper; and telling them on request that this works."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gitupd.core.notices.notice import NoticeKind, NoticeMessage, message, pause, recipients
from gitupd.core.people.audit import Kind
from gitupd.errors import SiteError
from gitupd.service.background import Recurring, Trouble
from gitupd.service.notices.delivering import Courier
from gitupd.service.notices.watching import NoticeWatch
from gitupd.service.notices.wording import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.notices.notice import Channel, Notice, PendingNotice
    from gitupd.core.people.person import Actor
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.site import Site
    from gitupd.service.steadiness import Steadiness

_EVERY, _SLOWLY = 1.0, timedelta(minutes=10)
_REMEMBERED = timedelta(days=90)
"""For how long nobody is told again of the same cause."""

log = structlog.get_logger()


class Notifying:
    """Looks for what there is to tell, and sends it; all that it has to know is in the database."""

    def __init__(
        self,
        site: Site,
        follower: Follower,
        clock: Callable[[], datetime],
        steadiness: Steadiness,
    ) -> None:
        """Tell of *site*, by the rules that *follower* knows; *steadiness* says whether *clock* can be relied on."""
        self._site, self._follower, self._now, self._steadiness = site, follower, clock, steadiness
        self._watch = NoticeWatch(site)
        self._looked: datetime | None = None
        self._unknown: frozenset[str] = frozenset()
        self._work = Recurring("notices", _EVERY, self._step, Trouble("notices"))

    def start(self) -> None:
        """Start to look and to send in the background."""
        self._work.start()

    def stop(self) -> None:
        """Finish what is under way, and stop."""
        self._work.stop()

    def _step(self) -> None:
        self.look()
        self.send()

    def look(self) -> None:
        """Put into the outbox what there is to tell now; raises GitupdError."""
        live, now = self._follower.live, self._now()
        if live is None:
            return
        marks = self._site.outbox.marks()
        quick = self._watch.quick(live, marks, now)
        posts = [*self._posts(live, quick.notices)]
        if posts or any(marks.get(name) != value for name, value in quick.marks.items()):
            self._site.outbox.post(posts, now, dict(quick.marks))
        if self._looked is None or now - self._looked >= _SLOWLY or now < self._looked:
            self._looked = now
            slow = self._watch.slow(live, marks, now, settled=self._steadiness.is_settled)
            self._site.outbox.post(self._posts(live, slow.notices), now, dict(slow.marks))
            self._site.outbox.tidy(now - _REMEMBERED)

    def _posts(self, live: Live, notices: Sequence[Notice]) -> Iterator[tuple[str, Channel, Notice, int]]:
        """Yield who is to be told of *notices*, by which ways."""
        rules, known = live.snapshot.policy.notify, self._site.settings.notify.to
        unknown = frozenset(rule.to for rule in rules) - known.keys()
        if unknown != self._unknown:
            self._unknown = unknown
            log.warning("nobody is told: [notify.to] of the settings lacks some that rules name", names=sorted(unknown))
        for notice in notices:
            for name, at_most in recipients(rules, notice.kind).items():
                if (recipient := known.get(name)) is not None:
                    yield from ((name, channel, notice, at_most) for channel in recipient.channels)

    def send(self) -> None:
        """Send what is due, all of a kind in one message; what fails is tried again later."""
        groups: dict[tuple[str, Channel, NoticeKind], list[PendingNotice]] = defaultdict(list)
        for waiting in self._site.outbox.due(self._now()):
            groups[waiting.recipient, waiting.channel, waiting.notice.kind].append(waiting)
        failed: dict[tuple[str, Channel], str] = {}
        for (name, channel, kind), some in groups.items():
            if self._work.stopping:
                return
            last = self._site.outbox.last_sent(name, channel, kind)
            soonest = last + timedelta(seconds=max(each.at_most for each in some)) if last else None
            if soonest is not None and soonest > self._now():
                self._site.outbox.put_off(some, soonest)
                continue
            fault = failed.get((name, channel)) or self._try(name, channel, some)
            if fault is not None:  # of one that can't be reached, nothing else is tried now
                failed[name, channel] = fault
                self._later(some, fault)

    def _try(self, name: str, channel: Channel, some: Sequence[PendingNotice]) -> str | None:
        """Send *some* in one message; return why that failed, None if it went well."""
        settings, now = self._site.settings.notify, self._now()
        recipient = settings.to.get(name)
        if recipient is None or channel not in recipient.channels:
            self._site.outbox.close(some, now, "the settings have no such recipient any more")
            return None
        try:
            told = message(some, wording(self._site.settings, recipient))
            Courier(self._site.path, settings).deliver(recipient, channel, told, now)
        except SiteError as error:
            log.warning("a notice could not be sent", recipient=name, channel=channel.value, error=str(error))
            return str(error)
        self._site.outbox.close(some, now)
        log.info("sent a notice", recipient=name, channel=channel.value, kind=some[0].notice.kind, count=len(some))
        return None

    def _later(self, some: Sequence[PendingNotice], fault: str) -> None:
        for each in some:
            seconds = pause(each.tries + 1)
            if seconds is None:
                self._site.outbox.close([each], self._now(), fault)
            else:
                self._site.outbox.put_off([each], self._now() + timedelta(seconds=seconds), fault)


def send_test(site: Site, name: str, actor: Actor, now: datetime) -> dict[Channel, str | None]:
    """Send a message to the recipient called *name* by each of its ways; return why that failed, None if it did not.

    That *actor* asked for it is in the audit. Raises SiteError if the settings have no such recipient.
    """
    settings = site.settings.notify
    recipient = settings.to.get(name)
    if recipient is None:
        known = ", ".join(settings.to) or "none"
        raise SiteError(f"the settings have no recipient {name!r} in [notify.to]; known: {known}")
    site.audit.add(now, actor.name, Kind.NOTIFY_TEST, name, address=actor.address)
    outcomes: dict[Channel, str | None] = {}
    tell = wording(site.settings, recipient)
    for channel in recipient.channels:
        key = f"gitupd-test-{channel}-{int(now.timestamp())}"
        text = tell(f"This is a test that {actor.name} asked for: notices for {name} come here.")
        sent = NoticeMessage(key, NoticeKind.DEPLOYED, tell("gitupd: test"), (text,), now)
        try:
            Courier(site.path, settings).deliver(recipient, channel, sent, now)
            outcomes[channel] = None
        except SiteError as error:
            outcomes[channel] = str(error)
    return outcomes
