"""Devices for which a deployment changes nothing: they run it at once, and need not call to say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.actions import Confirmed
from gitupd.errors import MalformedRequest
from gitupd.service.imagining import Imagining

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.device import Device
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site


def carry_over(site: Site, live: Live, now: datetime, since: datetime | None = None) -> int:
    """Let devices that ran the commit before run the one of *live*, if the same poll would tell them nothing new.

    They do so since the deployment. Return how many. Only those are looked at that called *since* then, None for all.
    Where lines are computed, or CHECK is not used, nobody is carried over.
    """
    before = live.deployment.replaced
    if before is None or live.snapshot.scripting is not None or not live.snapshot.policy.delivery.check:
        return 0
    imagining = Imagining(live, now)
    same = [device.serial for device in site.inventory.running(before, since) if _has_executed(imagining, device)]
    return site.inventory.carry_over(same, before, live.deployment.commit, live.deployment.at)


def _has_executed(imagining: Imagining, device: Device) -> bool:
    if device.request is None:
        return False
    try:
        poll = imagining.again(device.request, device)
    except MalformedRequest:
        return False  # it was taken by an earlier version
    return any(isinstance(action, Confirmed) for action in poll.actions)
