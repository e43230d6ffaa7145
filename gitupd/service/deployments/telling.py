"""Commits and freezes as plain facts, the same for programs on the command line and over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitupd.service.deployments.gates.freeze import frozen
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.deployments.objection import Objection
    from gitupd.core.deployments.record import CommitApproval, CommitRecord, Freeze
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site


def commit_facts(record: CommitRecord, approvals: Sequence[CommitApproval] = ()) -> dict[str, Any]:
    """Return what is remembered of a commit, and who has approved it."""
    arrival = record.arrival
    return {
        "commit": record.commit,
        "branch": arrival.branch,
        "subject": arrival.subject,
        "author": arrival.makers.author,
        "committer": arrival.makers.committer,
        "pusher": arrival.makers.pusher,
        "came_with": arrival.came_with,
        "arrived": plain(record.arrived),
        "state": record.state.value,
        "reason": record.reason,
        "who": record.who,
        "at": plain(record.at),
        "checks": record.checks,
        "signature": record.signature,
        "plan": None if record.plan is None else dict(record.plan),
        "approvals": [{"who": each.who, "at": plain(each.at), "reason": each.reason} for each in approvals],
    }


def freeze_facts(freeze: Freeze | None) -> dict[str, Any] | None:
    """Return the freeze that somebody has ordered, None if nobody has."""
    if freeze is None:
        return None
    return {"who": freeze.who, "at": plain(freeze.at), "reason": freeze.reason, "until": plain(freeze.until)}


def freezes_now(site: Site, live: Live | None, now: datetime) -> list[Objection]:
    """Return why nothing is deployed at *site* now by itself: somebody's order, and the calendar of what is *live*."""
    return list(frozen(site, () if live is None else live.snapshot.policy.deploy.freeze, now))
