"""What is found of the head of the branch: in a thread of its own, so that nothing else waits for render tests."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from gitupd.core.deployments.decision import CommitFindings
from gitupd.core.deployments.objection import Objection, in_order
from gitupd.core.deployments.signature import sentence
from gitupd.errors import GitupdError, SiteError, UnreadableRepository, has_errors
from gitupd.service.deployments.gates.candidate import Candidate
from gitupd.service.deployments.objections import LASTING, MOMENTARY, objections
from gitupd.service.deployments.seeing import MOST_TOGETHER
from gitupd.service.deployments.signatures import signatures
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.deployments.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.errors import Problem
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.store.git.repository import ConfigRepository

log = structlog.get_logger()

_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class CommitJudgement:
    """What was found of ``commit`` in a ``situation``: all that takes time, and does not change by itself.

    ``live`` is the id of the deployment in the place of which it would be deployed. ``signatures`` say by whom it and
    what comes with it is signed, or what is wrong with that.
    """

    commit: CommitId
    live: int
    situation: object
    problems: tuple[Problem, ...] = ()
    objections: tuple[Objection, ...] = ()
    signatures: Mapping[CommitId, str] = field(default_factory=dict)
    trouble: GitupdError | None = None


class Judging:
    """Judges one commit at a time, and keeps what it found for as long as that is true."""

    def __init__(self, site: Site) -> None:
        """Judge commits of *site*; in the thread that asks, until :meth:`start` is called."""
        self._site, self._snapshots = site, Snapshots(site)
        self._verdicts = Verdicts(site)
        self._last: CommitJudgement | None = None
        self._thread: threading.Thread | None = None
        self._in_background, self._again = False, 0.0

    def start(self) -> None:
        """Judge in a thread from now on, so that nobody waits."""
        self._in_background = True

    def judge(
        self, commit: CommitId, live: Live, blocked: Mapping[CommitId, str], now: datetime
    ) -> CommitJudgement | None:
        """Return what was found of *commit* in the place of what is *live*, None while somebody looks.

        Raises UnreadableRepository.
        """
        situation = (live.deployment.id, tuple(sorted(blocked.items())), self._site.secrets_key.mark)
        last = self._last
        if last is None or (last.commit, last.situation) != (commit, situation):
            if not self._in_background:
                self._find(commit, live, blocked, now, situation)
            elif self._thread is None or not self._thread.is_alive():
                arguments = (commit, live, blocked, now, situation)
                self._thread = threading.Thread(target=self._find, args=arguments, name="judging", daemon=True)
                self._thread.start()
            last = self._last
        if last is None or (last.commit, last.situation) != (commit, situation):
            return None
        if last.trouble is not None:
            if not self._in_background or time.monotonic() >= self._again:
                self._last = None  # it is tried again
            raise last.trouble
        return last

    def findings(
        self, judgement: CommitJudgement, live: Live, blocked: Mapping[CommitId, str], now: datetime
    ) -> CommitFindings:
        """Return all that there is to say of a commit *now*, with what changes from one moment to the next."""
        if has_errors(judgement.problems) or judgement.commit in blocked:
            return CommitFindings(judgement.problems, ())
        with self._site.open_config() as repository:
            self._snapshots.keep(live.snapshot)
            candidate = Candidate(
                self._site, self._snapshots, repository, judgement.commit, live.deployment, blocked, now
            )
            momentary = objections(candidate, MOMENTARY)
        return CommitFindings(judgement.problems, in_order((*judgement.objections, *momentary)))

    def _find(
        self, commit: CommitId, live: Live, blocked: Mapping[CommitId, str], now: datetime, situation: object
    ) -> None:
        self._again = time.monotonic() + _RETRY_SECONDS
        try:
            problems = self._verdicts.of(commit)
            found: tuple[Objection, ...] = ()
            with self._site.open_config() as repository:
                signed = _signatures(repository, commit, live, now)
                if not has_errors(problems) and commit not in blocked:
                    self._snapshots.keep(live.snapshot)
                    candidate = Candidate(
                        self._site, self._snapshots, repository, commit, live.deployment, blocked, now
                    )
                    found = objections(candidate, LASTING)
            self._last = CommitJudgement(commit, live.deployment.id, situation, problems, found, signed)
        except GitupdError as error:
            self._last = CommitJudgement(commit, live.deployment.id, situation, trouble=error)
        except Exception as error:
            log.exception("a commit can't be judged", commit=commit)
            trouble = SiteError(f"commit {commit[:12]} can't be judged: {type(error).__name__}: {error}")
            self._last = CommitJudgement(commit, live.deployment.id, situation, trouble=trouble)


def _signatures(repository: ConfigRepository, commit: CommitId, live: Live, now: datetime) -> Mapping[CommitId, str]:
    """Return in words by whom *commit*, and what comes with it, is signed, as far as there is anything to be said."""
    base = live.deployment.commit
    try:
        commits = repository.between(base if repository.has(base) else None, commit, MOST_TOGETHER)
    except UnreadableRepository:
        return {}  # a history that is cut off, or damaged
    found = signatures(repository, commits, live.snapshot, now)
    return {each: sentence(verdict) for each, verdict in found.items()}
