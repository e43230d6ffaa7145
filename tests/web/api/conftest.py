"""Programs of each role at the server of a module's own ``place``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.programs import Program, keys_of_each_role
from support.serving import serving

from gitupd.core.people.person import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server

    from gitupd.service.site import Site


@pytest.fixture(scope="module")
def keys(place: Site) -> dict[Role, str]:
    return keys_of_each_role(place)


@pytest.fixture(scope="module")
def api_server(place: Site, keys: dict[Role, str]) -> Iterator[Server]:
    assert keys
    with serving(place.path) as running:
        running.ready()
        yield running


@pytest.fixture
def viewer(api_server: Server, keys: dict[Role, str]) -> Iterator[Program]:
    with Program(api_server, keys[Role.VIEWER]) as program:
        yield program


@pytest.fixture
def operator(api_server: Server, keys: dict[Role, str]) -> Iterator[Program]:
    with Program(api_server, keys[Role.OPERATOR]) as program:
        yield program
