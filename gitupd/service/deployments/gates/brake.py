"""Whether a commit changes more of the fleet than the deployed one lets through without a person's word."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never
from weakref import WeakKeyDictionary

from gitupd.config.intake import concerns_devices
from gitupd.core.deployments.authorship import has_made
from gitupd.core.deployments.brake import FEW_DEVICES, exceeded
from gitupd.core.deployments.objection import Gate, Objection
from gitupd.core.standing import Yardstick
from gitupd.core.words import counted
from gitupd.errors import GitupdError, UnreadableRepository
from gitupd.service.comparison.kept import KeptPlan, PlanFailed, PlanInProgress, Plans, planned_now
from gitupd.service.comparison.planning import Planning
from gitupd.service.deployments.concerns import concerning
from gitupd.service.deployments.gates.approval import makers_of
from gitupd.store.git.history import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.core.deployments.brake import Brake, Demand
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.comparison.kept import Plan
    from gitupd.service.deployments.gates.candidate import Candidate
    from gitupd.service.deployments.snapshots import Snapshots
    from gitupd.service.site import Site

PATIENCE = 60.0
"""How many seconds somebody who deploys by hand waits for a large fleet to be compared."""

_AT_ONCE = 300
_TRUSTED = timedelta(seconds=10)
_MOST_FILES = 1_000
_LONGEST = timedelta(minutes=20)
_MOST_CONCERNS = 5
_WORSE = {"https", "client certificate"}
"""Subjects of warnings that say of what was told why it is worse than that."""
_NOT_COMPARED = "it can't be compared with the deployed commit"
_NEW_CODE = "scripting.py changes, and nobody can tell what it computes before somebody has deployed it"


def by_brake(candidate: Candidate) -> Iterator[Objection]:
    """Yield what of *candidate* goes beyond the brake of the deployed commit, or that it is not known yet."""
    # Who looks again and again has one and the same place for what commits say; so there is what was found of them.
    braking = _BRAKING.get(candidate.snapshots)
    if braking is None:
        braking = _BRAKING[candidate.snapshots] = _Braking(candidate.site)
    return braking(candidate)


class _TakesTooLong(Exception):
    """Nobody wants to wait for the plan any longer."""


class _Braking:
    """Holds commits against the brake of the deployed one, by a plan for the devices of a site as they are now.

    A small fleet is compared at once, a large one in the background, and the commit is held meanwhile. What was found
    is kept for as long as the plan is true.
    """

    def __init__(self, site: Site) -> None:
        """Look for *site*."""
        self._site = site
        self._plans, self._planning = Plans(site), Planning(site)
        self._found: tuple[object, tuple[Objection, ...]] = (None, ())
        self._harmless: object = None
        self._waiting: tuple[object, datetime] | None = None

    def __call__(self, candidate: Candidate) -> Iterator[Objection]:
        """Yield what of *candidate* goes beyond the brake, or that it is not known yet."""
        brake = candidate.rule.brake
        if brake is None or _is_approved(candidate):
            return
        plan: Plan | None = self._fresh(candidate)
        if plan is None and not self._is_harmless(candidate):
            plan = self._plan(candidate)
        match plan:
            case None:
                return
            case KeptPlan():
                self._waiting = None
                yield from self._beyond(brake, candidate, plan)
            case PlanInProgress(last=last):
                known = self._beyond(brake, candidate, last) if last is not None else ()
                yield from known or (self._unknown(candidate, plan),)
            case PlanFailed(reason):
                yield Objection(Gate.BRAKE, f"{_NOT_COMPARED}: {reason}")
            case _:
                assert_never(plan)

    def _is_harmless(self, candidate: Candidate) -> bool:
        """Whether no device is there that could get something else, or no file changes that devices get anything of."""
        key = candidate.live.commit, candidate.commit
        if self._harmless == key or not self._site.fleet.kinds():
            return True
        try:
            changes = candidate.repository.changes(*key, _MOST_FILES + 1, Bounds(0, 0))
        except UnreadableRepository:
            return False  # what is deployed is gone from the repository
        if len(changes) > _MOST_FILES or any(concerns_devices(change.path) for change in changes):
            return False
        self._harmless = key
        return True

    def _fresh(self, candidate: Candidate) -> KeptPlan | None:
        """Return the plan that was true a moment ago, None if there is none."""
        known = self._plans.known(candidate.live.commit, candidate.commit)
        return known if known is not None and candidate.now - known.checked <= _TRUSTED else None

    def _plan(self, candidate: Candidate) -> KeptPlan | PlanInProgress | PlanFailed:
        base, head, now = candidate.live.commit, candidate.commit, candidate.now
        if not candidate.patience and not self._is_small(candidate):
            return self._plans.wanted(base, head, now)
        patience = candidate.patience or PATIENCE
        end = time.monotonic() + patience

        def report(_done: int, _total: int) -> None:
            if time.monotonic() > end:
                raise _TakesTooLong

        try:
            return planned_now(self._site, base, head, lambda: now, planning=self._planning, report=report)
        except _TakesTooLong:
            return PlanFailed(f"that takes longer than {patience:g} s")
        except GitupdError as error:
            return PlanFailed(str(error))

    def _is_small(self, candidate: Candidate) -> bool:
        """Whether the fleet is compared in a moment."""
        sides = candidate.snapshot, candidate.live_snapshot
        if any(side is None or side.scripting is not None for side in sides):
            return False
        return sum(kind.count for kind in self._site.fleet.kinds()) <= _AT_ONCE

    def _unknown(self, candidate: Candidate, plan: PlanInProgress) -> Objection:
        """Return that nobody knows yet what a commit changes; after a while somebody is to decide all the same."""
        key = candidate.live.id, candidate.commit
        if self._waiting is None or self._waiting[0] != key:
            self._waiting = key, candidate.now
        if candidate.now - self._waiting[1] > _LONGEST:
            text = f"{_NOT_COMPARED}: that takes longer than {_LONGEST // timedelta(minutes=1)} min"
            return Objection(Gate.BRAKE, text)
        how_far = f", {plan.done:,} of {plan.total:,} devices are" if plan.total else ""
        return Objection(Gate.BRAKE, f"it is being compared with the deployed commit{how_far}", is_pending=True)

    def _beyond(self, brake: Brake, candidate: Candidate, plan: KeptPlan) -> tuple[Objection, ...]:
        key = candidate.live.id, candidate.commit, plan.made, plan.checked
        if self._found[0] != key:
            self._found = key, tuple(_beyond(brake, candidate, plan))
        return self._found[1]


def _beyond(brake: Brake, candidate: Candidate, plan: KeptPlan) -> Iterator[Objection]:
    before, after = candidate.live_snapshot, candidate.snapshot
    since = None if before is None else Yardstick.of(before.policy, before.commit, candidate.now).present_since
    are_missing = not plan.active.devices
    numbers = plan.numbers if are_missing else plan.active
    told = list(exceeded(brake, numbers, tuple(_demanded(before, after)), are_missing=are_missing))
    yield from told
    if not numbers.devices:
        return
    runs = candidate.site.settings.scripting and after.scripting is not None
    if runs and numbers.devices > FEW_DEVICES and (before is None or after.scripting != before.scripting):
        yield Objection(Gate.BRAKE, _NEW_CODE, subject="scripting")
    yield from _concerns(candidate.site, before, after, None if are_missing else since, {each.subject for each in told})


def _is_approved(candidate: Candidate) -> bool:
    """Whether a second person has approved it, and nothing was deployed since, so that it changes what it did then."""
    approvals = candidate.site.approvals.of(candidate.commit)
    words = [approval.who for approval in approvals if approval.at >= candidate.live.at]
    if not words:
        return False
    made_by = makers_of(candidate)
    return not all(has_made(who, made_by) for who in words)


def _demanded(before: Snapshot | None, after: Snapshot) -> Iterator[Demand]:
    was, becomes = None if before is None else before.policy.transport, after.policy.transport
    if becomes.https == "required" and (was is None or was.https != "required"):
        yield "https"
    if becomes.wants_certificate and (was is None or not was.wants_certificate):
        yield "client certificate"


def _concerns(
    site: Site, before: Snapshot | None, after: Snapshot, since: datetime | None, told: set[str]
) -> Iterator[Objection]:
    """Yield the warnings on *after* that nobody had before, but those on what was *told*, and on who signs."""
    known = {each.subject for each in concerning(site, before, since)} if before is not None else set()
    left_out = {"signing"} | known | told - _WORSE
    new = [each for each in concerning(site, after, since) if each.subject not in left_out]
    for each in new[:_MOST_CONCERNS]:
        yield Objection(Gate.BRAKE, f"in {each.path}: {each.message}", each.cure, subject=each.subject)
    if more := new[_MOST_CONCERNS:]:
        cure = f"all of them: gitupd validate --site {site.path}"
        yield Objection(
            Gate.BRAKE, f"there {'is' if len(more) == 1 else 'are'} {counted(len(more), 'warning')} more", cure
        )


_BRAKING: WeakKeyDictionary[Snapshots, _Braking] = WeakKeyDictionary()
