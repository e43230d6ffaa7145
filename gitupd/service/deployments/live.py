"""What a worker knows of the deployed commit, kept up to date behind its back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from gitupd.config.loader import load
from gitupd.core.admission.admittance import Decision
from gitupd.core.firmware import Builds
from gitupd.core.policy import Admission
from gitupd.core.situation import Basis
from gitupd.errors import UnreadableRepository
from gitupd.service.background import Recurring, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.service.site import Site
    from gitupd.store.masters import MasterAnswer

FOLLOW_SECONDS = 0.1
_KEPT_SNAPSHOTS = 3
_RETRY_SECONDS = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Live(Basis):
    """What is delivered now: what polls are answered from, and the deployment that made it so.

    Exchanged as a whole, so that whoever holds one sees one commit.
    """

    deployment: Deployment = field(kw_only=True)

    @property
    def takes_time(self) -> bool:
        """Whether a poll waits for the configuration's own code, or for the database."""
        return self.snapshot.scripting is not None or self.snapshot.policy.certificates.enabled


class Follower:
    """Follows the deployments of a site from a thread, so that no poll waits for a commit to be loaded."""

    def __init__(self, site: Site) -> None:
        """Prepare to follow *site*; :meth:`follow` looks once, :meth:`start` goes on looking."""
        self._site = site
        self._snapshots: dict[CommitId, tuple[Snapshot, str | None]] = {}
        self._retry_at = 0.0
        self._change, self._decisions = 0, dict[str, Decision]()
        trouble = Trouble("the deployed commit can't be loaded")
        self._following = Recurring("follower", FOLLOW_SECONDS, self.follow, trouble)
        self._lacking: str | None = "nothing was loaded yet"
        self.live: Live | None = None

    @property
    def trouble(self) -> str | None:
        """Why what is deployed could not be loaded, or what is wrong with it; None if nothing is."""
        return self._following.trouble.text or self._lacking

    @property
    def most_unknown(self) -> int:
        """How many unknown devices are remembered at a time."""
        policy = self.live.snapshot.policy.admission if self.live else Admission()
        return policy.most

    def start(self) -> None:
        """Look once, then start to follow in the background."""
        self._following.once()
        self._following.start()

    def stop(self) -> None:
        """Stop to follow."""
        self._following.stop()

    def follow(self) -> None:
        """Take over what is deployed now; raises GitupdError if it can't be loaded, and keeps the last."""
        deployment = self._site.deployments.live()
        if deployment is None:
            self._lacking = "nothing was deployed yet"
            return
        snapshot, self._lacking = self._snapshot(deployment.commit)
        restores, decisions = self._site.restores.pending(), self._decided()
        live = Live(snapshot, known_builds(self._site, snapshot), restores, decisions, deployment=deployment)
        if live != self.live:
            self.live = live

    def _decided(self) -> Mapping[str, Decision]:
        """Return what people decided on devices; the same value as the last time if they decided nothing since."""
        change, news = self._site.admissions.since(self._change)
        if news:
            self._change, self._decisions = change, self._decisions | news
        return self._decisions

    def _snapshot(self, commit: CommitId) -> tuple[Snapshot, str | None]:
        """Return what *commit* says, and what was the trouble with reading it, None if there was none."""
        known = self._snapshots.pop(commit, None)
        if known is None or (known[1] is not None and time.monotonic() > self._retry_at):
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            known = self._load(commit)
        self._snapshots[commit] = known
        while len(self._snapshots) > _KEPT_SNAPSHOTS:
            del self._snapshots[next(iter(self._snapshots))]
        return known

    def _load(self, commit: CommitId) -> tuple[Snapshot, str | None]:
        try:
            with self._site.open_config() as repository:
                return self._loaded(repository.files(commit), commit)
        except UnreadableRepository as error:
            files = self._site.archive.files(commit)
            if files is None:
                raise
            log.warning("serving the kept copy of the deployed commit", commit=commit, error=str(error))
            return self._loaded(files, commit)[0], str(error)

    def _loaded(self, files: Mapping[str, bytes], commit: CommitId) -> tuple[Snapshot, str | None]:
        """Return what *files* say, and what of them is encrypted and can't be opened, so that some devices fail."""
        snapshot = load(files, commit, self._site.secrets_key.opener())
        return snapshot, "; ".join(snapshot.closed) or None


def live_now(site: Site) -> Live | None:
    """Return what *site* delivers, looked up once, None if nothing was deployed; raises GitupdError."""
    follower = Follower(site)
    follower.follow()
    return follower.live


def basis_of(site: Site, snapshot: Snapshot) -> Basis:
    """Return what polls would be answered from now if *snapshot* were deployed."""
    return Basis(snapshot, known_builds(site, snapshot), site.restores.pending())


def known_builds(site: Site, snapshot: Snapshot) -> Builds | None:
    """Return the builds of the master device that *snapshot* follows, None if it follows none or they aren't known."""
    master = snapshot.policy.firmware.followed
    return None if master is None else builds_in(site.masters.answers().get(master.url))


def builds_in(answer: MasterAnswer | None) -> Builds | None:
    """Return the builds that a master device has named, None if it never has."""
    if answer is None or (answer.firmware is None and answer.bootcode is None):
        return None
    return Builds(answer.firmware, answer.bootcode)
