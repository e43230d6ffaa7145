from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.keeper import Keeper

if TYPE_CHECKING:
    from pathlib import Path


def test_the_keeper_notices_a_branch_that_moves_and_does_without_one(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    keeper = Keeper(site)
    assert keeper._branch_moved() is None, "nothing is followed yet"
    keeper._follower.follow()
    before = keeper._branch_moved()
    assert before is not None
    assert keeper._branch_moved() == before
    site.config.commit_files({**template_files(), "notes.txt": b"x\n"}, "next", "Tess <t@localhost>")
    assert keeper._branch_moved() not in (None, before)
    keeper._rest(before)  # returns at once
    site.path.joinpath("config.git").rename(tmp_path / "gone")
    assert keeper._branch_moved() is None
    site.close()
    again = Keeper(type(site)(site.path))
    again._follower = keeper._follower
    assert again._branch_moved() is None, "a repository that can't be opened ends no keeper"


def test_a_stale_lock_is_out_of_the_way_after_a_while(tmp_path: Path) -> None:
    """It is looked at once a minute, and has to look the same for long, by a clock that nobody puts forward."""
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    passed = 0.0
    keeper = Keeper(site, steady=lambda: time.monotonic() + passed)
    lock = site.path / "config.git/refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    keeper.tick()
    assert lock.exists(), "whoever holds it may have held it for a moment"
    for _ in range(2):
        passed += 61.0
        keeper.tick()
    assert not lock.exists()
    site.config.commit_files({**template_files(), "notes.txt": b"x\n"}, "next", "Tess <t@localhost>")
    site.close()
