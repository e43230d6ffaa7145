"""A clock that can't be right, by what was written down."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from support.fleets import device

from gitupd.service.checkup.plausible_time import is_synchronised
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from checkup.conftest import Examined

    from gitupd.service.site import Site

LATER = timedelta(days=3)


def test_a_call_from_the_future(site: Site, examined: Examined) -> None:
    live = site.deployments.live()
    assert live is not None
    site.inventory.save_sightings([device(0, live.commit, now() + LATER)])
    found = examined()["clock"]
    assert found.what.startswith("the last call, of 00-90-33-00-00-00, is of ")
    assert found.what.endswith("the clock is behind, or was ahead then")
    assert examined(now() + LATER) == {}


def test_a_deployment_from_the_future(site: Site, examined: Examined) -> None:
    files = {**site.config.files(site.config.resolve("main")), "README.md": b"new"}
    deploy(site, site.config.commit_files(files, "New", "Ada <ada@example.org>"), who="test", now=now() + LATER)
    assert "of " in examined()["clock"].what


def test_a_clock_at_the_beginning_of_time(examined: Examined) -> None:
    assert "the clock is behind" in examined(now() - timedelta(days=20_000))["clock"].what


def test_the_kernel_is_asked() -> None:
    assert is_synchronised() in (True, False, None)
