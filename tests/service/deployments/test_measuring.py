"""What the keeper does for the figures of a deployment: also if it comes late, or a sighting does."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.caller import Request, Serial, parse_caller
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.people.audit import Event, Kind
from gitupd.core.situation import Situation
from gitupd.service.deployments.convergence import Measures
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower, live_now
from gitupd.service.deployments.measuring import Measuring
from gitupd.service.poll import render

if TYPE_CHECKING:
    from conftest import Sample

    from gitupd.core.deployments.convergence import Convergence
    from gitupd.core.snapshot import CommitId

HERE = Endpoint("http", "upd.example", 8080)
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
SERIAL = Serial("009033000001")


class Bench:
    """A site whose deployments are measured, at seconds that a test counts."""

    def __init__(self, sample: Sample) -> None:
        self.site, self.seconds = sample.site, 0.0
        self.follower = Follower(sample.site)
        self.measuring = Measuring(sample.site, lambda: LATER, self.follower, lambda: self.seconds)

    def step(self, seconds: float = 0.0) -> None:
        self.seconds += seconds
        self.follower.follow()
        self.measuring.step()

    def figures(self) -> Convergence | None:
        return Measures(self.site, live_now(self.site), LATER + timedelta(minutes=1)).live()


@pytest.fixture
def bench(sample: Sample) -> Bench:
    return Bench(sample)


def settled(sample: Sample) -> Device:
    """Return a device that has executed the deployed commit, and whose last poll said so."""
    live = live_now(sample.site)
    assert live is not None
    said = {"type": "IP222", "sn": str(SERIAL), "hwid": "IP222-1", "ip": "10.0.0.1", "phase": "update"}
    first = render(Situation(live.snapshot, parse_caller(said, HERE), NOON)).body.decode()
    check = re.search(r"check ser (\w+)", first)
    assert check is not None
    device = Device(
        SERIAL, model="IP222", phase="update", settled=True, first_seen=NOON, last_seen=NOON, sent_at=NOON,
        sent=live.deployment.commit, confirmed=live.deployment.commit, confirmed_at=NOON + timedelta(minutes=1),
        request=Request({**said, "CHECK": check[1]}, HERE),
    )  # fmt: skip
    sample.site.inventory.save_sightings([device])
    return device


def without_effect(sample: Sample) -> CommitId:
    return sample.commit({"policies/status.yaml": "# nothing that devices see\n"})


def test_who_is_told_nothing_new_has_confirmed_at_once(sample: Sample, bench: Bench) -> None:
    settled(sample)
    bench.step()
    deploy(sample.site, without_effect(sample), who="ada", now=LATER)
    bench.step()
    figures = bench.figures()
    assert figures is not None
    assert (figures.counted, figures.asked, figures.confirmed, figures.unchanged) == (1, 0, 1, 1)
    assert figures.seconds == (0.0, 0.0, 0.0)


def test_a_sighting_that_is_written_late_does_not_let_a_device_wait(sample: Sample, bench: Bench) -> None:
    device = settled(sample)
    bench.step()
    deploy(sample.site, without_effect(sample), who="ada", now=LATER)
    bench.step()
    late = replace(device, last_seen=LATER - timedelta(seconds=1), confirmed_at=LATER - timedelta(seconds=1))
    sample.site.inventory.save_sightings([replace(late, sent=None, sent_at=None)])
    assert bench.figures() is not None
    assert bench.figures().confirmed == 0  # type: ignore[union-attr] # as was asserted
    bench.step(1)
    assert bench.figures().confirmed == 0  # type: ignore[union-attr] # there may be more that come late
    bench.step(3)
    assert bench.figures().confirmed == 1  # type: ignore[union-attr] # as above


def test_a_deployment_that_nobody_has_taken_down_is_measured_from_now_on(sample: Sample, bench: Bench) -> None:
    settled(sample)
    event = Event(LATER, "ada", Kind.DEPLOY)
    sample.site.deployments.add(without_effect(sample), event, kind="deploy")
    assert bench.figures() is None
    bench.step()
    figures = bench.figures()
    assert figures is not None
    assert (figures.counted, figures.confirmed) == (1, 1)


def test_times_are_kept_within_a_second(sample: Sample, bench: Bench) -> None:
    settled(sample)
    bench.step()
    made, _ = deploy(sample.site, sample.commit({"snippets/all-all-all.txt": "x"}), who="ada", now=LATER)
    bench.step()
    at = LATER + timedelta(seconds=20)
    sample.site.inventory.save_sightings(
        [Device(SERIAL, first_seen=at, last_seen=at, settled=True, confirmed=made.commit, confirmed_at=at)]
    )
    bench.step(1.1)
    sample.site.inventory.forget([SERIAL], Event(LATER, "ada", Kind.DEVICE_FORGET))
    figures = bench.figures()
    assert figures is not None
    assert (figures.counted, figures.seconds) == (0, (20.0, 20.0, 20.0))


def test_without_a_deployment_there_is_nothing_to_measure(sample: Sample) -> None:
    follower = Follower(sample.site)
    Measuring(sample.site, lambda: LATER, follower).step()
    assert follower.live is None
