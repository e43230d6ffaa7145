"""What a device would get of a commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.endpoint import Endpoint
from gitupd.errors import GitupdError
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.preview import Facts
from gitupd.service.deployments.live import known_builds
from gitupd.service.trial import trial
from gitupd.store.masters import MasterAnswer

if TYPE_CHECKING:
    from conftest import Sample


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
HERE = Endpoint("http", "upd.example", 8080, "/mtls")
FACTS = Facts("IP222", "00-90-33-00-00-01", phase="update")


def test_a_trial_is_a_poll_that_nobody_made(sample: Sample) -> None:
    snapshots = Snapshots(sample.site)
    found = trial(snapshots, snapshots.of(sample.first), FACTS, HERE, NOON)
    assert found.script.commit == sample.first
    assert [each.path for each in found.script.selected] == [
        "snippets/all-all-all.txt",
        "snippets/update-phone-default.txt",
    ]
    assert found.commands == 7
    assert found.situation.phase == "update"
    assert sample.site.inventory.devices() == []


def test_a_trial_calls_the_way_that_is_required(sample: Sample) -> None:
    commit = sample.commit({"policies/transport.yaml": "https: required\nhttps_port: 8443\n"})
    snapshots = Snapshots(sample.site)
    found = trial(snapshots, snapshots.of(commit), FACTS, HERE, NOON)
    assert len(found.script.selected) == 2
    assert "config write" in [line.text for line in found.script.lines]
    assert found.situation.caller.endpoint == Endpoint("https", "upd.example", 8443, "/mtls")


@pytest.mark.parametrize("content", [b"x" * 2_200_000, b"x\n" * 50_001])
def test_a_trial_is_bounded(sample: Sample, content: bytes) -> None:
    snapshots = Snapshots(sample.site)
    snapshot = snapshots.of(sample.commit({"snippets/update-phone-all.txt": content}))
    with pytest.raises(GitupdError, match="more than a page can show; gitupd render prints it"):
        trial(snapshots, snapshot, FACTS, HERE, NOON)
    gateway = replace(FACTS, model="IP6010")
    assert trial(snapshots, snapshot, gateway, HERE, NOON).commands


def test_builds_are_those_of_the_master_device_that_is_followed(sample: Sample) -> None:
    snapshots, url = Snapshots(sample.site), "http://127.0.0.1:1/box_info.xml"
    follows = snapshots.of(sample.commit({"policies/firmware.yaml": f'master: {{url: "{url}"}}\nfirmware: master\n'}))
    assert known_builds(sample.site, follows) is None
    assert known_builds(sample.site, snapshots.of(sample.first)) is None
    sample.site.masters.save(MasterAnswer(url, "137213", "131286", NOON, NOON))
    builds = known_builds(sample.site, follows)
    assert builds
    assert (builds.firmware, builds.bootcode) == ("137213", "131286")
    assert known_builds(sample.site, snapshots.of(sample.first)) is None
