"""What people say before anything is deployed: that a commit is good, or that nothing is deployed for now."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from gitupd.config.signers import read_signers
from gitupd.core.deployments.authorship import has_made
from gitupd.core.deployments.record import CommitApproval, Freeze
from gitupd.core.deployments.signers import CommitSigners
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.deployments.gates.approval import makers

if TYPE_CHECKING:
    from datetime import tzinfo

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

LONGEST_REASON = 500
NOBODY = CommitSigners()


def approve(
    site: Site, revision: str, *, who: str, now: datetime, reason: str = "", address: str | None = None
) -> CommitId:
    """Note that *who* approves the commit that *revision* names, and return it.

    Raises SiteError if who approves has made part of it, or if it is what is live; UnreadableRepository.
    """
    live = site.deployments.live()
    with site.open_config() as repository:
        commit = repository.resolve(revision)
        if live is not None and live.commit == commit:
            raise SiteError(f"commit {commit[:12]} is deployed already")
        signers = read_signers(repository.files(live.commit)) if live and repository.has(live.commit) else NOBODY
    if is_own(site, commit, who, signers, now):
        made = f"{who} has made or pushed commit {commit[:12]}, or one that comes with it"
        raise SiteError(f"{made}; somebody else has to approve it")
    event = Event(now, who, Kind.APPROVE, commit, _one_line(reason), address)
    site.approvals.add(CommitApproval(commit, who, now, _one_line(reason)), event)
    return commit


def is_own(site: Site, commit: CommitId, who: str, signers: CommitSigners, now: datetime) -> bool:
    """Whether *who* has made or pushed *commit*, or one that comes with it, or signed it as one of *signers*.

    Raises UnreadableRepository.
    """
    live = site.deployments.live()
    with site.open_config() as repository:
        return has_made(who, makers(site, repository, commit, live.commit if live else None, signers=signers, now=now))


def freeze(
    site: Site, *, who: str, now: datetime, reason: str, until: datetime | None = None, address: str | None = None
) -> Freeze:
    """Have nothing be deployed by itself from *now* on, *until* then or, None, until that is lifted.

    Raises InvalidEntry without a *reason*, or if the end is over already.
    """
    why = _one_line(reason)
    if not why:
        raise InvalidEntry("a freeze needs a reason, for those who wait")
    if until is not None and until <= now:
        raise InvalidEntry("the freeze would be over already; choose a later end")
    order = Freeze(now, who, why, until)
    end = "" if until is None else f"until {until.astimezone(site.settings.zone):%Y-%m-%d %H:%M}"
    site.freezes.put(order, Event(now, who, Kind.FREEZE, end, why, address))
    return order


def unfreeze(site: Site, *, who: str, now: datetime, address: str | None = None) -> None:
    """Lift the freeze that somebody has ordered; raises SiteError if there is none."""
    if not site.freezes.lift(Event(now, who, Kind.UNFREEZE, address=address)):
        raise SiteError("nobody has frozen deployments")


def parse_end(text: str, zone: tzinfo) -> datetime:
    """Return the end that *text* names: of a day, or a minute, by the clock of *zone* unless it names another one.

    Raises InvalidEntry.
    """
    try:
        if len(text.strip()) == len("2026-12-18"):
            day = datetime.combine(date.fromisoformat(text.strip()), time.min) + timedelta(days=1)
            return day.replace(tzinfo=zone).astimezone(UTC)
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        cure = "write a day as 2026-12-18, or a minute as 2026-12-18 16:00"
        raise InvalidEntry(f"{text!r} is no time; {cure}") from error


def _one_line(reason: str) -> str:
    text = " ".join(reason.split())
    if len(text) > LONGEST_REASON:
        raise InvalidEntry(f"the reason is longer than {LONGEST_REASON} characters")
    return text
