"""What devices have reached in a deployment, and what is said of its speed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.caller import Serial
from gitupd.core.deployments.convergence import (
    QUORUMS,
    WORDS,
    Assessment,
    Convergence,
    Force,
    Progress,
    compared,
    in_words,
    needed,
    progress,
)
from gitupd.core.deployments.deployment import Deployment
from gitupd.core.device import Device
from gitupd.core.policy import Backup, Delivery, Policy
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import Yardstick

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LIVE, OLD = CommitId("a" * 40), CommitId("b" * 40)
DEPLOYED = Deployment(7, LIVE, NOON, "ada", "deploy", OLD, "")
POLICY = Policy(backup=Backup(enabled=True))
YARDSTICK = Yardstick.of(POLICY, LIVE, NOON + timedelta(hours=1), DEPLOYED)
BEFORE = NOON - timedelta(minutes=5)
DEVICE = Device(
    Serial("0090333000af"), last_seen=BEFORE, sent=OLD, sent_at=BEFORE - timedelta(days=1), confirmed=OLD,
    confirmed_at=BEFORE, settled=True,
)  # fmt: skip


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_the_way_of_a_device_through_a_deployment() -> None:
    assert progress(DEVICE, YARDSTICK) == Progress(asked=False, delivered=False, confirmed=False, unchanged=False)
    asked = replace(DEVICE, last_seen=at(1))
    assert progress(asked, YARDSTICK) == Progress(asked=True, delivered=False, confirmed=False, unchanged=False)
    delivered = replace(asked, sent=LIVE, sent_at=at(1), settled=False)
    assert progress(delivered, YARDSTICK) == Progress(asked=True, delivered=True, confirmed=False, unchanged=False)
    confirmed = replace(delivered, last_seen=at(2), confirmed=LIVE, confirmed_at=at(2), settled=True)
    assert progress(confirmed, YARDSTICK) == Progress(
        asked=True, delivered=True, confirmed=True, unchanged=False, force=Force.UNTOLD
    )
    assert progress(confirmed, YARDSTICK, None, Assessment(LIVE, at(1), Force.IN_FORCE, ())) == Progress(
        asked=True, delivered=True, confirmed=True, unchanged=False, force=Force.IN_FORCE
    )


def test_without_a_deployment_nothing_is_reached() -> None:
    assert progress(DEVICE, Yardstick(NOON, None, None)) is None
    assert progress(DEVICE, replace(YARDSTICK, since=None)) is None


def test_a_device_for_which_nothing_changed_runs_it_at_once_and_is_not_silent() -> None:
    carried = progress(replace(DEVICE, confirmed=LIVE, confirmed_at=NOON), YARDSTICK)
    assert carried is not None
    assert (carried.asked, carried.confirmed, carried.unchanged, carried.silent) == (False, True, True, False)
    silent = progress(DEVICE, YARDSTICK)
    assert silent is not None
    assert silent.silent
    unknown = progress(replace(DEVICE, confirmed=LIVE, confirmed_at=None, sent_at=None), YARDSTICK)
    assert unknown is not None
    assert unknown.unchanged, "it ran it before anybody kept when"


def test_a_device_that_somebody_touched_has_not_asked() -> None:
    touched = replace(DEVICE, last_seen=at(3))
    assert progress(touched, YARDSTICK, at(3)) == progress(DEVICE, YARDSTICK)
    polled = progress(replace(DEVICE, last_seen=at(4)), YARDSTICK, at(3))
    assert polled is not None
    assert polled.asked
    assert progress(replace(DEVICE, last_seen=None), YARDSTICK) == progress(DEVICE, YARDSTICK)


def test_where_nobody_confirms_what_was_sent_counts_as_confirmed() -> None:
    unchecked = Yardstick.of(Policy(delivery=Delivery(check=False)), LIVE, at(60), DEPLOYED)
    sent = replace(DEVICE, last_seen=at(1), sent=LIVE, sent_at=at(1))
    assert progress(sent, replace(unchecked, backups=False)) == Progress(
        asked=True, delivered=True, confirmed=True, unchanged=False
    )
    again = progress(replace(sent, sent_at=BEFORE, last_seen=BEFORE), unchecked)
    assert again is not None
    assert again.unchanged, "it was sent the commit when that was deployed before"


@pytest.mark.parametrize(
    ("held", "force"),
    [
        (None, Force.UNTOLD),
        (Assessment(OLD, at(1), Force.IN_FORCE, ()), Force.UNTOLD),
        (Assessment(LIVE, at(0.5), Force.IN_FORCE, ()), Force.UNTOLD),
        (Assessment(LIVE, at(1), Force.IN_FORCE, ()), Force.IN_FORCE),
        (Assessment(LIVE, at(1), Force.UNTOLD, ()), Force.UNTOLD),
        (Assessment(LIVE, at(1), Force.DRIFTED, (("M", "/o"),), at(2)), Force.UNTOLD),
        (Assessment(LIVE, at(1), Force.DRIFTED, (("M", "/o"),)), Force.UNTOLD),
        (Assessment(LIVE, at(1), Force.DRIFTED, (("M", "/o"),), at(2.1)), Force.DRIFTED),
    ],
)
def test_only_a_backup_that_is_younger_tells_that_a_device_is_otherwise(held: Assessment | None, force: Force) -> None:
    device = replace(DEVICE, last_seen=at(2), sent=LIVE, sent_at=at(1), confirmed=LIVE, confirmed_at=at(2))
    reached = progress(device, YARDSTICK, None, held)
    assert reached is not None
    assert reached.force is force


ONE = Convergence(
    7, counted=100, asked=99, delivered=80, confirmed=98, unchanged=18, silent=1, later=2, in_force=90, drifted=3,
    seconds=(60.0, 300.0, None), lasted=3600.0,
)  # fmt: skip


def test_figures_that_follow_from_others() -> None:
    assert (ONE.unconfirmed, ONE.untold, ONE.percent) == (2, 5, 98)
    off = replace(ONE, in_force=None, drifted=None)
    assert off.untold is None
    assert replace(ONE, counted=0, confirmed=0).percent == 0
    assert replace(ONE, counted=1000, confirmed=999).percent == 99
    for word in WORDS:
        assert isinstance(getattr(ONE, word.replace("-", "_")), int)


def test_a_deployment_in_a_line() -> None:
    assert in_words(ONE) == (
        "98 of 100 devices confirmed; 90 in force; 80 were sent it, 99 have asked; 50 % after 1 min, 90 % after 5 min"
    )
    assert in_words(replace(ONE, seconds=(0.0, 2.5, None))).endswith("; 50 % at once, 90 % after 2.5 s")
    ended = replace(ONE, in_force=None, drifted=None, seconds=(None, None, None), ended=at(60))
    assert in_words(ended) == "98 of 100 devices confirmed; 80 were sent it, 99 have asked; 1 never called"
    assert in_words(replace(ONE, counted=0)) == "no device counts in it"


@given(percent=st.sampled_from(QUORUMS), devices=st.integers(0, 10_000))
def test_so_many_are_needed_and_one_less_is_too_few(percent: int, devices: int) -> None:
    number = needed(percent, devices)
    assert number >= 1
    if devices:
        assert 100 * number >= percent * devices > 100 * (number - 1)


def taking(*seconds: float | None) -> list[Convergence]:
    return [replace(ONE, deployment=number, seconds=(1.0, each, None)) for number, each in enumerate(seconds)]


@pytest.mark.parametrize(
    ("taken", "verdict"),
    [(100.0, "faster than usual"), (300.0, "as usual"), (500.0, "slower than usual"), (None, "slower than usual")],
)
def test_a_deployment_is_compared_with_those_before(taken: float | None, verdict: str) -> None:
    one = replace(ONE, seconds=(1.0, taken, None))
    assert compared(one, taking(290.0, 300.0, 310.0)) == (
        f"{verdict}: 90 % had confirmed after 5 min in most of 3 deployments before"
    )


def test_nothing_is_said_of_the_speed_that_is_not_known() -> None:
    before = taking(290.0, 300.0, 310.0)
    assert compared(ONE, before[:2]) == "", "two are no habit"
    assert compared(ONE, [*before, *taking(None, None, None)]) == "", "most of them never came so far"
    at_once = replace(ONE, unchanged=95)
    assert compared(at_once, before) == "", "who has nothing to do is there at once"
    assert compared(ONE, [replace(each, unchanged=95) for each in before]) == ""
    assert compared(ONE, [replace(each, counted=1000) for each in before]) == "", "another number of devices"
    assert compared(replace(ONE, counted=0), before) == ""
    early = replace(ONE, seconds=(1.0, None, None), lasted=310.0)
    assert compared(early, before) == "", "it has had no more time than those"


@given(st.lists(st.floats(1, 1e6), min_size=3, max_size=20), st.floats(1, 1e6))
def test_what_is_faster_than_all_is_never_called_slow(before: list[float], taken: float) -> None:
    said = compared(replace(ONE, seconds=(1.0, taken, None)), taking(*before))
    if taken <= min(before[:10]):
        assert not said.startswith("slower")
    if taken >= max(before[:10]):
        assert not said.startswith("faster")
