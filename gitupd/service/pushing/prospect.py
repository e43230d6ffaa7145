"""What was pushed to a site: it is written down who has done that, and said what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from gitupd.core.deployments.objection import Gate, first_of, way_on
from gitupd.core.deployments.pushed import movement
from gitupd.core.deployments.state import CommitState
from gitupd.core.people.audit import Kind
from gitupd.errors import GitupdError
from gitupd.service.deployments.live import live_now
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.waiting import waiting
from gitupd.service.pushing.pushers import site_of
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.deployments.pushed import PushedRef
    from gitupd.core.people.person import Actor
    from gitupd.service.deployments.waiting import Waiting


_MOST_NOTED = 100


def take_note(repository: Path, refs: Sequence[PushedRef], actor: Actor, now: datetime, reason: str) -> str | None:
    """Write down that *actor* has pushed *refs* to *repository*, and return what becomes of them.

    *reason* is why a branch was rewound, empty if it wasn't. Return None if the repository is no site's, or nothing is
    to be said.
    """
    if (place := site_of(repository)) is None:
        return None
    try:
        site = Site(place)
        try:
            _note(site, refs, actor, now, reason)
            head = waiting(site, live_now(site), Verdicts(site))
        finally:
            site.close()
    except GitupdError as error:
        return f"what becomes of it can't be told: {error}"
    if head is None or head.branch not in {ref.branch for ref in refs}:
        return None
    return f"{head.branch} {head.commit.id[:12]} {_sentence(head)}"


def _note(site: Site, refs: Sequence[PushedRef], actor: Actor, now: datetime, reason: str) -> None:
    """Write down the push: each branch by itself, so that a commit is found by who pushed it."""
    why = f": {reason}" if reason else ""
    for ref in refs[:_MOST_NOTED]:
        subject = ref.new or ref.name
        site.audit.add(now, actor.name, Kind.PUSH, subject, f"{movement(ref)}{why}", address=actor.address)
    if (more := len(refs) - _MOST_NOTED) > 0:
        site.audit.add(now, actor.name, Kind.PUSH, "", f"and {more:,} references more", address=actor.address)


def _sentence(head: Waiting) -> str:
    deploy = f"gitupd deploy {head.commit.id[:12]}"
    match head.obstacle:
        case "errors":
            return "has errors, and can't be deployed"
        case "blocked":
            return f"is blocked since it was rolled back; to lift that: gitupd unblock {head.commit.id[:12]}"
        case "taken back":
            return f"was deployed before, and somebody took it back; to deploy it again: {deploy}"
        case "by hand":
            return _by_hand(head, deploy)
        case "doubtful":
            is_to_come = head.decision.state in (CommitState.FROZEN, CommitState.WAITING)
            return f"is not deployed {'yet' if is_to_come else 'by itself'}: {_against(head)}"
        case "looking":
            said = head.objections[0] if head.objections else "it is being looked at"
            return f"is not deployed yet: {said}; if nothing speaks against it then, it is deployed by itself"
        case "grace":
            return f"is deployed by itself {head.grace} s after it arrived, while the server runs"
        case _:
            assert_never(head.obstacle)


def _by_hand(head: Waiting, deploy: str) -> str:
    """Return what becomes of a commit that somebody deploys, and what that takes."""
    objections = [each for each in head.objections if not each.is_pending]
    if not objections:
        return f"waits for somebody to deploy it: {deploy}"
    if all(each.gate is Gate.APPROVAL for each in objections):
        return f"waits for somebody to deploy it who has not made it: {deploy}"
    return f"waits for somebody to deploy it, and that is objected to: {_against(head)}"


def _against(head: Waiting) -> str:
    """Return what speaks against a commit, and what helps against it."""
    objections = [each for each in head.objections if not each.is_pending] or head.objections
    said = (first_of(objections), way_on(objections, head.commit.id))
    return "; ".join(each for number, each in enumerate(said) if each and not (number and said[0].endswith(each)))
