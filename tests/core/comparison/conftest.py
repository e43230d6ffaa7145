from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from gitupd.core.comparison.rendering import Rendering
from gitupd.core.endpoint import Endpoint
from gitupd.core.imagined import ImaginedPoll

if TYPE_CHECKING:
    from gitupd.core.situation import Situation

HTTP = Endpoint("http", "upd.example", 80)
PHONE = "phase=update&polling=0&type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.7"

Render = Callable[..., Rendering]


@pytest.fixture(scope="session")
def render(situation: Callable[..., Situation]) -> Render:
    """Render what a device gets from the configuration in files, one that has executed ``executed`` if given."""

    def poll(files: Mapping[str, str], query: str, endpoint: Endpoint, **known: Any) -> ImaginedPoll:
        return ImaginedPoll(situation(files, query, endpoint, **known))

    def rendered(
        files: Mapping[str, str],
        query: str = PHONE,
        endpoint: Endpoint = HTTP,
        executed: Mapping[str, str] | None = None,
        **known: Any,
    ) -> Rendering:
        whole = poll(files, query, endpoint, **known)
        if executed is None:
            return Rendering(whole, whole)
        stored = re.search(rb" check ser (\w+)", poll(executed, query, endpoint).body)
        assert stored is not None
        following = poll(files, f"{query}&CHECK={stored[1].decode()}", endpoint, **known)
        return Rendering(following, whole)

    return rendered
