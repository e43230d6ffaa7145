"""What the host of the upstream is told of a commit: what became of it, or keeps it, with the numbers of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.state import CommitState
from gitupd.core.upstream.status import CommitStatus, StatusState
from gitupd.core.words import counted
from gitupd.errors import Severity
from gitupd.service.clock import now
from gitupd.service.comparison.kept import KeptPlan, Plans
from gitupd.service.deployments.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.live import Live
    from gitupd.service.deployments.verdicts import Verdicts
    from gitupd.service.deployments.waiting import Waiting
    from gitupd.service.site import Site

_HELD = frozenset({CommitState.WAITING, CommitState.FROZEN, CommitState.SEEN})
"""States of which nobody need be told that something is wrong."""


def arrived(site: Site, commit: CommitId) -> CommitStatus:
    """Return what is told of a *commit* that has just come."""
    return CommitStatus(StatusState.PENDING, "it has arrived, and is looked at", link(site, commit))


def not_followed(site: Site, commit: CommitId, refusal: str) -> CommitStatus:
    """Return what is told of a *commit* that the branch does not follow to."""
    page = f"{site.settings.upstream.site_url}/configuration#upstream" if site.settings.upstream.site_url else ""
    return CommitStatus(StatusState.FAILURE, f"{refusal} ({commit[:12]})", page)


def judged(site: Site, live: Live, head: CommitId, verdicts: Verdicts, *, plan: bool) -> CommitStatus:
    """Return what is told of *head*, which the followed branch is at, and have it planned with *plan*.

    Raises GitupdError if it can't be looked at.
    """
    where = link(site, head)
    if head == live.deployment.commit:
        planned = _numbers(site, live.deployment.replaced, head, plan=plan)
        return CommitStatus(StatusState.SUCCESS, f"deployed{planned and f': {planned}'}", where)
    next_up = waiting(site, live, verdicts)
    if next_up is None or next_up.commit.id != head:
        return arrived(site, head)
    state, why = _held(next_up)
    planned = "" if next_up.obstacle == "errors" else _numbers(site, live.deployment.commit, head, plan=plan)
    return CommitStatus(state, f"{why}{planned and f': {planned}'}", where)


def brought(site: Site, commits: Iterable[CommitId], deployed: CommitId) -> list[CommitId]:
    """Return which of *commits* are in what is *deployed*; raises UnreadableRepository."""
    with site.open_config() as repository:
        there = [commit for commit in commits if repository.has(commit)]
        return [commit for commit in there if not repository.between(deployed, commit, 1)]


def link(site: Site, commit: CommitId) -> str:
    """Return where the page of *commit* is, empty if nobody has said where the pages of *site* are."""
    base = site.settings.upstream.site_url
    return f"{base}/commits/{commit}" if base else ""


def _held(next_up: Waiting) -> tuple[StatusState, str]:
    """Return what keeps a commit from being deployed."""
    if next_up.obstacle == "errors":
        errors = [problem for problem in next_up.problems if problem.severity is Severity.ERROR]
        return StatusState.FAILURE, f"{counted(len(errors), 'error')}: {errors[0]}"
    if next_up.obstacle == "blocked":
        return StatusState.FAILURE, f"blocked since it was rolled back{next_up.reason and f' ({next_up.reason})'}"
    if next_up.obstacle == "taken back":
        return StatusState.FAILURE, "deployed before, and taken back"
    if next_up.objections:
        first = next_up.objections[0]
        is_held = first.state in _HELD
        return (StatusState.PENDING, first.text) if is_held else (StatusState.FAILURE, f"not deployed: {first.text}")
    if next_up.obstacle == "looking":
        return StatusState.PENDING, "it has arrived, and is looked at"
    if next_up.obstacle == "by hand":
        return StatusState.PENDING, "good, and waits for somebody to deploy it"
    return StatusState.PENDING, f"good, and deployed by itself {counted(next_up.grace, 'second')} after it arrived"


def _numbers(site: Site, base: CommitId | None, head: CommitId, *, plan: bool) -> str:
    """Return the plan of *head* in numbers, empty while it is not known; with *plan* it is made then."""
    if base is None or base == head:
        return ""
    plans = Plans(site)
    known = plans.known(base, head)
    if known is None and plan:
        found = plans.wanted(base, head, now())
        known = found if isinstance(found, KeptPlan) else None
    return "" if known is None else str(known.numbers)
