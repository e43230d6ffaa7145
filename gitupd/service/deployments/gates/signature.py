"""Whether all that is new is signed by those who may, where the deployed commit asks for that."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from gitupd.config.signers import read_signers
from gitupd.core.deployments.objection import Gate, Objection
from gitupd.core.deployments.signature import SignatureVerdict, refusals
from gitupd.errors import GitupdError
from gitupd.store.signatures.commits import CommitJudge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.signers import CommitSigners
    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.gates.candidate import Candidate
    from gitupd.store.git.repository import ConfigRepository

MOST_BETWEEN = 20_000
"""So many commits are looked at; more of them are not deployed at once."""
_CURE = "have it signed and pushed again, or an administrator deploys it on the server's command line with --force"
_KEPT = 8


def by_signature(candidate: Candidate) -> Iterator[Objection]:
    """Yield which commits that are new are not signed as the deployed commit asks for; nothing if it does not.

    What was deployed before needs no signature to be gone back to.
    """
    live = candidate.live.commit
    if candidate.site.deployments.was_deployed(candidate.commit):
        return
    demanded = _demanded(candidate)
    if demanded is None:
        text = f"whether commits have to be signed can't be told, for the deployed commit {live[:12]} can't be read"
        yield Objection(Gate.SIGNATURE, text, _CURE)
    elif demanded:
        signers = read_signers(candidate.live_files)
        yield from unsigned(candidate.repository, live, candidate.commit, signers, candidate.now)


def _demanded(candidate: Candidate) -> bool | None:
    """Whether the deployed commit asks for signatures, None if that can't be told."""
    try:
        return candidate.live_policy.require_signatures
    except GitupdError:
        return None


def unsigned(
    repository: ConfigRepository, base: CommitId, head: CommitId, signers: CommitSigners, now: datetime
) -> Iterator[Objection]:
    """Yield which commits that *head* comes with and *base* does not are not signed by *signers*.

    Raises UnreadableRepository.
    """
    if not repository.has(base):
        text = f"what is new can't be told, for the deployed commit {base[:12]} is not in the repository"
        yield Objection(Gate.SIGNATURE, text, _CURE)
        return
    refused = list(unsigned_commits(repository, base, head, signers, now))
    for text, commit in refused:
        yield Objection(Gate.SIGNATURE, text, _CURE if (text, commit) == refused[-1] else "", commit)
    if repository.between(head, base, 1):
        # Whoever can push, and has no key, could have devices get what was signed once for another purpose.
        text = f"it takes back what is deployed, for it does not build on commit {base[:12]}, and nobody signs for that"
        yield Objection(Gate.SIGNATURE, text, f"merge that: git merge {base[:12]}; or go back by gitupd rollback")


def unsigned_commits(
    repository: ConfigRepository, base: CommitId, head: CommitId, signers: CommitSigners, now: datetime
) -> Iterator[tuple[str, CommitId]]:
    """Yield what is wrong with signatures of commits that *head* comes with and *base* does not, and of which one."""
    new = repository.between(base, head, MOST_BETWEEN + 1)
    if len(new) > MOST_BETWEEN:
        yield f"it comes with more than {MOST_BETWEEN:,} commits, whose signatures are not all looked at", head
    else:
        yield from refusals(verdicts(repository, new, signers, now))


def verdicts(
    repository: ConfigRepository, commits: Iterable[CommitInfo], signers: CommitSigners, now: datetime
) -> list[tuple[CommitInfo, SignatureVerdict]]:
    """Return *commits* with what their signatures are worth by *signers*; raises UnreadableRepository."""
    judge = _JUDGES.of(signers)
    return [(commit, judge.verdict(commit, repository.content, now)) for commit in commits]


class _Judges:
    """A judge for each set of signers that was asked for lately: a verdict on a commit never changes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, CommitJudge] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, signers: CommitSigners) -> CommitJudge:
        with self._lock:
            judge = self._kept.pop(signers.digest, None) or CommitJudge(signers)
            self._kept[signers.digest] = judge
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return judge


_JUDGES = _Judges()
