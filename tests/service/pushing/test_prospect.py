"""What becomes of a push is what the keeper does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.fleets import fill
from support.signed_commits import keyring
from support.signing_office import opened

from gitupd.core.deployments.pushed import PushedRef
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Actor, Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.words import freeze
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


def _live(site: Site, rule: bytes) -> CommitId:
    """Deploy *rule*, give the site a fleet, and return a commit that changes something for all of it."""
    files = {**template_files(), "policies/deploy.yaml": rule}
    deploy(site, site.config.commit_files(files, "rule", "Tess <t@localhost>"), who="tess", now=now())
    fill(site, 40, now())
    files |= {"snippets/all-all-all.txt": b"config add X /y\n"}
    return site.config.commit_files(files, "next", "Olga <o@localhost>")


@pytest.mark.parametrize(
    ("rule", "told", "ways"),
    [
        (b"grace: 0s\n", "is not deployed by itself: 39 of 39 active devices", ("approve", "deploy")),
        (b"mode: manual\n", "waits for somebody to deploy it, and that is objected to: 39 of", ("approve", "deploy")),
        (b"grace: 0s\napproval: second-person\n", "is not deployed by itself: 39 of 39 active", ("approve",)),
        (b"brake: null\napproval: second-person\n", "is not deployed yet: it waits for the approval", ("approve",)),
        (b"brake: null\nmode: manual\napproval: second-person\n", "waits for somebody to deploy it who has not", ()),
    ],
)
def test_only_what_is_possible_is_offered(site: Site, rule: bytes, told: str, ways: tuple[str, ...]) -> None:
    head = _live(site, rule)
    said = note(site, head) or ""
    assert said.startswith(f"main {head[:12]} {told}")
    assert (f"gitupd approve {head[:12]}" in said) == ("approve" in ways)
    assert (f"gitupd deploy {head[:12]} --force --reason WHY" in said) == ("deploy" in ways)
    assert said.count("gitupd approve") <= 1


def test_what_is_frozen_may_be_forced(site: Site) -> None:
    head = _live(site, b"brake: null\n")
    freeze(site, who="kim", now=now(), reason="Friday")
    said = (
        f"is not deployed yet: kim has frozen deployments: Friday; to deploy it all the same: gitupd deploy {head[:12]}"
    )
    assert note(site, head) == f"main {head[:12]} {said} --force --reason WHY"


def test_what_is_not_signed_is_forced_by_nobody_who_pushes(tmp_path: Path) -> None:
    with keyring() as keys, opened(tmp_path, keys) as office:
        unsigned = [office.commit(None), office.commit(None)]
        office.push()
        said = note(office.site, unsigned[1]) or ""
        assert f"is not deployed by itself: commit {unsigned[0][:12]} 'change' is not signed; have it signed" in said
        assert said.endswith("or an administrator deploys it on the server's command line with --force")


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
