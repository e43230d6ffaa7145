"""Whether somebody else than who made a commit has approved it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.deployments.authorship import has_made
from gitupd.core.deployments.objection import Gate, Objection
from gitupd.core.deployments.record import Makers
from gitupd.core.deployments.signature import SignedBy
from gitupd.errors import UnreadableRepository
from gitupd.service.deployments.gates.signature import verdicts
from gitupd.service.pushing.pushers import pushers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.core.deployments.signers import CommitSigners
    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.gates.candidate import Candidate
    from gitupd.service.site import Site
    from gitupd.store.git.repository import ConfigRepository

_MOST_COMMITS = 1_000


def by_approval(candidate: Candidate) -> Iterator[Objection]:
    """Yield that nobody has approved *candidate* who may; whoever deploys it by hand does so by that."""
    if candidate.rule.approval != "second-person":
        return
    commit, words = candidate.commit, [approval.who for approval in candidate.site.approvals.of(candidate.commit)]
    words += [candidate.who] if candidate.who else []
    made_by = makers_of(candidate) if words else []
    if all(has_made(who, made_by) for who in words):
        own = f", and {candidate.who} has made or pushed part of it" if candidate.who else ""
        cure = f"somebody else approves it: gitupd approve {commit[:12]}"
        yield Objection(Gate.APPROVAL, f"it waits for the approval of a second person{own}", cure)


def makers_of(candidate: Candidate) -> list[Makers]:
    """Return who has made, signed or pushed *candidate*, and all that comes with it."""
    where, live = (candidate.site, candidate.repository), candidate.live.commit
    return makers(*where, candidate.commit, live, signers=candidate.signers, now=candidate.now)


def makers(
    site: Site,
    repository: ConfigRepository,
    commit: CommitId,
    live: CommitId | None,
    *,
    signers: CommitSigners,
    now: datetime,
) -> list[Makers]:
    """Return who has made or pushed *commit*, and all that comes with it in the place of what is *live*.

    Whoever of *signers* has signed it has made it, whatever it says of its author. Raises UnreadableRepository.
    """
    try:
        infos = repository.between(live, commit, _MOST_COMMITS) if live is None or repository.has(live) else []
    except UnreadableRepository:
        infos = []
    infos = [*infos, repository.describe(commit)]
    records = site.commits.some([info.id for info in infos])
    seen = [record.arrival.makers for record in records.values()]
    pushed_by = pushers(site.path)
    said = [Makers(info.author, info.committer, who) for info in infos for who in pushed_by.get(info.id, ("",))]
    judged = () if signers.is_empty else verdicts(repository, infos, signers, now)
    signed = [_called(verdict.name) for _, verdict in judged if isinstance(verdict, SignedBy)]
    return [*said, *seen, *signed]


def _called(signer: str) -> Makers:
    """Return who is called *signer*, which is an address with or without a name, or a name."""
    return Makers(author=signer if "<" in signer else f"{signer} <{signer}>")
