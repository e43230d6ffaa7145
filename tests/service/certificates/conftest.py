from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(f"sqlite:///{tmp_path / 'gitupd.db'}")
    opened.migrate()
    yield opened
    opened.close()
