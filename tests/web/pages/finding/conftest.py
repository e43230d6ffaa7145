"""The server of a module's own ``place``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server

    from gitupd.service.site import Site


@pytest.fixture(scope="module")
def shown(place: Site) -> Iterator[Server]:
    with serving(place.path) as running:
        running.ready(place.deployments.live().commit)
        yield running
