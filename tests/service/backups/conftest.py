from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.offices import Office, git, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An empty history, and what belongs to it."""
    with opened(tmp_path / "site") as office:
        yield office


@pytest.fixture
def sound_afterwards(office: Office) -> Iterator[None]:
    """Git itself finds nothing wrong with the history when the test has ended."""
    yield
    git(office.site.path, "fsck", "--strict")
