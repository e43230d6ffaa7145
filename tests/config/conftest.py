from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from gitupd.config.loader import build

Examine = Callable[[Mapping[str, str | bytes]], list[str]]


@pytest.fixture(scope="session")
def told() -> Examine:
    """Return every problem with files as it is shown."""

    def problems(files: Mapping[str, str | bytes]) -> list[str]:
        content = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        return [str(problem) for problem in build(content)[1]]

    return problems
