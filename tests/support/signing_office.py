"""A site whose deployed commit wants commits to be signed, and a clone in which they are made."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gitupd.core.deployments.objection import Doubtful, Gate
from gitupd.core.snapshot import CommitId
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.keeper import Keeper
from support.signed_commits import Key, Keyring, Work, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitupd.service.site import Site

SNIPPET = "snippets/all-all-all.txt"
RULE = "policies/deploy.yaml"
REQUIRED, FREE = b"grace: 0s\nrequire_signatures: true\n", b"grace: 0s\n"


@dataclass
class Office:
    """A site whose deployed commit wants Vera's signatures, and a clone of its configuration."""

    site: Site
    work: Work
    keys: Keyring
    number: int = 0

    @property
    def vera(self) -> Key:
        return self.keys.ssh("vera")

    @property
    def live(self) -> CommitId:
        found = self.site.deployments.live()
        assert found is not None
        return found.commit

    def commit(self, key: Key | None, files: Mapping[str, bytes] | None = None, *options: str) -> CommitId:
        """Commit a change, and *files*, signed with *key*."""
        self.number += 1
        self.work.write({SNIPPET: b"config add X /%d\n" % self.number, **(files or {})})
        return self.work.commit(key, *options)

    def push(self) -> CommitId:
        """Have the site's branch be where the clone's is, and the keeper look at it."""
        run("git", "-C", self.site.path / "config.git", "fetch", "-q", self.work.path, "+HEAD:main")
        Keeper(self.site).tick()
        return CommitId(self.work.git("rev-parse", "HEAD"))

    def refused(self, commit: CommitId) -> list[str]:
        """What speaks against *commit*, which somebody wants to deploy on a page."""
        with pytest.raises(Doubtful) as held:
            deploy(self.site, commit, who="ada", now=now(), force=True, reason="I want it", address="192.0.2.1")
        assert {each.gate for each in held.value.objections} == {Gate.SIGNATURE}
        assert not held.value.may_be_forced
        return [each.text for each in held.value.objections]


def signers(*people: Key) -> dict[str, bytes]:
    lines = [f"{key.name}@example.com {key.line}\n" for key in people if key.file is not None]
    openpgp = {f"signers/{key.name}.asc": key.public for key in people if key.home is not None}
    return {"signers/allowed_signers": "".join(lines).encode(), **openpgp}


@contextmanager
def opened(folder: Path, keys: Keyring) -> Iterator[Office]:
    """Have a site in *folder* where Vera signs, who has a key among *keys*."""
    site, _ = create_site(folder / "site", who="ada", now=now())
    work = Work.at(folder / "work")
    work.git("pull", "-q", folder / "site/config.git", "main")
    office = Office(site, work, keys)
    office.commit(None, {RULE: REQUIRED, **signers(office.vera)})
    deploy(site, office.push(), who="ada", now=now())
    try:
        yield office
    finally:
        site.close()
