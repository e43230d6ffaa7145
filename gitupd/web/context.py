"""What a page or an answer of the API is made from: the site, what is delivered now, and who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import current_app, request

from gitupd.service.clock import now
from gitupd.service.deployments.convergence import Measures
from gitupd.service.fleet import Fleet
from gitupd.service.inspection import Inspection
from gitupd.web.asgi import request as asgi_request
from gitupd.web.asgi.counters import Counters

if TYPE_CHECKING:
    from flask import Flask

    from gitupd.core.device import Device
    from gitupd.core.endpoint import Endpoint
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.deployments.snapshots import Snapshots
    from gitupd.service.health import Health
    from gitupd.service.scripting.computing import Computing
    from gitupd.service.site import Site

_SERVED = "GITUPD_SERVED"


@dataclass(frozen=True, slots=True)
class Served:
    """The parts of a worker that pages need.

    ``follower`` knows what is delivered, ``health`` what is wrong, ``snapshots`` what any commit says, and
    ``computing`` runs the configuration's own code. ``counters`` are those of all processes of the server.
    """

    site: Site
    follower: Follower
    health: Health
    snapshots: Snapshots
    computing: Computing
    counters: Counters = field(default_factory=Counters)

    @property
    def live(self) -> Live | None:
        """What is delivered now, None if nothing was deployed yet; a request takes it once."""
        return self.follower.live

    def fleet(self) -> Fleet:
        """Return the fleet as it is now, held against what is delivered."""
        return Fleet(self.site, self.live, now())

    def measures(self) -> Measures:
        """Return the deployments in numbers, as they are now."""
        return Measures(self.site, self.live, now())

    def inspection(self, device: Device) -> Inspection:
        """Return *device* looked at closely, as it is now."""
        decisions = self.fleet().decisions(device.serial)
        return Inspection(device, self.live, self.snapshots, now(), self.computing, decisions=decisions)


def serve_with(app: Flask, served: Served) -> None:
    """Have the pages of *app* made from *served*."""
    app.config[_SERVED] = served


def reached() -> Endpoint:
    """Return where the request at hand has reached us, as its client sees it; Flask knows only some host names."""
    return asgi_request.reached(request.environ["asgi.scope"])


def served() -> Served:
    """Return what the request at hand is answered from."""
    parts: Served = current_app.config[_SERVED]
    return parts
