from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from gitupd.config.loader import load
from gitupd.core.caller import parse_caller
from gitupd.core.endpoint import Endpoint
from gitupd.core.situation import Situation
from gitupd.core.snapshot import CommitId
from gitupd.web.asgi.request import parse_arguments

COMMIT = CommitId("5e1f" * 10)
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
ENDPOINT = Endpoint("http", "upd.example", 80, "/innovaphone")

Make = Callable[..., Situation]


def _situation(
    files: Mapping[str, str | bytes], query: str | bytes, endpoint: Endpoint = ENDPOINT, **known: Any
) -> Situation:
    content = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    arguments = parse_arguments(query.encode() if isinstance(query, str) else query)
    caller = parse_caller(arguments, endpoint, known.pop("shown", None))
    return Situation(load(content, COMMIT, known.pop("opener", None)), caller, NOON, **known)


@pytest.fixture(scope="session")
def situation() -> Make:
    """Make the situation of a poll with a query string, under the configuration in files."""
    return _situation
