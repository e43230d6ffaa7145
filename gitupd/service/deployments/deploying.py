"""Deploying a commit, and going back to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.loader import examine, load
from gitupd.core.audit import Kind
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
    deployment = site.deployments.add(commit, at=now, who=who, kind=kind, reason=reason, after=after)
    site.audit.add(now, who, Kind.DEPLOY, commit, _detail(deployment), address=address)
    return deployment, warnings


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
    deployment = site.deployments.add(
        commit, at=now, who=who, kind="rollback", reason=reason, after=after, block_replaced=True
    )
    site.audit.add(now, who, Kind.ROLLBACK, commit, _detail(deployment), address=address)
    return deployment


def unblock(site: Site, revision: str, *, who: str, now: datetime, address: str | None = None) -> CommitId:
    """Let the commit that *revision* names be deployed again, and return it; raises SiteError if it is not blocked."""
    with site.open_config() as repository:
        commit = repository.resolve(revision)
    if commit not in site.deployments.blocked():
        raise SiteError(f"commit {commit[:12]} is not blocked")
    site.deployments.unblock(commit)
    site.audit.add(now, who, Kind.UNBLOCK, commit, address=address)
    return commit


def _detail(deployment: Deployment) -> str:
    """Return what the audit says of *deployment*: what it replaced, and why, if somebody said so."""
    replaced = f"instead of {deployment.replaced[:12]}" if deployment.replaced else "the first one"
    return f"{replaced}: {deployment.reason}" if deployment.reason else replaced


def _accept(site: Site, commit: CommitId, files: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Return the warnings on *files*; raises InvalidConfiguration if there is an error."""
    problems = examine(files)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise InvalidConfiguration(problems)
    load(files, commit)
    site.archive.save(commit, files)
    return problems
