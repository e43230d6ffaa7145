"""Deploying a commit, and going back to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.loader import examine, load
from gitupd.errors import InvalidConfiguration, Problem, Severity, SiteError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site
    from gitupd.store.deployments import Deployment


def deploy(
    site: Site, revision: str, *, who: str, now: datetime, kind: str = "deploy"
) -> tuple[Deployment, tuple[Problem, ...]]:
    """Make the commit that *revision* names the one that is delivered; return the decision and the warnings.

    Raises InvalidConfiguration if the commit has errors, SiteError if it is blocked or deployed already. Nothing is
    decided then.
    """
    commit = site.config.resolve(revision)
    blocked = site.deployments.blocked()
    if commit in blocked:
        raise SiteError(
            f"commit {commit[:12]} is blocked since it was rolled back ({blocked[commit] or 'no reason given'});"
            f" lift that with: gitupd unblock {commit[:12]}"
        )
    live = site.deployments.live()
    if live is not None and live.commit == commit:
        raise SiteError(f"commit {commit[:12]} is deployed already")
    warnings = _accept(site, commit, site.config.files(commit))
    after = live.id if live else 0
    return site.deployments.add(commit, at=now, who=who, kind=kind, after=after), warnings


def rollback(site: Site, revision: str, *, who: str, now: datetime, reason: str = "") -> Deployment:
    """Go back to the commit that *revision* names, and block the one that it replaces.

    Raises as :func:`deploy` does; SiteError also if that commit was never deployed.
    """
    commit = site.config.resolve(revision)
    live = site.deployments.live()
    if live is not None and live.commit == commit:
        raise SiteError(f"commit {commit[:12]} is the one that is deployed")
    if not site.deployments.was_deployed(commit):
        raise SiteError(f"commit {commit[:12]} was never deployed; to deploy it: gitupd deploy {commit[:12]}")
    _accept(site, commit, site.config.files(commit))
    after = live.id if live else 0
    return site.deployments.add(
        commit, at=now, who=who, kind="rollback", reason=reason, after=after, block_replaced=True
    )


def _accept(site: Site, commit: CommitId, files: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Return the warnings on *files*; raises InvalidConfiguration if there is an error."""
    problems = examine(files)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise InvalidConfiguration(problems)
    load(files, commit)
    site.archive.save(commit, files)
    return problems
