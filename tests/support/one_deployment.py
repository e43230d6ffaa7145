"""What a keeper does to deploy what is new elsewhere, from the fetch to the announcement, in one thread."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from gitupd.service.clock import now
from gitupd.service.deployments.automatic import Automatic
from gitupd.service.deployments.live import Follower
from gitupd.service.site import Site
from gitupd.service.upstream.announcing import Announcing
from gitupd.service.upstream.fetching import Fetching
from gitupd.store.ages import Ages


def deploy_what_is_new(place: Path, *, after_a_minute: bool = False) -> None:
    """Do it once for the site at *place*, as a keeper does that has just started, or has run for a minute."""
    with closing(Site(place)) as site:
        if after_a_minute:
            present = [0.0]
            ages = Ages(lambda: present[0])
            site.config.sweep_locks(ages)
            present[0] = 60.0
            site.config.sweep_locks(ages)
        follower = Follower(site)
        follower.follow()
        automatic, announcing = Automatic(site, now, follower), Announcing(site, follower, now, calm=0)
        Fetching(site, now).fetch(follower.live)
        announcing.look()
        automatic.step()
        follower.follow()
        automatic.step()
        announcing.look()


def main() -> None:
    """Do it for the site in the present folder."""
    deploy_what_is_new(Path.cwd())
