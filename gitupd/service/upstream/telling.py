"""What there is to tell of the repository that a site follows: as facts, in a sentence, and what to worry about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gitupd.service.facts import plain
from gitupd.service.upstream.fetching import standing

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.upstream.standing import UpstreamStanding
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_MISSED = 3


def followed(site: Site, live: Live | None) -> UpstreamStanding | None:
    """Return how it stands with the repository that *site* follows, None if it follows none."""
    return None if site.settings.upstream.address is None else standing(site, live)


def upstream_facts(stands: UpstreamStanding) -> dict[str, Any]:
    """Return the same as values of JSON; ``state`` is one of new, failing, refused and following."""
    names = ("url", "branch", "head", "failures", "error", "refused", "refusal", "accepted")
    times = ("asked_at", "fetched_at", "failing_since", "refused_at")
    facts = {name: getattr(stands, name) for name in names}
    return {"state": state(stands), **facts, **{name: plain(getattr(stands, name)) for name in times}}


def state(stands: UpstreamStanding) -> str:
    """Return in one word how it stands."""
    if stands.failures:
        return "failing"
    if stands.refusal:
        return "refused"
    return "following" if stands.fetched_at is not None else "new"


def upstream_concerns(site: Site, live: Live | None, now: datetime) -> list[str]:
    """Return what somebody should look at: that it can't be fetched, is not followed, or nobody asks any more."""
    stands = followed(site, live)
    if stands is None:
        return []
    if stands.trouble is not None:
        head = stands.refused if stands.refusal and not stands.failures else None
        cure = f"; to follow it all the same: gitupd fetch --accept {head[:12]} --reason WHY" if head else ""
        return [f"{stands.trouble}{cure}"]
    every = timedelta(seconds=_MISSED * site.settings.upstream.every + site.settings.upstream.seconds)
    if stands.asked_at is not None and now - stands.asked_at > every:
        return [f"{stands.url} was last asked at {plain(stands.asked_at)}: does the server run?"]
    return []
