"""Who has signed commits, for those who look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.signature import NotSigned, SignatureVerdict
from gitupd.errors import UnreadableRepository
from gitupd.service.deployments.gates.signature import verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.store.git.repository import ConfigRepository


def signatures(
    repository: ConfigRepository, commits: Iterable[CommitInfo], live: Snapshot | None, now: datetime
) -> Mapping[CommitId, SignatureVerdict]:
    """Return what the signatures of *commits* are worth by what *live* says, None if nothing is deployed.

    Where nobody is asked to sign, commits that are not signed are left out.
    """
    if live is None:
        return {}
    try:
        judged = verdicts(repository, commits, live.signers, now)
    except UnreadableRepository:
        return {}
    asked = live.policy.deploy.require_signatures or not live.signers.is_empty
    return {commit.id: verdict for commit, verdict in judged if asked or not isinstance(verdict, NotSigned)}
