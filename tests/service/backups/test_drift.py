"""Which devices are not as their scripts want them, and what is known of why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.offices import SERIAL, Office, dump, opened

from gitupd.core.caller import Request, parse_serial
from gitupd.core.snapshot import CommitId
from gitupd.core.standing import Yardstick
from gitupd.service.backups.drift import Because, Looking
from gitupd.service.clock import now
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.device import Device
    from gitupd.core.script import Script

OTHER = parse_serial("00-90-33-00-00-01")
WANTED = ("config change NTP0 /addr pool.ntp.org /interval 60",)
"""What the template wants of every device, as devices write it; there is more that it wants of phones."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path / "site") as found:
        yield found


def looking(office: Office) -> Looking:
    live, snapshots = office.live, Snapshots(office.site)

    def script(device: Device) -> Script | None:
        return Inspection(device, live, snapshots, now()).now_lines()

    policy = live.snapshot.policy
    yardstick = Yardstick.of(policy, live.deployment.commit, now())
    return Looking(office.site, yardstick, script, policy.backup.hide)


def call(office: Office, executed: CommitId | None = None) -> None:
    """Have the gateway polled, and executed a commit just now: the deployed one if none is named."""
    device = office.site.inventory.device(SERIAL)
    assert device is not None
    arguments = {"type": "IP6010", "sn": str(SERIAL), "hwid": "IP6010-00-00-0d", "phase": "update", "ip": "10.0.0.1"}
    assert device.request is not None
    request = Request(arguments, device.request.endpoint)
    commit = executed or office.live.deployment.commit
    known = replace(device, model="IP6010", request=request, confirmed=commit, confirmed_at=now())
    office.site.inventory.save_sightings([known])


def test_what_a_device_has_otherwise_is_named(office: Office) -> None:
    call(office)
    office.upload(dump("config change NTP0 /addr 10.9.9.9 /interval 60", "config change LOG0 /level 1"))
    office.commit()
    drift = looking(office).drift([SERIAL], 5)
    assert (drift.looked_at, drift.left) == (1, None)
    (found,) = drift.found
    assert found.device.serial == SERIAL
    assert ("NTP0", "/addr") in {(each.module, each.option) for each in found.off}
    assert ("NTP0", "/interval") not in {(each.module, each.option) for each in found.off}
    assert found.because is Because.CHANGED


def test_who_waits_or_has_not_uploaded_since_is_told_apart(office: Office) -> None:
    office.upload(dump("config change NTP0 /addr 10.9.9.9"))
    office.commit()
    call(office, CommitId("b" * 40))
    assert [each.because for each in looking(office).drift([SERIAL], 5).found] == [Because.WAITING]
    call(office)
    assert [each.because for each in looking(office).drift([SERIAL], 5).found] == [Because.NO_UPLOAD]
    office.upload(dump("config change NTP0 /addr 10.9.9.9"))
    assert [each.because for each in looking(office).drift([SERIAL], 5).found] == [Because.CHANGED]


def test_where_time_ends_is_where_to_go_on(office: Office) -> None:
    for serial in (OTHER, SERIAL):
        office.upload(dump("config change NTP0 /addr 10.9.9.9"), serial)
    office.commit()
    first = looking(office).drift([OTHER, SERIAL], 0)
    assert [each.device.serial for each in first.found] == [OTHER]
    assert first.left == OTHER
    rest = looking(office).drift([SERIAL], 0)
    assert ([each.device.serial for each in rest.found], rest.left) == ([SERIAL], None)


def test_who_has_no_backup_is_not_looked_at(office: Office) -> None:
    drift = looking(office).drift([SERIAL, OTHER], 5)
    assert (drift.found, drift.looked_at, drift.left) == ((), 0, None)
