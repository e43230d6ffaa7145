"""Plans that are kept: asked for by anybody, made in one place, true for the fleet as it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gitupd.core.comparison.numbers import PlanNumbers, numbers
from gitupd.core.comparison.wording import remarks, summary
from gitupd.errors import InvalidConfiguration, UnreadableRepository
from gitupd.service.comparison.planning import Planning
from gitupd.store.comparison.written import read, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gitupd.core.comparison.grouping import FleetComparison
    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site
    from gitupd.store.comparison.plans import PlanRow

_TRUSTED = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """What ``head`` changes for the devices of a site, in numbers and in words.

    ``numbers`` are of all devices, ``active`` of those alone that are let in and called lately: of them percentages are
    told. ``summary`` is a sentence or two, and ``remarks`` are what is to be known of it. It was ``made`` then, and
    still true when it was last ``checked``. There are so many ``groups``, which are fetched by
    :meth:`Plans.comparison`.
    """

    base: CommitId
    head: CommitId
    numbers: PlanNumbers
    active: PlanNumbers
    summary: str
    remarks: tuple[str, ...]
    groups: int
    made: datetime
    checked: datetime


@dataclass(frozen=True, slots=True)
class PlanInProgress:
    """A plan that is being made, or waits for that: ``done`` of about ``total`` devices were compared, 0 of 0 yet.

    ``last`` is what was true a while ago, None if none was ever made. ``begun`` is None while it waits.
    """

    done: int
    total: int
    begun: datetime | None = None
    last: KeptPlan | None = None


@dataclass(frozen=True, slots=True)
class PlanFailed:
    """A plan that can't be made, and why: a commit has errors, or can't be read."""

    reason: str


Plan = KeptPlan | PlanInProgress | PlanFailed


class Plans:
    """The plans of a site, for any thread of any process."""

    def __init__(self, site: Site) -> None:
        """Look into what is kept for *site*."""
        self._table = site.plans

    def wanted(self, base: CommitId, head: CommitId, now: datetime) -> Plan:
        """Return the plan of two commits if it was true within the last seconds; else have it made, or looked at again.

        Returns at once: who gets a PlanInProgress asks again in a while. The keeper of the site has plans made, so none
        is where no server runs; :func:`planned_now` is for that. Raises GitupdError if the database can't be used.
        """
        row = self._table.row(base, head)
        fresh = row is not None and row.checked is not None and now - row.checked <= _TRUSTED
        if row is None or not fresh or row.checked is None:
            if row is None or row.checked is None or row.asked <= row.checked:
                self._table.wish(base, head, now)
            last = None if row is None else _kept(row)
            done, total = (row.done, row.total) if row and row.begun else (0, 0)
            return PlanInProgress(done, total, row.begun if row else None, last)
        return _kept(row) or PlanFailed(row.error)

    def known(self, base: CommitId, head: CommitId) -> KeptPlan | None:
        """Return the last plan that was made of two commits, true or no longer, and have nothing made."""
        row = self._table.row(base, head)
        return None if row is None else _kept(row)

    def kept(self, limit: int) -> list[KeptPlan]:
        """Return plans that were made, true or no longer, those first that were asked for last."""
        return [plan for row in self._table.rows(limit) if (plan := _kept(row)) is not None]

    def comparison(self, base: CommitId, head: CommitId) -> FleetComparison | None:
        """Return all of the last plan that was made of two commits, None if there is none.

        Of a very large one some groups may be without their lines. What is encrypted in the commits is hidden in it,
        and nothing else: who shows it hides what the reader may not see.
        """
        body = self._table.body(base, head)
        return None if body is None else read(body)


def planned_now(
    site: Site,
    base: CommitId,
    head: CommitId,
    clock: Callable[[], datetime],
    *,
    planning: Planning | None = None,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> KeptPlan | PlanFailed:
    """Return the plan of two commits, made here and now, by *clock*, unless what is kept is true still; keep it.

    It takes as long as it takes: seconds for ten thousand devices. *planning* may be given by who makes several;
    *report* is told how many devices were compared, and of about how many. Raises GitupdError if the database can't be
    used.
    """
    planning = planning or Planning(site)
    state = planning.state(now := clock())
    row = site.plans.row(base, head)
    if row is not None and row.mark == state.mark and row.checked is not None:
        site.plans.still_true(base, head, now)
        return _kept(replace(row, checked=now)) or PlanFailed(row.error)
    try:
        comparison = planning.plan(base, head, state, now, report)
    except (InvalidConfiguration, UnreadableRepository) as error:
        site.plans.fail(base, head, state.mark, str(error), clock())
        return PlanFailed(str(error))
    facts, end = _facts(comparison), clock()
    # Who asks meanwhile has an answer then, though the fleet may have changed since it was begun: the next look tells.
    site.plans.keep(base, head, mark=state.mark, facts=facts, body=written(comparison), now=end)
    return _plan(base, head, facts, end, end)


def _facts(comparison: FleetComparison) -> dict[str, Any]:
    return {
        "numbers": asdict(numbers(comparison)),
        "active": asdict(numbers(comparison, only_active=True)),
        "summary": summary(comparison),
        "remarks": list(remarks(comparison)),
        "groups": len(comparison.groups),
    }


def _kept(row: PlanRow) -> KeptPlan | None:
    if row.facts is None or row.made is None or row.checked is None:
        return None
    return _plan(row.base, row.head, row.facts, row.made, row.checked)


def _plan(base: CommitId, head: CommitId, facts: Mapping[str, Any], made: datetime, checked: datetime) -> KeptPlan:
    counts = [_numbers(facts[name]) for name in ("numbers", "active")]
    words = facts["summary"], tuple(facts["remarks"])
    return KeptPlan(base, head, counts[0], counts[1], *words, facts["groups"], made, checked)


def _numbers(said: Mapping[str, Any]) -> PlanNumbers:
    pairs = {name: tuple(map(tuple, value)) for name, value in said.items() if isinstance(value, list | tuple)}
    return PlanNumbers(**{**said, **pairs})
