from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.service.checkup.examining import examine
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from gitupd.service.checkup.finding import SiteFinding

    Examined = Callable[..., dict[str, SiteFinding]]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A new site, at which there is nothing to mend."""
    made, _ = create_site(tmp_path / "site", who="test", now=now())
    made.close()
    opened = Site(tmp_path / "site")
    yield opened
    opened.close()


@pytest.fixture
def examined(site: Site) -> Examined:
    """Have the site examined, and give what is to be mended by where it is: of each place one finding."""

    def look(at: datetime | None = None, opened: Site | None = None) -> dict[str, SiteFinding]:
        findings = [each for each in examine(opened or site, at or now()) if each.mend]
        assert all(each.what and each.cure for each in findings)
        return {each.where.removeprefix(f"{site.path}/"): each for each in findings}

    return look
