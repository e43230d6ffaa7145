"""What a page or an answer of the API is made from: the site, what is delivered now, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from flask import Flask

    from gitupd.service.health import Health
    from gitupd.service.live import Follower, Live
    from gitupd.service.site import Site

_SERVED = "GITUPD_SERVED"


@dataclass(frozen=True, slots=True)
class Served:
    """The parts of a worker that pages need; ``follower`` knows what is delivered, ``health`` what is wrong."""

    site: Site
    follower: Follower
    health: Health

    @property
    def live(self) -> Live | None:
        """What is delivered now, None if nothing was deployed yet; a request takes it once."""
        return self.follower.live


def serve_with(app: Flask, served: Served) -> None:
    """Have the pages of *app* made from *served*."""
    app.config[_SERVED] = served


def served() -> Served:
    """Return what the request at hand is answered from."""
    found: Served = current_app.config[_SERVED]
    return found
