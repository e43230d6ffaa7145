"""A site has its parts imported when they are used, and those of a server before anybody asks."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from pathlib import Path

_OPEN_ALL = """
import json, sys
from pathlib import Path
{first}
from gitupd.service.site import Site
site = Site(Path(sys.argv[1]))
before = set(sys.modules)
parts = [name for name in vars(Site) if not name.startswith("_") and not callable(getattr(Site, name))]
for name in parts:
    getattr(site, name)
site.close()
new = sorted(name for name in set(sys.modules) - before if name.startswith("gitupd."))
print(json.dumps([parts, new]))
"""


def _opened(site: Path, *, first: str) -> tuple[list[str], list[str]]:
    """Open all parts of *site* in a process of its own; return them, and the modules that were imported for it."""
    run = subprocess.run(
        [sys.executable, "-c", _OPEN_ALL.format(first=first), str(site)], capture_output=True, text=True, check=True
    )
    parts, new = json.loads(run.stdout)
    return parts, new


@pytest.fixture
def place(tmp_path: Path) -> Path:
    site, _ = create_site(tmp_path / "site", who="tess", now=datetime(2026, 5, 1, tzinfo=UTC))
    site.close()
    return tmp_path / "site"


def test_a_command_imports_the_parts_that_it_uses(place: Path) -> None:
    parts, new = _opened(place, first="")
    assert {"deployments", "fleet", "backups", "authority"} <= set(parts)
    assert {"gitupd.store.deployments", "gitupd.store.fleet", "gitupd.store.backups.repository"} <= set(new)


def test_a_server_has_all_of_them_before_it_starts_workers(place: Path) -> None:
    parts, new = _opened(place, first="import gitupd.web.supervisor")
    assert len(parts) > 40
    assert new == []
