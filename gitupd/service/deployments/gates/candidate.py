"""A commit that may be deployed, with all that gates look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitupd.config.documents import PATHS
from gitupd.config.loader import load
from gitupd.config.signers import read_signers
from gitupd.core.deployments.rule import Deploy
from gitupd.core.deployments.signers import CommitSigners
from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.service.deployments.snapshots import Snapshots
    from gitupd.service.site import Site
    from gitupd.store.git.repository import ConfigRepository


@dataclass(frozen=True)
class Candidate:
    """A ``commit`` without errors that may be deployed ``now``, in the place of what is ``live``.

    ``repository`` has both of them, or at least the commit. ``blocked`` commits come with the reasons. What takes time
    is found out when it is asked for, and kept: a candidate is looked at by one thread, and thrown away. ``snapshots``
    keeps what commits say for the next one. Somebody waits for the gates for so many seconds of ``patience``;
    it is ``who`` deploys it by hand, empty for nobody.
    """

    site: Site
    snapshots: Snapshots
    repository: ConfigRepository
    commit: CommitId
    live: Deployment
    blocked: Mapping[CommitId, str]
    now: datetime
    patience: float = 0.0
    who: str = ""

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """The files of the commit; raises UnreadableRepository."""
        return self.repository.files(self.commit)

    @property
    def snapshot(self) -> Snapshot:
        """What the commit says; raises InvalidConfiguration if it has errors."""
        return self.snapshots.of(self.commit)

    @cached_property
    def live_files(self) -> Mapping[str, bytes]:
        """The files of the deployed commit, or of the copy that is kept of it; raises UnreadableRepository."""
        try:
            return self.repository.files(self.live.commit)
        except GitupdError:
            if (kept := self.site.archive.files(self.live.commit)) is None:
                raise
            return kept

    @cached_property
    def live_snapshot(self) -> Snapshot | None:
        """What the deployed commit says, None if it can't be read or has errors by now."""
        try:
            return self.snapshots.of(self.live.commit)
        except GitupdError:
            return None  # and a deployment may be how to get out of that

    @cached_property
    def live_policy(self) -> Deploy:
        """How commits become deployed by the deployed commit, even if it has errors elsewhere by now.

        Raises UnreadableRepository, or InvalidConfiguration if that document has errors itself.
        """
        if self.live_snapshot is not None:
            return self.live_snapshot.policy.deploy
        document = {path: content for path, content in self.live_files.items() if path == PATHS["deploy"]}
        return load(document).policy.deploy

    @property
    def signers(self) -> CommitSigners:
        """Whose signatures count by the deployed commit; nobody's if it can't be read."""
        if self.live_snapshot is not None:
            return self.live_snapshot.signers
        try:
            return read_signers(self.live_files)
        except GitupdError:
            return CommitSigners()

    @property
    def rule(self) -> Deploy:
        """How commits become deployed: the deployed commit says so, that none decides for itself.

        As always if even that document can't be read by now.
        """
        try:
            return self.live_policy
        except GitupdError:
            return Deploy()  # and a deployment may be how to get out of that
