"""Deploying a commit, and going back to another one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitupd.config.sealed import ENDING as SEALED
from gitupd.core.deployments.objection import Doubtful, Gate, Objection, in_order
from gitupd.core.people.audit import Event, Kind
from gitupd.core.secrets.sealed import Unopened
from gitupd.core.standing import Yardstick
from gitupd.errors import GitupdError, InvalidConfiguration, Problem, SiteError, has_errors
from gitupd.service.deployments.concerns import concerns
from gitupd.service.deployments.examining import examined
from gitupd.service.deployments.gates.brake import PATIENCE
from gitupd.service.deployments.gates.candidate import Candidate
from gitupd.service.deployments.objections import MOMENTARY, left_out, objections
from gitupd.service.deployments.seeing import arriving
from gitupd.service.deployments.signing_keys import signers_that_go
from gitupd.service.deployments.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.deployments.record import CommitArrival
    from gitupd.core.secrets.sealed import Opener
    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.judging import CommitJudgement
    from gitupd.service.site import Site
    from gitupd.store.git.repository import ConfigRepository

_MOST_TOLD = 5
_UNKNOWN_BRANCH = ""


@dataclass(frozen=True, slots=True)
class _FoundBefore:
    """What was found of a commit already, None if nothing was, and for how many seconds somebody waits for the rest."""

    judgement: CommitJudgement | None = None
    patience: float = 0.0


def deploy(
    site: Site,
    revision: str,
    *,
    who: str,
    now: datetime,
    kind: str = "deploy",
    reason: str = "",
    force: bool = False,
    on_machine: bool = False,
    address: str | None = None,
    patience: float = PATIENCE,
    judgement: CommitJudgement | None = None,
) -> tuple[Deployment, tuple[Problem, ...]]:
    """Make the commit that *revision* names the one that is delivered; return the decision and the warnings.

    *address* is from where somebody decided that, None for this machine; *force* is to deploy it whatever objections
    there are, for a *reason*; some only if that is said *on_machine*, at the command line. A large fleet is compared
    within so many seconds of *patience*; with none, a server does that, and that it has not yet is an objection.
    *judgement* is what was found of this commit already, None to look. Raises InvalidConfiguration if the commit has
    errors, SiteError if it is blocked or deployed already, Doubtful if there are objections. Nothing is decided then.
    May be called from any thread.
    """
    event, known = Event(now, who, Kind.DEPLOY, address=address), _FoundBefore(judgement, patience)
    how = {"force": force, "on_machine": on_machine}
    return _decide(site, revision, _check_new, event, kind=kind, reason=reason, known=known, **how)


def rollback(
    site: Site, revision: str, *, who: str, now: datetime, reason: str = "", address: str | None = None
) -> tuple[Deployment, tuple[Problem, ...]]:
    """Go back to the commit that *revision* names, and block the one that it replaces; return the warnings, too.

    Raises as :func:`deploy` does; SiteError also if that commit was never deployed, or if there is no *reason* and the
    one that it replaces asks for one.
    """
    event, reason = Event(now, who, Kind.ROLLBACK, address=address), reason.strip()
    if not reason and needs_reason(site):
        raise SiteError("a rollback needs a reason here, for policies/deploy.yaml says rollback_reason: required")
    return _decide(site, revision, _check_earlier, event, kind="rollback", reason=reason)


def needs_reason(site: Site) -> bool:
    """Whether the deployed commit asks for a reason of whoever rolls back; one that can't be read asks for nothing."""
    live = site.deployments.live()
    if live is not None:
        with suppress(GitupdError):
            return Snapshots(site).of(live.commit).policy.deploy.rollback_reason == "required"
    return False


def unblock(site: Site, revision: str, *, who: str, now: datetime, address: str | None = None) -> CommitId:
    """Let the commit that *revision* names be deployed again, and return it; raises SiteError if it is not blocked."""
    with site.open_config() as repository:
        commit = repository.resolve(revision)
    if not site.deployments.unblock(commit, Event(now, who, Kind.UNBLOCK, commit, address=address)):
        raise SiteError(f"commit {commit[:12]} is not blocked")
    return commit


def keep_deployed(site: Site) -> None:
    """Have Git keep all commits that were ever deployed, by versions of gitupd that did not, too."""
    site.config.keep(site.deployments.commits())


def needed_recipients(site: Site) -> tuple[str, ...]:
    """Return the recipients of those keys of *site* that open what is encrypted in the deployed commit."""
    live = site.deployments.live()
    if live is None:
        return ()
    with site.open_config() as repository:
        files = repository.files(live.commit)
    sealed = [content for path, content in files.items() if path.endswith(SEALED)]
    return tuple(each for each in site.secrets_key.recipients() if _opens_any(site.secrets_key.opening(each), sealed))


def _opens_any(opener: Opener, contents: Sequence[bytes]) -> bool:
    for content in contents:
        with suppress(Unopened):
            opener(content)
            return True
    return False


