"""The page of one deployment: who, when, why, what it changed, and how far it has come or came."""

from __future__ import annotations

from flask import abort, render_template

from gitupd.core.deployments.convergence import Holding
from gitupd.service.deployments.changed import changed_files
from gitupd.web.context import served
from gitupd.web.pages.deployments.reaching import reached, segments, times, unfinished
from gitupd.web.revisions import describe

_LARGEST = 2**31 - 1


def show(number: int) -> str:
    """Show the deployment of this *number*."""
    store, measures = served().site.deployments, served().measures()
    deployment = store.made(number) if number <= _LARGEST else None
    if deployment is None:
        abort(404)
    convergence, live = measures.one(deployment), store.live()
    commits = describe(deployment.commit, *filter(None, (deployment.replaced,)))
    is_live = live is not None and live.id == deployment.id
    blocked = store.blocked()
    return render_template(
        "deployments/one.html",
        deployment=deployment,
        info=commits.get(deployment.commit),
        before=deployment.replaced and commits.get(deployment.replaced),
        is_live=is_live,
        blocked=blocked.get(deployment.commit),
        may_return=not is_live and live is not None and live.commit != deployment.commit and bool(commits),
        changed=changed_files(served().site, [deployment])[deployment.id],
        holding=measures.holding().get(deployment.commit, Holding()),
        convergence=convergence,
        segments=segments(convergence) if convergence else [],
        reached=reached(convergence) if convergence else [],
        times=times(convergence) if convergence else "",
        pace=measures.pace(convergence),
        unfinished=convergence and unfinished(convergence, deployment.commit),
        earlier=store.made(number - 1),
        later=store.made(number + 1) if number < _LARGEST else None,
    )
