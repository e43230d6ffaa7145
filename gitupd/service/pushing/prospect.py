"""What becomes of what was pushed to a site, in a sentence for whoever has pushed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from gitupd.errors import GitupdError
from gitupd.service.deployments.live import live_now
from gitupd.service.deployments.verdicts import Verdicts
from gitupd.service.deployments.waiting import waiting
from gitupd.service.site import CONFIG, DATABASE, Site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitupd.core.deployments.pushed import PushedRef
    from gitupd.service.deployments.waiting import Waiting


def prospect(repository: Path, refs: Sequence[PushedRef]) -> str | None:
    """Return what becomes of *refs*, pushed to *repository*; None if that is no site's, or nothing is to be said."""
    place = repository.parent
    if repository.name != CONFIG or not ((place / DATABASE).exists() or (place / "gitupd.toml").exists()):
        return None
    try:
        site = Site(place)
        try:
            head = waiting(site, live_now(site), Verdicts(site))
        finally:
            site.close()
    except GitupdError as error:
        return f"what becomes of it can't be told: {error}"
    if head is None or head.branch not in {ref.branch for ref in refs}:
        return None
    return f"{head.branch} {head.commit.id[:12]} {_sentence(head)}"


def _sentence(head: Waiting) -> str:
    deploy = f"gitupd deploy {head.commit.id[:12]}"
    match head.obstacle:
        case "errors":
            return "has errors, and can't be deployed"
        case "blocked":
            return f"is blocked since it was rolled back; to lift that: gitupd unblock {head.commit.id[:12]}"
        case "taken back":
            return f"was deployed before, and somebody took it back; to deploy it again: {deploy}"
        case "by hand":
            return f"waits for somebody to deploy it: {deploy}"
        case "doubtful":
            return f"is not deployed by itself: {head.objections[0]}; to deploy it: {deploy} --force --reason WHY"
        case "grace":
            return f"is deployed by itself {head.grace} s after it arrived, while the server runs"
        case _:
            assert_never(head.obstacle)
