"""What a worker says of itself costs little, however often it is asked."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.service.health import Health, Remembered
from gitupd.service.sightings import Sightings

if TYPE_CHECKING:
    from conftest import Sample


def test_what_was_found_out_counts_for_a_while_and_for_one_situation() -> None:
    numbers = count()
    remembered = Remembered(lambda: next(numbers), 1e6)
    assert [remembered.get(situation) for situation in ("a", "a", "b", "b", "a")] == [0, 0, 1, 1, 2]
    forgetful = Remembered(lambda: next(numbers), 0)
    assert [forgetful.get("a"), forgetful.get("a")] == [3, 4]


def test_repositories_are_not_opened_anew_for_everybody_who_asks(sample: Sample) -> None:
    follower = Follower(sample.site)
    follower.follow()
    writers = Sightings(sample.site.inventory)
    health = Health(sample.site, follower, writers, now(), kept_seconds=1e6)
    assert health.report()["ready"]
    config = sample.site.path / "config.git"
    config.rename(config.with_name("elsewhere"))
    assert health.report()["ready"], "it was not looked at again"
    at_once = Health(sample.site, follower, writers, now(), kept_seconds=0)
    assert not at_once.report()["ready"]
    config.with_name("elsewhere").rename(config)
    deploy(sample.site, sample.commit({"snippets/all-all-all.txt": "config add X /y\n"}), who="ada", now=now())
    follower.follow()
    config.rename(config.with_name("elsewhere"))
    assert not health.report()["ready"], "another deployment is another situation"
