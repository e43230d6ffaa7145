"""Deployments that are frozen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.objection import Doubtful, Gate
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.keeper import Keeper

if TYPE_CHECKING:
    from conftest import Sample

_FRIDAY = datetime(2026, 6, 5, 12, tzinfo=UTC)
_SATURDAY = datetime(2026, 6, 6, 12, tzinfo=UTC)
_MONDAY = datetime(2026, 6, 8, 12, tzinfo=UTC)
_FROZEN = {"policies/deploy.yaml": "grace: 0s\nfreeze: [{days: [sat, sun], reason: nobody is here}]\n"}


def test_on_a_frozen_day_nothing_is_deployed_unless_somebody_means_it_and_going_back_is_free(sample: Sample) -> None:
    first = sample.commit(_FROZEN)
    deploy(sample.site, first, who="ada", now=_FRIDAY)
    head = sample.commit({**_FROZEN, "snippets/all-all-all.txt": "config add X /y\n"})
    at = [_SATURDAY]
    keeper = Keeper(sample.site, lambda: at[0])
    keeper.tick()
    with pytest.raises(Doubtful, match="frozen until 2026-06-08 00:00 by the calendar: nobody is here") as held:
        deploy(sample.site, head, who="ada", now=_SATURDAY)
    assert [each.gate for each in held.value.objections] == [Gate.FREEZE]
    deploy(sample.site, head, who="ada", now=_SATURDAY, force=True, reason="phones are silent")
    rollback(sample.site, first, who="ada", now=_SATURDAY)
    later = sample.commit({**_FROZEN, "snippets/all-all-all.txt": "config add Z /z\n"})
    keeper.tick()
    assert not sample.site.deployments.was_deployed(later)


def test_when_it_is_over_what_waits_is_deployed_by_itself(sample: Sample) -> None:
    deploy(sample.site, sample.commit(_FROZEN), who="ada", now=_FRIDAY)
    head = sample.commit({**_FROZEN, "snippets/all-all-all.txt": "config add X /y\n"})
    at = [_SATURDAY]
    keeper = Keeper(sample.site, lambda: at[0])
    keeper.tick()
    assert not sample.site.deployments.was_deployed(head)
    at[0] = _MONDAY
    keeper.tick()
    assert sample.site.deployments.was_deployed(head)
