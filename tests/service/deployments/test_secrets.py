"""Commits with encrypted files, on a site with the key and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.secrets import CANARY, Keyholder

from gitupd.errors import InvalidConfiguration
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.store.secrets import encrypt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

SNIPPET = "snippets/all-all-all.txt.age"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made, _ = create_site(tmp_path / "site", who="test", now=now())
    yield made
    made.close()


def committed(site: Site, *recipients: str) -> CommitId:
    files = {
        SNIPPET: encrypt(f"config add X /pw {CANARY}\n".encode(), recipients),
        "secrets.yaml.age": encrypt(f"variables: {{pin: {CANARY}}}\n".encode(), recipients),
    }
    return site.config.commit_files(files, "Encrypt", "Ada <ada@example.org>")


def test_what_the_site_cant_decrypt_is_not_deployed(site: Site) -> None:
    commit = committed(site, Keyholder().recipient)
    with pytest.raises(
        InvalidConfiguration, match="this site has no key for secrets; make one by: gitupd secrets init"
    ):
        deploy(site, commit, who="test", now=now())
    verdicts = Verdicts(site)
    assert "this site has no key" in str(verdicts.of(commit)[0])
    site.secrets_key.create()
    assert "it is encrypted to other keys" in str(verdicts.of(commit)[0])
    with pytest.raises(InvalidConfiguration, match="it is encrypted to other keys"):
        deploy(site, commit, who="test", now=now())


def test_what_it_can_is_and_nothing_decrypted_is_kept(site: Site) -> None:
    recipient = site.secrets_key.create()
    commit = committed(site, recipient)
    deploy(site, commit, who="test", now=now(), force=True, reason="test")
    follower = Follower(site)
    follower.follow()
    assert follower.trouble is None
    assert follower.live is not None
    assert CANARY.encode() in follower.live.snapshot.snippets[0].content
    assert CANARY not in repr(follower.live)
    kept = [path for path in site.path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert kept == []
    assert CANARY.encode() not in b"".join(site.archive.files(commit).values())


def test_a_site_that_has_lost_its_key_serves_the_others_and_says_so_until_it_is_back(site: Site) -> None:
    commit = committed(site, site.secrets_key.create())
    deploy(site, commit, who="test", now=now(), force=True, reason="test")
    lost = site.secrets_key.path.rename(site.path / "lost")
    follower, snapshots = Follower(site), Snapshots(site)
    follower.follow()
    assert follower.live is not None
    assert "can't be decrypted: this site has no key" in str(follower.trouble)
    assert snapshots.of(commit).closed
    lost.rename(site.secrets_key.path)
    assert not snapshots.of(commit).closed
    follower._retry_at = 0.0
    follower.follow()
    assert follower.trouble is None
