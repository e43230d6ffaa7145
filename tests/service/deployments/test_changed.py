"""How many files a deployment has changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitupd.core.deployments.deployment import Deployment
from gitupd.core.snapshot import CommitId
from gitupd.service.deployments.changed import changed_files

if TYPE_CHECKING:
    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def test_files_are_counted_where_both_commits_can_be_read(sample: Sample) -> None:
    commit = sample.commit({"snippets/all-all-all.txt": "x", "snippets/all-all-berlin.txt": "y"})
    made = [
        Deployment(number, commit, NOON, "ada", "deploy", replaced, "")
        for number, replaced in enumerate((None, sample.first, commit, CommitId("f" * 40)))
    ]
    for _ in range(2):
        assert changed_files(sample.site, made) == {0: None, 1: 2, 2: 0, 3: None}
