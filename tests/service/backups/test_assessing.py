"""Whether what devices have uploaded is what their scripts want, as the keeper finds out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.offices import SERIAL, Office, dump, opened

from gitupd.core.caller import Request
from gitupd.core.deployments.convergence import Force
from gitupd.core.snapshot import CommitId
from gitupd.service.backups.assessing import Assessing
from gitupd.service.clock import now
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.fleet import Fleet
from gitupd.service.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OFF = dump("config change NTP0 /addr 10.9.9.9 /interval 60")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path / "site") as found:
        yield found


@pytest.fixture
def assessing(office: Office) -> Assessing:
    follower = Follower(office.site)
    follower.follow()
    return Assessing(office.site, follower, now)


def confirm(office: Office, commit: CommitId | None = None) -> None:
    """Let the gateway have executed a commit just now: the deployed one if none is named."""
    device = office.site.inventory.device(SERIAL)
    assert device is not None
    assert device.request is not None
    arguments = {"type": "IP6010", "sn": str(SERIAL), "hwid": "IP6010-00-00-0d", "phase": "update", "ip": "10.0.0.1"}
    known = replace(
        device, model="IP6010", request=Request(arguments, device.request.endpoint), settled=True,
        sent_at=now() - timedelta(seconds=1), sent=office.live.deployment.commit,
        confirmed=commit or office.live.deployment.commit, confirmed_at=now(), last_seen=now(),
    )  # fmt: skip
    office.site.inventory.save_sightings([known])


def wanted(office: Office) -> bytes:
    """Return a backup with all that the script of the gateway wants."""
    device = office.site.inventory.device(SERIAL)
    assert device is not None
    script = Inspection(device, office.live, Snapshots(office.site), now()).now_lines()
    assert script is not None
    lines = [line.text for line in script.lines if line.text.startswith(("config add", "config change"))]
    assert lines
    return dump(*(line.replace("config add", "config change", 1) for line in lines))


def found(office: Office) -> Force | None:
    judged = office.site.convergences.held(SERIAL)
    return judged and judged.found


def test_a_backup_with_all_that_is_wanted_shows_that_it_is_in_force(office: Office, assessing: Assessing) -> None:
    confirm(office)
    office.upload(wanted(office))
    assert not assessing.step()
    assert found(office) is None, "it is not in the history yet"
    office.commit()
    assessing.step()
    assert found(office) is Force.IN_FORCE


def test_each_new_backup_is_judged_and_nothing_twice(office: Office, assessing: Assessing) -> None:
    confirm(office)
    office.upload(OFF)
    office.commit()
    assessing.step()
    judged = office.site.convergences.held(SERIAL)
    assert judged is not None
    assert judged.found is Force.DRIFTED
    assert ("NTP0", "/addr", "different") in judged.off
    assert "/interval" not in {option for _, option, _ in judged.off}
    yardstick = Fleet(office.site, office.live, now()).yardstick
    assert office.site.convergences.due(yardstick, None, 10) == {}
    office.upload(wanted(office))
    office.commit()
    assessing.step()
    assert found(office) is Force.IN_FORCE
    confirm(office)  # what it was sent is another script, perhaps
    assert list(office.site.convergences.due(yardstick, None, 10)) == [SERIAL]
    assert office.site.convergences.due(yardstick, SERIAL, 10) == {}


def test_who_has_not_confirmed_is_not_judged(office: Office, assessing: Assessing) -> None:
    confirm(office, CommitId("b" * 40))
    office.upload(OFF)
    office.commit()
    assessing.step()
    assert found(office) is None


def test_a_whole_fleet_is_judged_some_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path / "site", devices=70) as office:
        confirmed = [each.serial for each in office.site.inventory.devices() if each.confirmed]
        for uploading in [office.put(OFF, serial) for serial in confirmed]:
            uploading.result(10)
        while office.commit():
            pass
        follower = Follower(office.site)
        follower.follow()
        assessing = Assessing(office.site, follower, now)
        assert [assessing.step() for _ in range(2)] == [True, False]
        assert all(office.site.convergences.held(serial) for serial in confirmed)
