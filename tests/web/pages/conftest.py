from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.showcase import Scene, showing
from support.visitors import Visitor, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server with a fleet, for tests that leave it as it is."""
    with showing(tmp_path_factory.mktemp("pages"), devices=60) as running:
        yield running


@pytest.fixture(scope="session")
def viewer(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "vera") as visitor:
        yield visitor


@pytest.fixture(scope="session")
def operator(scene: Scene) -> Iterator[Visitor]:
    with logged_in(scene.server, "olga") as visitor:
        yield visitor
