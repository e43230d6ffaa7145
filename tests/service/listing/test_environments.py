from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support import fleets

from gitupd.core.search import parse_search
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet
from gitupd.service.listing.environments import EnvironmentOverview, Order, environment_facts, environments_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    at = now()
    site = create_site(made_in(tmp_path_factory), who="test", now=at - timedelta(days=30))[0]
    fleets.fill(site, 200, at)
    yield Fleet(site, live_now(site), at)
    site.close()


def made_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments") / "site"


def test_every_number_is_that_of_a_search(fleet: Fleet) -> None:
    environments = environments_of(fleet)
    assert {each.name for each in environments} >= {"default", "homeoffice", "intranet"}

    def count(each: EnvironmentOverview, words: str) -> int:
        return fleet.find(parse_search(f"env:{each.name} {words}"), limit=1).total

    for each in environments:
        assert (each.total, each.missing, each.warned) == tuple(count(each, word) for word in ("", "missing", "warned"))
        assert (each.current, each.waiting) == (count(each, "current"), count(each, "waiting"))
        assert each.overdue == count(each, "backup:late,never") > 0, "nobody has uploaded"
        assert each.drifted == count(each, "drift:yes")
        for share in each.firmware:
            assert share.count == count(each, f"firmware:{share.value}")
        for share in each.commits:
            assert share.value is None or share.count == count(each, f"runs:{share.value}")
        assert sum(share.count for share in each.firmware) == sum(share.count for share in each.commits) == each.total


@pytest.mark.parametrize("order", ["devices", "missing", "waiting", "warned", "drifted", "overdue"])
def test_they_are_sorted_from_the_most_on(fleet: Fleet, order: Order) -> None:
    counts = [getattr(each, "total" if order == "devices" else order) for each in environments_of(fleet, order)]
    assert counts == sorted(counts, reverse=True)


def test_the_worst_are_those_of_which_the_greatest_part_is_missing(fleet: Fleet) -> None:
    parts = [(each.missing / each.total, each.waiting / each.total) for each in environments_of(fleet)]
    assert parts == sorted(parts, reverse=True)
    assert len(set(parts)) > 1
    names = [each.name for each in environments_of(fleet, "name")]
    assert names == sorted(names)


def test_facts_have_all_of_it(fleet: Fleet) -> None:
    (first, *_) = environments_of(fleet, "devices")
    told = environment_facts([first])[0]
    assert (told["name"], told["total"]) == (first.name, told["present"] + told["missing"])
    assert told["present"] == told["current"] + told["waiting"]
    assert told["firmware"][0] == {"value": first.firmware[0].value, "count": first.firmware[0].count}
