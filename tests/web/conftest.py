from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.serving import Server, serving

from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with the template deployed, for tests that leave it as it is."""
    created, _ = create_site(tmp_path_factory.mktemp("sites") / "site", who="test", now=now())
    yield created
    created.close()


@pytest.fixture(scope="session")
def server(site: Site) -> Iterator[Server]:
    """A server that serves the template, and takes no large uploads."""
    with serving(site.path, workers=2, largest_upload="1") as running:
        running.ready()
        yield running


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """A site for one test alone."""
    created, _ = create_site(tmp_path / "site", who="test", now=now())
    yield created
    created.close()
