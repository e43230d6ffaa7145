"""What a deployment means for devices for which it changes nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.caller import Request, Serial, parse_caller
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.situation import Situation
from gitupd.core.standing import State
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet
from gitupd.service.keeper import Keeper
from gitupd.service.poll import render

if TYPE_CHECKING:
    from conftest import Sample

HERE = Endpoint("http", "upd.example", 8080)
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON.replace(hour=13)


def settled(sample: Sample, number: int, model: str) -> Serial:
    """Return a device that has executed the deployed commit, and whose last poll said so."""
    live = live_now(sample.site)
    assert live is not None
    serial = Serial(f"0090330000{number:02d}")
    said = {"type": model, "sn": str(serial), "hwid": f"{model}-1", "ip": "10.0.0.1", "phase": "update"}
    first = render(Situation(live.snapshot, parse_caller(said, HERE), NOON)).body.decode()
    check = re.search(r"check ser (\w+)", first)
    assert check is not None
    request = Request({**said, "CHECK": check[1]}, HERE)
    device = Device(serial, model=model, phase="update", settled=True, confirmed=live.deployment.commit)
    known = Device(**{each: getattr(device, each) for each in Device.__slots__} | {
        "request": request, "first_seen": NOON, "last_seen": NOON, "confirmed_at": NOON,
        "sent": live.deployment.commit, "sent_at": NOON,
    })  # fmt: skip
    sample.site.inventory.save_sightings([known])
    return serial


@pytest.mark.parametrize("by", ["snippet", "comment"])
def test_who_would_be_told_nothing_new_runs_a_commit_at_once(sample: Sample, by: str) -> None:
    phone, gateway = settled(sample, 1, "IP222"), settled(sample, 2, "IP811")
    changes = {
        "snippet": {"snippets/update-ip811-all.txt": "config add GATEWAY /only\n"},
        "comment": {"policies/status.yaml": "# nothing that devices see\n"},
    }[by]
    commit = sample.commit(changes)
    deploy(sample.site, commit, who="ada", now=LATER)
    Keeper(sample.site, clock=lambda: LATER).tick()
    known = {each: sample.site.inventory.device(each) for each in (phone, gateway)}
    fleet = Fleet(sample.site, live_now(sample.site), LATER)
    states = [fleet.yardstick.state(device) for device in known.values() if device is not None]
    if by == "comment":
        assert states == [State.CURRENT, State.CURRENT]
    else:
        assert states == [State.CURRENT, State.WAITING]
    carried = known[phone]
    assert carried is not None
    assert (carried.confirmed, carried.confirmed_at, carried.sent) == (commit, LATER, sample.first)
