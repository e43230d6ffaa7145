"""What becomes of a push is what the keeper does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.pushed import PushedRef
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Actor, Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.pushing.prospect import take_note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

OLGA = Actor("olga", Role.OPERATOR, "192.0.2.7")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site, _ = create_site(tmp_path / "site", who="tess", now=now())
    yield site
    site.close()


def commit(site: Site, mode: str, number: int = 0) -> CommitId:
    deploy = f"mode: {mode}\ngrace: 40s\n".encode()
    files = {**template_files(), "policies/deploy.yaml": deploy, "tests/x.yaml": b"tests: []\n" + b"#\n" * number}
    return site.config.commit_files(files, "next", "Tess <t@localhost>")


def note(site: Site, new: CommitId, reason: str = "") -> str | None:
    ref = PushedRef("refs/heads/main", site.config.head("main"), new)
    return take_note(site.path / "config.git", [ref], OLGA, now(), reason)


def test_each_future_has_its_sentence(site: Site) -> None:
    by_hand = commit(site, "automatic")
    assert note(site, by_hand) == f"main {by_hand[:12]} waits for somebody to deploy it: gitupd deploy {by_hand[:12]}"
    deploy(site, by_hand, who="tess", now=now())
    assert note(site, by_hand) is None
    soon = commit(site, "automatic", 1)
    assert note(site, soon) == f"main {soon[:12]} is deployed by itself 40 s after it arrived, while the server runs"
    deploy(site, soon, who="tess", now=now())
    rollback(site, by_hand, who="tess", now=now(), reason="it was loud")
    assert f"gitupd unblock {soon[:12]}" in (note(site, soon) or "")
    again = commit(site, "automatic", 2)
    assert f"gitupd deploy {again[:12]} --force --reason WHY" in (note(site, again) or "")


def test_who_has_pushed_is_in_the_audit_with_the_reason(site: Site) -> None:
    new = commit(site, "manual")
    note(site, new, "a key was in it")
    (entry,) = site.audit.entries(5, kind=Kind.PUSH)
    assert (entry.who, entry.address, entry.subject) == ("olga", "192.0.2.7", new)
    assert entry.detail.endswith(f"..{new[:12]}: a key was in it")


def test_of_many_references_some_are_named(site: Site) -> None:
    new = commit(site, "manual")
    refs = [PushedRef(f"refs/heads/{number}", None, new) for number in range(250)]
    assert take_note(site.path / "config.git", refs, OLGA, now(), "") is None, "nothing is deployed from these"
    entries = site.audit.entries(500, kind=Kind.PUSH)
    assert len(entries) == 101
    assert entries[0].detail == "and 150 references more"


def test_a_repository_without_a_site_has_no_future(tmp_path: Path) -> None:
    assert take_note(tmp_path / "config.git", [], OLGA, now(), "") is None
