from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.resources import template_files
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitupd.service.site import Site

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """A site under test: the template, deployed."""

    site: Site
    first: CommitId

    def commit(self, changes: Mapping[str, str | bytes], *, age: float = 0) -> CommitId:
        """Commit the template with changes, so many seconds ago."""
        changed = {path: text.encode() if isinstance(text, str) else text for path, text in changes.items()}
        commit = self.site.config.commit_files({**template_files(), **changed}, "Change", "Ada <ada@example.org>")
        if not age:
            return commit
        date = f"{int(time.time() - age)} +0000"
        author = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_AUTHOR_DATE": date}
        committer = {name.replace("AUTHOR", "COMMITTER"): value for name, value in author.items()}
        git = ["git", "-C", str(self.site.path / "config.git")]
        done = subprocess.run(
            [*git, "commit-tree", f"{commit}^{{tree}}", "-p", f"{commit}^", "-m", "Change"],
            env={**author, **committer, "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
            text=True,
        )
        older = CommitId(done.stdout.strip())
        subprocess.run([*git, "update-ref", "refs/heads/main", older], check=True)
        return older


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Sample]:
    site, deployment = create_site(tmp_path / "site", who="ada", now=NOON)
    yield Sample(site, deployment.commit)
    site.close()
