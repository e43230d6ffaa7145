"""Killed anywhere between a push to the upstream and its being served: it is served in the end, and written once."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from support.serving import serving
from support.upstreams import elsewhere, follow

from gitupd.core.people.audit import Kind
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.upstream.news import spread_news

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 6
LONGEST = 1.5


@pytest.mark.slow
def test_whoever_is_killed_at_whatever_moment_nothing_needs_a_hand(tmp_path: Path) -> None:
    chance = random.Random(14)
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    files = {**template_files(), "policies/deploy.yaml": b"mode: automatic\ngrace: 0s\n"}
    first = site.config.commit_files(files, "At once", "Ada <ada@example.org>")
    deploy(site, first, who="test", now=now())
    there = elsewhere(site, tmp_path / "there.git")
    follow(site, there.path, every="1h")
    commits = []
    with serving(site.path) as server:
        server.ready(first)
        for number in range(ROUNDS):
            commits.append(there.commit())
            spread_news(site.path)
            time.sleep(LONGEST * (number + chance.random()) / ROUNDS)
            for pid in server.children():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            server.ready(commits[-1])
        fetched = [entry.subject for entry in site.audit.entries(99, kind=Kind.FETCH)]
        deployed = [each.commit for each in site.deployments.latest(99)]
        assert fetched == commits[::-1]
        assert deployed[:ROUNDS] == commits[::-1]
    assert [*site.path.glob("incoming-*"), *site.path.glob("config.git/**/*.lock")] == []
    site.close()
