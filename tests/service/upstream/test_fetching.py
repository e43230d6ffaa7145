"""Fetching from a repository elsewhere: what is taken over, what is refused until somebody agrees, and what stays."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.upstreams import ENVIRONMENT, Elsewhere, elsewhere, follow

from gitupd.core.people.audit import Kind
from gitupd.errors import GitupdError, SiteError, UnreadableRepository
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.site import Site
from gitupd.service.upstream.fetching import Fetching, accept
from gitupd.service.upstream.telling import upstream_concerns, upstream_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.conftest import Sample

    from gitupd.service.upstream.fetching import Fetched


@pytest.fixture
def there(sample: Sample, tmp_path: Path) -> Elsewhere:
    made = elsewhere(sample.site, tmp_path / "there.git")
    follow(sample.site, made.path)
    return made


@pytest.fixture
def site(sample: Sample, there: Elsewhere) -> Iterator[Site]:
    assert there.path.exists(), "what it follows is in its settings when it is opened"
    opened = Site(sample.site.path)
    yield opened
    opened.close()


def fetch(site: Site) -> Fetched:
    return Fetching(site, now).fetch(live_now(site), "ada")


def packs(site: Site) -> set[str]:
    return {path.name for path in (site.path / "config.git").glob("objects/??/*")} | {
        path.name for path in (site.path / "config.git/objects/pack").iterdir()
    }


def left(site: Site) -> list[Path]:
    return list(site.path.glob("incoming-*"))


def test_the_branch_follows_what_is_new(site: Site, there: Elsewhere) -> None:
    first = there.head
    assert fetch(site).moved is None
    one, two = there.commit(), there.commit()
    fetched = fetch(site)
    assert fetched.moved == (first, two)
    assert site.config.head("main") == two
    assert [commit.id for commit in site.config.between(first, two, 9)] == [two, one]
    (entry,) = site.audit.entries(9, kind=Kind.FETCH)
    assert (entry.who, entry.subject) == ("ada", two)
    assert entry.detail == f"main {first[:12]}..{two[:12]} from {there.path}"
    assert fetch(site).moved is None
    assert upstream_facts(fetch(site).stands)["state"] == "following"
    assert (upstream_concerns(site, live_now(site), now()), left(site)) == ([], [])


def test_other_branches_and_tags_stay_where_they_are(site: Site, there: Elsewhere) -> None:
    head = there.commit()
    there.git("tag", "main", "refs/heads/main~1")
    there.git("update-ref", "refs/heads/refs/heads/main", "refs/heads/main~1")
    there.git("update-ref", "refs/heads/odd-\N{LATIN SMALL LETTER U WITH DIAERESIS}'$(x)\"", "refs/heads/main~1")
    assert fetch(site).stands.head == head
    assert list(site.config.branches()) == ["main"]
    assert not (site.path / "config.git/refs/tags/main").exists()


@pytest.mark.parametrize("how", ["rewound", "rewritten", "unrelated"])
def test_what_loses_commits_is_refused_until_somebody_agrees(site: Site, there: Elsewhere, how: str) -> None:
    first = there.head
    ours = there.commit()
    fetch(site)
    match how:
        case "rewound":
            there.git("update-ref", "refs/heads/main", first)
        case "rewritten":
            there.commit(parents=(first,))
        case _:
            there.commit(parents=())
    before, live = packs(site), site.deployments.live()
    for _ in range(2):
        stands = fetch(site).stands
        assert stands.refused == there.head
    assert how in stands.refusal or "nothing in common" in stands.refusal
    assert (site.config.head("main"), packs(site), site.deployments.live()) == (ours, before, live)
    (concern,) = upstream_concerns(site, live_now(site), now())
    assert (
        concern == f"{stands.refusal}; to follow it all the same: gitupd fetch --accept {there.head[:12]} --reason WHY"
    )
    with pytest.raises(SiteError, match="is not refused"):
        accept(site, first[:6], who="vera", now=now(), reason="meant")
    with pytest.raises(SiteError, match="say why"):
        accept(site, there.head, who="vera", now=now(), reason=" ")
    accept(site, there.head[:9], who="vera", now=now(), reason="meant")
    assert fetch(site).moved == (ours, there.head)
    assert site.config.head("main") == there.head
    (agreed,) = site.audit.entries(9, kind=Kind.UPSTREAM_ACCEPT)
    assert (agreed.who, agreed.subject, agreed.detail.endswith(": meant")) == ("vera", there.head, True)
    assert site.audit.entries(9, kind=Kind.FETCH)[0].detail.endswith("as vera wants")
    there.git("update-ref", "refs/heads/main", there.commit(parents=()))
    assert fetch(site).stands.refusal, "it was agreed to once"


def test_what_builds_on_what_was_agreed_to_is_agreed_to(site: Site, there: Elsewhere) -> None:
    agreed = there.commit(parents=())
    fetch(site)
    accept(site, agreed, who="vera", now=now(), reason="begin anew")
    later = there.commit()
    assert fetch(site).moved == (site.deployments.live().commit, later)  # type: ignore[union-attr] # it is deployed


def test_a_refusal_is_over_when_the_branch_is_back(site: Site, there: Elsewhere) -> None:
    first = there.head
    ours = there.commit()
    fetch(site)
    there.git("update-ref", "refs/heads/main", first)
    assert fetch(site).stands.refusal
    there.git("update-ref", "refs/heads/main", ours)
    assert not fetch(site).stands.refusal


def test_a_failure_is_remembered_and_what_was_here_stays(site: Site, there: Elsewhere) -> None:
    good = fetch(site).stands
    there.path.rename(there.path.with_name("away"))
    for failures in (1, 2):
        with pytest.raises(UnreadableRepository, match="there is no such repository"):
            fetch(site)
        stands = site.upstreams.of(str(there.path), "main")
        assert (stands.failures, stands.head, stands.fetched_at) == (failures, good.head, good.fetched_at)
    assert stands.failing_since is not None
    assert upstream_concerns(site, live_now(site), now()) == [stands.trouble]
    assert site.config.head("main") == good.head
    there.path.with_name("away").rename(there.path)
    assert fetch(site).stands.failures == 0


def test_a_branch_that_is_not_there_is_a_failure(site: Site, there: Elsewhere) -> None:
    there.git("branch", "-m", "main", "master")
    with pytest.raises(UnreadableRepository, match=r"no branch main there; policies/deploy\.yaml names it"):
        fetch(site)


def test_what_a_killed_process_has_left_is_removed(site: Site) -> None:
    (site.path / "incoming-x").mkdir()
    (site.path / "incoming-x/file").write_bytes(b"x")
    fetch(site)
    assert left(site) == []


def test_that_nobody_asks_any_more_is_told(site: Site) -> None:
    fetch(site)
    later = now() + timedelta(hours=1)
    assert "does the server run?" in upstream_concerns(site, live_now(site), later)[0]


def test_where_nothing_is_followed_nothing_is_fetched(sample: Sample) -> None:
    with pytest.raises(SiteError, match="follows no repository elsewhere"):
        fetch(sample.site)
    assert upstream_concerns(sample.site, live_now(sample.site), now()) == []


def test_a_repository_of_somebody_else_is_read_where_an_operator_names_it(site: Site, there: Elsewhere) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    for path in (there.path, *there.path.rglob("*")):
        os.chown(path, 12345, 12345)
    assert fetch(site).stands.failures == 0


def test_settings_and_hooks_of_nobody_count(site: Site, there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    there.commit()
    trap = site.path / "trap"
    evil = site.path / "evil"
    evil.write_text(f'[core]\n\tsshCommand = touch {trap}\n[url "/nowhere"]\n\tinsteadOf = {there.path}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(evil))
    monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {trap}")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    fetched = fetch(site)
    assert fetched.moved is not None
    assert not trap.exists()


def test_a_fetch_that_is_given_up_is_no_failure(site: Site, there: Elsewhere) -> None:
    there.path.joinpath("HEAD").unlink()
    with pytest.raises(GitupdError):
        Fetching(site, now, lambda: True).fetch(live_now(site))
    assert site.upstreams.of(str(there.path), "main").failures == 0


def test_a_push_of_the_followed_branch_is_told_where_to_go(site: Site, there: Elsewhere) -> None:
    config = site.path / "config.git"
    there.commit()
    told = f"push to {there.path}: this site follows it"
    there_to_here = ["git", "-C", str(there.path), "push", "-q"]

    def push(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*there_to_here, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)

    refused = push(str(config), "main")
    assert refused.returncode
    assert told in refused.stderr
    assert push(str(config), "main:topic").returncode == 0
    assert push("-o", "force-with-reason=the host is down", str(config), "main").returncode == 0
    assert fetch(site).moved is None
