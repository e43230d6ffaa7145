from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.completing import HOSTILE
from support.fleets import device

from gitupd.core.caller import Serial
from gitupd.core.people.person import Actor, Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.people.access import Access

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site with devices that are called so, and 30 others; nobody has it open."""
    folder = tmp_path_factory.mktemp("completion") / "site"
    site, deployment = create_site(folder, who="test", now=now())
    usual = [device(number, deployment.commit, now()) for number in range(30)]
    named = [
        replace(usual[0], serial=Serial(digits), given_name=name, address=f"10.9.9.{number}")
        for number, (digits, name) in enumerate(HOSTILE.items())
    ]
    site.inventory.save_sightings([*usual, *named])
    access, chief = Access(site), Actor("test", Role.ADMINISTRATOR, None)
    access.add(chief, "ada", Role.OPERATOR, "a long enough password", now())
    access.add_token(chief, "ada", "for the dashboard", now(), role=None, days=None)
    (site.path / "firmware/137213").mkdir()
    site.close()
    return folder
