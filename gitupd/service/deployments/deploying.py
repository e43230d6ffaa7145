"""Deploying a commit, and going back to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.loader import examine, load
from gitupd.core.audit import Event, Kind
from gitupd.errors import InvalidConfiguration, Problem, Severity, SiteError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site


def deploy(
    site: Site,
    revision: str,
    *,
    who: str,
    now: datetime,
    kind: str = "deploy",
    reason: str = "",
    address: str | None = None,
) -> tuple[Deployment, tuple[Problem, ...]]:
    """Make the commit that *revision* names the one that is delivered; return the decision and the warnings.

    *address* is from where somebody decided that, None for this machine. Raises InvalidConfiguration if the commit has
    errors, SiteError if it is blocked or deployed already. Nothing is decided then. May be called from any thread.
    """
    with site.open_config() as repository:
        commit = repository.resolve(revision)
        blocked = site.deployments.blocked()
        if commit in blocked:
            raise SiteError(
                f"commit {commit[:12]} is blocked since it was rolled back ({blocked[commit] or 'no reason given'});"
                f" lift that with: gitupd unblock {commit[:12]}"
            )
        live = site.deployments.live()
        if live is not None and live.commit == commit:
            raise SiteError(f"commit {commit[:12]} is deployed already")
        warnings = _accept(site, commit, repository.files(commit))
    after = live.id if live else 0
    event = Event(now, who, Kind.DEPLOY, commit, _detail(live, reason), address)
    return site.deployments.add(commit, event, kind=kind, reason=reason, after=after), warnings


def rollback(
    site: Site, revision: str, *, who: str, now: datetime, reason: str = "", address: str | None = None
) -> Deployment:
    """Go back to the commit that *revision* names, and block the one that it replaces.

    Raises as :func:`deploy` does; SiteError also if that commit was never deployed.
    """
    with site.open_config() as repository:
        commit = repository.resolve(revision)
        live = site.deployments.live()
        if live is not None and live.commit == commit:
            raise SiteError(f"commit {commit[:12]} is the one that is deployed")
        if not site.deployments.was_deployed(commit):
            raise SiteError(f"commit {commit[:12]} was never deployed; to deploy it: gitupd deploy {commit[:12]}")
        _accept(site, commit, repository.files(commit))
    after = live.id if live else 0
    event = Event(now, who, Kind.ROLLBACK, commit, _detail(live, reason), address)
    return site.deployments.add(commit, event, kind="rollback", reason=reason, after=after, block_replaced=True)


def unblock(site: Site, revision: str, *, who: str, now: datetime, address: str | None = None) -> CommitId:
    """Let the commit that *revision* names be deployed again, and return it; raises SiteError if it is not blocked."""
    with site.open_config() as repository:
        commit = repository.resolve(revision)
    if not site.deployments.unblock(commit, Event(now, who, Kind.UNBLOCK, commit, address=address)):
        raise SiteError(f"commit {commit[:12]} is not blocked")
    return commit


def _detail(live: Deployment | None, reason: str) -> str:
    """Return what the audit says of a deployment in the place of *live*, and why, if somebody said so."""
    replaced = f"instead of {live.commit[:12]}" if live else "the first one"
    return f"{replaced}: {reason}" if reason else replaced


def _accept(site: Site, commit: CommitId, files: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Return the warnings on *files*; raises InvalidConfiguration if there is an error."""
    problems = examine(files)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise InvalidConfiguration(problems)
    load(files, commit)
    site.archive.save(commit, files)
    return problems