def _decide(
    site: Site,
    revision: str,
    check: Callable[[Site, CommitId, Deployment | None], None],
    event: Event,
    *,
    kind: str,
    reason: str,
    force: bool = False,
    on_machine: bool = False,
    known: _FoundBefore = _FoundBefore(),
) -> tuple[Deployment, tuple[Problem, ...]]:
    """Deploy what *revision* names unless *check*, which is given what is live, raises; return the warnings, too.

    To go back to what was deployed before, nobody objects.
    """
    with site.open_config() as repository:
        commit = repository.resolve(revision)
        live = site.deployments.live()
        check(site, commit, live)
        files = repository.files(commit)
        snapshot, problems = examined(files, event.at, commit, site.secrets_key.opener())
        if has_errors(problems):
            raise InvalidConfiguration(problems)
        doubts: tuple[Objection, ...] = ()
        lost: tuple[Problem, ...] = ()
        if live is not None and kind != "rollback":
            lost = left_out(repository, commit, live.commit)
            lost += signers_that_go(repository, commit, files, live.commit, event.at)
            blocked, patience = site.deployments.blocked(), known.patience
            by = "" if kind == "automatic" else event.who
            candidate = Candidate(site, Snapshots(site), repository, commit, live, blocked, event.at, patience, by)
            doubts = _objections(candidate, known.judgement)
        _overrule(commit, doubts, reason, force=force, on_machine=on_machine)
        arrivals = _concerned(site, repository, commit, live, kind)
        repository.keep([commit])
    site.archive.save(commit, files)
    worries = (*lost, *concerns(site, snapshot, {each.subject for each in doubts}))
    detail = "; although ".join((_detail(live, reason), *(each.text for each in doubts), *_told(worries)))
    decided = replace(event, subject=commit, detail=detail)
    deployment = site.deployments.add(
        commit,
        decided,
        kind=kind,
        reason=reason,
        after=live.id if live else 0,
        block_replaced=kind == "rollback",
        yardstick=Yardstick.of(snapshot.policy, commit, event.at),
        commits=arrivals,
        although_frozen=kind == "rollback" or any(each.gate is Gate.FREEZE for each in doubts),
    )
    return deployment, (*problems, *worries)


def _objections(candidate: Candidate, judgement: CommitJudgement | None) -> tuple[Objection, ...]:
    """Return what speaks against *candidate*; all of it that lasts is in *judgement*, None to look."""
    if judgement is None:
        return objections(candidate)
    if (judgement.commit, judgement.live) != (candidate.commit, candidate.live.id):
        raise SiteError("another deployment came in between")
    return in_order((*judgement.objections, *objections(candidate, MOMENTARY)))


def _concerned(
    site: Site, repository: ConfigRepository, commit: CommitId, live: Deployment | None, kind: str
) -> list[CommitArrival]:
    """Return what comes with *commit* in the place of what is *live*, and it; or what goes with a rollback to it."""
    branch, replaced = _UNKNOWN_BRANCH, live.commit if live else None
    if kind != "rollback":
        return arriving(site, repository, commit, replaced, branch)
    back = arriving(site, repository, replaced, commit, branch) if replaced and repository.has(replaced) else []
    return [*back, *arriving(site, repository, commit, commit, branch)]


def _check_new(site: Site, commit: CommitId, live: Deployment | None) -> None:
    """Raise SiteError if *commit* can't be deployed in the place of *live*."""
    blocked = site.deployments.blocked()
    if commit in blocked:
        raise SiteError(
            f"commit {commit[:12]} is blocked since it was rolled back ({blocked[commit] or 'no reason given'});"
            f" lift that with: gitupd unblock {commit[:12]}"
        )
    if live is not None and live.commit == commit:
        raise SiteError(f"commit {commit[:12]} is deployed already")


def _check_earlier(site: Site, commit: CommitId, live: Deployment | None) -> None:
    """Raise SiteError if *live* can't be rolled back to *commit*."""
    if live is not None and live.commit == commit:
        raise SiteError(f"commit {commit[:12]} is the one that is deployed")
    if not site.deployments.was_deployed(commit):
        raise SiteError(f"commit {commit[:12]} was never deployed; to deploy it: gitupd deploy {commit[:12]}")


def _overrule(commit: CommitId, doubts: tuple[Objection, ...], reason: str, *, force: bool, on_machine: bool) -> None:
    """Raise Doubtful if there are *doubts*, unless they are to be overruled for a *reason*.

    *on_machine* is whether somebody says so who works on the server itself.
    """
    overruled = [each.gate.is_overruled or (on_machine and each.gate.is_overruled_on_machine) for each in doubts]
    left = [each for each, may in zip(doubts, overruled, strict=True) if not (may and force and reason)]
    if left and all(overruled):
        raise Doubtful(left, f"to deploy it all the same: gitupd deploy {commit[:12]} --force --reason WHY")
    if left:
        raise Doubtful(left)


def _detail(live: Deployment | None, reason: str) -> str:
    """Return what the audit says of a deployment in the place of *live*, and why, if somebody said so."""
    replaced = f"instead of {live.commit[:12]}" if live else "the first one"
    return f"{replaced}: {reason}" if reason else replaced


def _told(worries: Sequence[Problem]) -> list[str]:
    """Return what the audit says of *worries*; of many that there are more."""
    told = [f"{worry.path}: {worry.message}" for worry in worries[:_MOST_TOLD]]
    return [*told, f"{len(worries) - _MOST_TOLD} more"] if len(worries) > _MOST_TOLD else told
