"""How far deployments have come, as everybody is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.caller import Serial
from gitupd.core.deployments.convergence import Holding, Progress
from gitupd.core.device import Device
from gitupd.service.deployments.convergence import Measures
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import live_now

if TYPE_CHECKING:
    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
SERIALS = [Serial(f"0090330000{number:02d}") for number in range(4)]


def test_how_fast_a_deployment_is_beside_those_before(sample: Sample) -> None:
    site = sample.site
    site.inventory.save_sightings(Device(serial, first_seen=NOON, last_seen=NOON) for serial in SERIALS)
    pace = []
    for number, minutes in enumerate((10, 11, 12, 2)):
        at = NOON + timedelta(hours=number + 1)
        commit = sample.commit({"snippets/all-all-all.txt": f"config add X /n {number}\n"})
        made, _ = deploy(site, commit, who="ada", now=at)
        done = at + timedelta(minutes=minutes)
        said = {"first_seen": at, "last_seen": done, "confirmed": commit, "confirmed_at": done, "settled": True}
        site.inventory.save_sightings(Device(serial, sent=commit, sent_at=at, **said) for serial in SERIALS)
        measures = Measures(site, live_now(site), at + timedelta(minutes=30))
        pace.append(measures.pace(measures.live()))
        assert measures.one(made) == measures.live()
        assert measures.holding() == {commit: Holding(4, 4)}
        overview = Measures(site, live_now(site), at + timedelta(minutes=30)).overview()
        assert (overview.live, overview.holding) == (measures.live(), measures.holding())
        assert overview.standings.total == 4
    assert pace[:3] == ["", "", ""]
    assert pace[3] == "faster than usual: 90 % had confirmed after 11 min in most of 3 deployments before"


def test_what_a_device_has_reached(sample: Sample) -> None:
    site = sample.site
    site.inventory.save_sightings([Device(SERIALS[0], first_seen=NOON, last_seen=NOON)])
    at = NOON + timedelta(hours=1)
    deploy(site, sample.commit({"snippets/all-all-all.txt": "x"}), who="ada", now=at)
    site.inventory.save_sightings([Device(SERIALS[1], first_seen=at, last_seen=at)])
    measures = Measures(site, live_now(site), at)
    counted, later = (site.inventory.device(serial) for serial in SERIALS[:2])
    assert counted is not None
    assert later is not None
    assert measures.progress(counted) == Progress(asked=False, delivered=False, confirmed=False, unchanged=False)
    assert measures.progress(later) is None
    assert measures.pace(None) == ""
    assert Measures(site, None, at).live() is None
    assert Measures(site, None, at).overview().live is None
