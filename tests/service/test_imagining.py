"""Polls that nobody makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.config.loader import load
from gitupd.core.backups.restore import Pending
from gitupd.core.caller import Request, parse_serial
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.imagined import ImaginedDevice
from gitupd.core.situation import Basis
from gitupd.errors import GitupdError
from gitupd.resources import template_files
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.imagining import Imagining, of_readable_size
from gitupd.service.inspection import Inspection

if TYPE_CHECKING:
    from conftest import Sample

    from gitupd.core.snapshot import CommitId

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
HERE = Endpoint("http", "upd.example", 8080, "/mtls")
PHONE = ImaginedDevice("IP222", phase="update")
SERIAL = parse_serial(PHONE.serial)


def imagining(sample: Sample, commit: CommitId) -> Imagining:
    return Imagining(Basis(Snapshots(sample.site).of(commit)), NOON, reached=HERE)


def test_an_imagined_poll_leaves_nothing_behind(sample: Sample) -> None:
    poll = imagining(sample, sample.first).poll(PHONE)
    assert poll.script.commit == sample.first
    assert [each.path for each in poll.script.selected] == [
        "snippets/all-all-all.txt",
        "snippets/update-phone-default.txt",
    ]
    assert len(poll.script.commands) == 7
    assert poll.situation.phase == "update"
    assert sample.site.inventory.devices() == []


def test_an_imagined_device_calls_the_way_that_is_required(sample: Sample) -> None:
    commit = sample.commit({"policies/transport.yaml": "https: required\nhttps_port: 8443\n"})
    poll = imagining(sample, commit).poll(PHONE)
    assert len(poll.script.selected) == 2
    assert "config write" in poll.script.commands
    assert poll.situation.caller.endpoint == Endpoint("https", "upd.example", 8443, "/mtls")
    held = imagining(sample, commit).poll(replace(PHONE, https=False))
    assert held.script.selected == ()


@pytest.mark.parametrize("content", [b"x" * 2_200_000, b"x\n" * 50_001])
def test_a_script_that_no_page_can_show_is_refused(sample: Sample, content: bytes) -> None:
    imagined = imagining(sample, sample.commit({"snippets/update-phone-all.txt": content}))
    with pytest.raises(GitupdError, match="more than a page can show; gitupd render prints it"):
        of_readable_size(imagined.poll(PHONE))
    assert len(imagined.poll(PHONE).body) > len(content)
    assert of_readable_size(imagined.poll(replace(PHONE, model="IP6010"))).script.commands


def test_a_restore_comes_first_and_its_address_is_kept_secret(sample: Sample) -> None:
    snapshot = Snapshots(sample.site).of(sample.first)
    basis = Basis(snapshot, restores={SERIAL.digits: Pending(7, "0123456789abcdef")})
    poll = Imagining(basis, NOON, reached=HERE).poll(PHONE)
    assert b"/restore/0123456789abcdef " in poll.body
    assert poll.script.restores
    assert any("/restore/*** " in line for line in poll.script.commands)
    assert not any("0123456789abcdef" in line.text for line in poll.script.lines)


def test_a_device_page_shows_what_comes_behind_a_restore_and_tells_of_it(sample: Sample) -> None:
    follower = Follower(sample.site)
    follower.follow()
    assert follower.live
    live = replace(follower.live, restores={SERIAL.digits: Pending(7, "0123456789abcdef")})
    device = Device(SERIAL, request=Request(PHONE.arguments, HERE))
    inspection = Inspection(device, live, Snapshots(sample.site), NOON)
    script = inspection.now_lines()
    assert script
    assert script.restores
    assert len(script.selected) == 2
    assert inspection.next_step().endswith(
        "Then it goes back to an earlier version of its configuration, and gets all else with the poll after that."
    )


@pytest.mark.parametrize(
    ("slip", "fault"),
    [
        ({"phase": "updat"}, "unknown phase 'updat'; did you mean 'update'?"),
        ({"environments": "default,homeofice"}, "unknown environment 'homeofice'; did you mean 'homeoffice'?"),
    ],
)
def test_a_phase_or_an_environment_that_does_not_exist_is_a_slip(slip: dict[str, str], fault: str) -> None:
    template = Imagining(Basis(load(template_files())), NOON)
    with pytest.raises(GitupdError) as caught:
        template.check(replace(PHONE, **slip))
    assert str(caught.value) == fault
    template.check(replace(PHONE, environments="", phase=""))
