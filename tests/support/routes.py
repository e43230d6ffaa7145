"""The routes of the application for people and programs, so that no test forgets a new one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitupd.service.clock import now
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.health import Health
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Sightings
from gitupd.web.app import create_app
from gitupd.web.context import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.service.site import Site

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def routes(site: Site) -> Iterator[tuple[str, str, str]]:
    """Yield the endpoint, a method and the path of every rule, with what varies in angle brackets."""
    follower = Follower(site)
    health = Health(site, follower, Sightings(site.inventory), now())
    app = create_app(Served(site, follower, health, Snapshots(site), Computing(site.settings)))
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            yield rule.endpoint, method, _VARIABLE.sub(r"<\1>", rule.rule)


def filled(path: str, values: Mapping[str, str]) -> str:
    """Return *path* with a value for everything that varies in it; raises KeyError if there is none."""
    return _VARIABLE.sub(lambda found: values[found[1]], path)
