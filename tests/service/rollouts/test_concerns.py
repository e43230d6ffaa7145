"""What somebody is told before certificates fail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.fleets import device
from support.signing_sites import OTHER, SERIAL, asks, signing_site

from gitupd.core.certificates.rollout import Need, Stage
from gitupd.service.certificates.server import own_certificate
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.rollouts.concerns import certificate_concerns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.caller import Serial
    from gitupd.service.site import Site

DAY = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with signing_site(tmp_path / "site") as made:
        yield made


def concerns(site: Site, at: datetime | None = None) -> list[str]:
    return certificate_concerns(site, live_now(site), at or now())


def stands(site: Site, serial: Serial, stage: Stage, end: datetime | None = None) -> None:
    site.rollouts.note(serial, Need(stage, "why"), now(), end, site.rollouts.of(serial))


def test_nothing_is_told_of_a_site_where_all_is_well(site: Site) -> None:
    own_certificate(site, now())
    asks(site, SERIAL)
    stands(site, OTHER, Stage.GOOD, now() + 300 * DAY)
    assert concerns(site) == []


def test_roll_outs_that_failed_and_requests_that_wait_for_long(site: Site) -> None:
    asks(site, SERIAL)
    stands(site, OTHER, Stage.FAILED)
    (failed,) = concerns(site)
    assert failed == "1 roll-out of a certificate has failed; see: gitupd certificates list --stage failed"
    later = concerns(site, now() + 4 * DAY)
    assert f"1 signing request waits, the first since {now():%Y-%m-%d}"[:-2] in "\n".join(later)


def test_only_devices_that_call_are_missed(site: Site) -> None:
    live = site.deployments.live()
    assert live is not None
    for number in (0, 1):
        called = device(number, live.commit, now())  # the second one lies in a drawer
        site.inventory.save_sightings([called])
        stands(site, called.serial, Stage.GOOD, now() - DAY)
    (ended,) = concerns(site)
    assert ended == "1 device calls whose certificate has ended; see: gitupd devices certificate:expired present"


def test_the_servers_own_certificate_and_the_authority(site: Site) -> None:
    own_certificate(site, now())
    at = now() + 3640 * DAY
    told = concerns(site, at)
    assert told[0].startswith("tls/server.pem: the server's certificate ends on ")
    assert any("authority" in each for each in told[1:])
    assert concerns(site, now() + 3651 * DAY)[0].startswith("tls/server.pem: the server's certificate has ended on ")
