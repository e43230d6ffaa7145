"""Whoever is killed at a fetch has moved the branch, with its entry in the audit, or has not; nothing needs a hand."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from support.killing import killed_at_many_moments
from support.upstreams import elsewhere, follow

from gitupd.core.people.audit import Kind
from gitupd.errors import UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.site import Site
from gitupd.service.upstream.fetching import Fetching, accept
from gitupd.store.ages import Ages

if TYPE_CHECKING:
    from pathlib import Path

    from service.conftest import Sample

    from gitupd.core.snapshot import CommitId


pytestmark = pytest.mark.slow


def swept(site: Site) -> None:
    """Do what the keeper does every minute: remove locks that nobody holds any more."""
    moments = iter((0.0, 100.0))
    ages = Ages(lambda: next(moments))
    site.config.sweep_locks(ages)
    site.config.sweep_locks(ages)


def fetch_again(site: Site) -> None:
    """Fetch as the keeper does, if need be again, when what a killed process has locked is free."""
    with suppress(UnreadableRepository):
        Fetching(site, now).fetch(live_now(site))
        return
    swept(site)
    Fetching(site, now).fetch(live_now(site))


def whole_after(copy: Path, before: CommitId, after: CommitId) -> bool:
    """Return whether the branch of a site whose fetch was killed had moved; see that all is as it should be."""
    with closing(Site(copy)) as killed:
        live, head = killed.deployments.live(), killed.config.head("main")
        entries = killed.audit.entries(99, kind=Kind.FETCH)
        assert head in (before, after)
        assert live is not None
        assert live.commit != after, "nobody has deployed it"
        assert head == before or [entry.subject for entry in entries] == [after], "nothing is moved without an entry"
        killed.config.files(head)
        fetch_again(killed)
        assert killed.config.head("main") == after
        assert [entry.subject for entry in killed.audit.entries(99, kind=Kind.FETCH)] == [after]
        assert [*killed.path.glob("incoming-*"), *killed.path.glob("config.git/**/*.lock")] == [], "something is left"
        killed.config.files(after)
    return head == after


def killed(sample: Sample, tmp_path: Path, before: CommitId, after: CommitId) -> Counter[bool]:
    sample.site.close()
    seen: Counter[bool] = Counter()
    for copy in killed_at_many_moments(sample.site.path, tmp_path / "killed", "fetch"):
        seen[whole_after(copy, before, after)] += 1
        shutil.rmtree(copy)
    return seen


def test_a_branch_that_goes_forward(sample: Sample, tmp_path: Path) -> None:
    there = elsewhere(sample.site, tmp_path / "there.git")
    follow(sample.site, there.path)
    before, after = there.head, there.commit()
    assert set(killed(sample, tmp_path, before, after)) == {False, True}


def test_a_branch_that_somebody_agrees_to(sample: Sample, tmp_path: Path) -> None:
    there = elsewhere(sample.site, tmp_path / "there.git")
    follow(sample.site, there.path)
    before, after = there.head, there.commit(parents=())
    with closing(Site(sample.site.path)) as site:
        assert Fetching(site, now).fetch(live_now(site)).stands.refused == after
        accept(site, after, who="ada", now=now(), reason="meant")
    assert set(killed(sample, tmp_path, before, after)) == {False, True}
