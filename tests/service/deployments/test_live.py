"""What a worker knows of the deployed commit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitupd.service.deployments.live import known_builds
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.store.masters import MasterAnswer

if TYPE_CHECKING:
    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


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
