"""Looking for what there is to tell: in what is remembered anyhow, so that nothing is lost where somebody is killed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.backups.overdue import Deadline
from gitupd.core.concealing import Veil
from gitupd.core.deployments.state import CommitState
from gitupd.core.notices.notice import Notice, NoticeKind
from gitupd.core.words import counted
from gitupd.service.checkup.expiry import chain_ends, own_authority_ends, server_certificates_end, trust_ends
from gitupd.service.facts import plain
from gitupd.service.upstream.telling import followed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.core.backups.overdue import OverdueDevice
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.deployments.record import CommitRecord
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_DEPLOYMENT, _COMMITS, _MISSING, _OVERDUE = "deployment", "commits", "missing", "overdue"
_NAMED = 10
_MOST_DEPLOYMENTS = 100
_AT_ONCE = 1_000
_MOST_COMMITS = 50
_KINDS = {
    CommitState.INVALID: NoticeKind.REFUSED,
    CommitState.REFUSED: NoticeKind.REFUSED,
    CommitState.BRAKED: NoticeKind.BRAKED,
}
"""What commits in these states are told as; of the others, those who have decided so know."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found, and how far it went: ``marks`` by what was looked for."""

    notices: tuple[Notice, ...]
    marks: Mapping[str, str]


class NoticeWatch:
    """Looks at one site for what happened since the last look, and for what is wrong now."""

    def __init__(self, site: Site) -> None:
        """Look at *site*."""
        self._site = site

    def quick(self, live: Live, marks: Mapping[str, str], now: datetime) -> Look:
        """Look at deployments and at commits; without a mark there is nothing to tell of before."""
        latest = self._site.deployments.latest(_MOST_DEPLOYMENTS)
        newest = latest[0].id if latest else 0
        last = int(marks.get(_DEPLOYMENT, newest))
        held = self._site.commits.latest(_MOST_COMMITS, states=[*_KINDS])
        since = datetime.fromisoformat(marks.get(_COMMITS, now.isoformat()))
        hide = Veil.over([live.snapshot])
        found = [_of_deployment(each) for each in reversed(latest) if each.id > last]
        found += [_of_commit(each) for each in reversed(held) if each.at >= since]
        found += [*self._stopped(now), *self._diverged(live)]
        told = tuple(Notice(each.kind, each.cause, hide.line(each.text), each.path) for each in found)
        looked = max([since, *(each.at for each in held)])
        return Look(told, {_DEPLOYMENT: str(newest), _COMMITS: looked.isoformat()})

    def _stopped(self, now: datetime) -> Iterator[Notice]:
        """Yield that somebody has stopped deployments, as long as that holds; a calendar that does so is expected."""
        freeze = self._site.freezes.current(now)
        if freeze is not None:
            until = f" until {plain(freeze.until)}" if freeze.until else ""
            text = f"{freeze.who} stopped deployments{until}: {freeze.reason}"
            yield Notice(NoticeKind.STOPPED, f"freeze {freeze.at.isoformat()}", text, "/deployments")

    def _diverged(self, live: Live) -> Iterator[Notice]:
        stands = followed(self._site, live)
        if stands is not None and stands.refusal and not stands.failures:
            cause = f"{stands.refused} onto {stands.refused_onto}"
            yield Notice(NoticeKind.DIVERGED, cause, f"{stands.url} is not followed: {stands.refusal}")

    def slow(self, live: Live, marks: Mapping[str, str], now: datetime, *, settled: bool) -> Look:
        """Look at devices and certificates; devices only if the clock is *settled*."""
        found = [*self._ending(live, now)]
        if not settled:
            return Look(tuple(found), {})
        new = {name: now.isoformat() for name in (_MISSING, _OVERDUE)}
        since = {name: datetime.fromisoformat(marks.get(name, new[name])).astimezone(UTC) for name in new}
        found += self._missing(live, since[_MISSING], now)
        found += self._overdue(live, since[_OVERDUE], now)
        return Look(tuple(found), new)

    def _missing(self, live: Live, since: datetime, now: datetime) -> Iterator[Notice]:
        """Yield which devices have become missing *since* then: those that are let in."""
        after = timedelta(seconds=live.snapshot.policy.status.missing_after)
        if not after:
            return
        gone, count = self._site.fleet.last_seen_between(since - after, now - after, _NAMED)
        if count:
            text = f"{counted(count, 'device')} {_have(count)} not called for {_span(after)}: {_listed(gone, count)}"
            yield Notice(NoticeKind.MISSING, f"missing {now.isoformat()}", text, "/devices?q=missing")

    def _overdue(self, live: Live, since: datetime, now: datetime) -> Iterator[Notice]:
        """Yield which devices that call have become overdue with a backup *since* then."""
        deadline = Deadline.of(live.snapshot.policy, now)
        if deadline is None:
            return
        late = [
            each.name or str(each.serial)
            for each in self._late(deadline)
            if each.uploaded is not None and since - deadline.span <= each.uploaded < deadline.since
        ]
        if late:
            text = f"{counted(len(late), 'device')} {_have(len(late))} not uploaded a backup for {_span(deadline.span)}"
            text = f"{text}: {_listed(late[:_NAMED], len(late))}"
            yield Notice(NoticeKind.OVERDUE, f"overdue {now.isoformat()}", text, "/backups?show=late")

    def _late(self, deadline: Deadline) -> Iterator[OverdueDevice]:
        some = self._site.backup_timeline.late(deadline, _AT_ONCE)
        while some:
            yield from some
            some = self._site.backup_timeline.late(deadline, _AT_ONCE, some[-1].serial)

    def _ending(self, live: Live, now: datetime) -> Iterator[Notice]:
        findings = (
            *(*server_certificates_end(self._site, now), *trust_ends(self._site, now)),
            *(*chain_ends(live, now), *own_authority_ends(self._site, now)),
        )
        for finding in findings:
            text = f"{finding.where}: {finding.what}; {finding.cure}"
            yield Notice(NoticeKind.EXPIRING, f"{finding.where}: {finding.what}", text)


def _of_commit(record: CommitRecord) -> Notice:
    kind, commit = _KINDS[record.state], record.arrival
    text = f"{commit.commit[:12]} {commit.subject!r} of branch {commit.branch} is not deployed: {record.reason}"
    return Notice(kind, f"{commit.commit} {record.state}", text, f"/commits/{commit.commit}")


def _of_deployment(deployment: Deployment) -> Notice:
    back = deployment.kind == "rollback"
    kind, deed = (NoticeKind.ROLLED_BACK, "went back to") if back else (NoticeKind.DEPLOYED, "deployed")
    reason = f": {deployment.reason}" if deployment.reason else ""
    text = f"{deployment.who} {deed} {deployment.commit[:12]}{reason}"
    return Notice(kind, f"deployment {deployment.id}", text, f"/commits/{deployment.commit}")


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _span(span: timedelta) -> str:
    hours = round(span / timedelta(hours=1))
    return counted(hours // 24, "day") if hours and hours % 24 == 0 else f"{span / timedelta(hours=1):.3g} h"


def _listed(names: Iterable[str], count: int) -> str:
    named = [*names]
    more = f" and {count - len(named):,} more" if count > len(named) else ""
    return f"{', '.join(named)}{more}"
