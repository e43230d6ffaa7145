"""Whether what devices hold is what they are to hold: the keeper judges backups of those that have confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.backups.change import lines_of
from gitupd.core.backups.intent import Verdict
from gitupd.core.deployments.convergence import Assessment, Force
from gitupd.service.background import Recurring, Trouble, give_way
from gitupd.service.backups.drift import held_against
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.fleet import Fleet
from gitupd.service.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.site import Site

_IDLE_SECONDS = 1.0
_TROUBLED_SECONDS = 10.0
_AT_ONCE = 50
_MOST_OFF = 50
"""So many options of a device are kept that are otherwise."""
_OFF = (Verdict.DIFFERENT, Verdict.ABSENT, Verdict.PRESENT)


class Assessing:
    """Holds backups against scripts from a thread, some at a time, so that pages need not."""

    def __init__(
        self, site: Site, follower: Follower, clock: Callable[[], datetime], idle: float = _IDLE_SECONDS
    ) -> None:
        """Judge for *site* by what *follower* knows to be live, and look for more every *idle* seconds."""
        self._site, self._follower, self._now = site, follower, clock
        self._snapshots = Snapshots(site)
        self._reached: Serial | None = None
        trouble = Trouble("it can't be told whether what devices hold is in force")
        self._assessing = Recurring("assessing", idle, self._work, trouble, retry=lambda _: _TROUBLED_SECONDS)

    def start(self) -> None:
        """Start in the background."""
        self._assessing.start()

    def stop(self) -> None:
        """Finish what is under way, and stop."""
        self._assessing.stop()

    def _work(self) -> bool:
        give_way()
        return self.step()

    def step(self) -> bool:
        """Judge some of the backups that are due; return whether there may be more. Raises GitupdError."""
        live = self._follower.live
        if live is None or not live.snapshot.policy.backup.enabled:
            return False
        yardstick = Fleet(self._site, live, self._now()).yardstick
        due = self._site.convergences.due(yardstick, self._reached, _AT_ONCE)
        judged = {
            serial: (due[serial], assessment)
            for serial, assessment in self._assessed(live, due)
            if assessment is not None
        }
        self._site.convergences.keep(judged)
        # Those whose backup is on its way into the history are passed over, and come with the next round.
        has_more = len(due) == _AT_ONCE
        self._reached = max(due, key=lambda serial: serial.digits) if has_more else None
        return has_more

    def _assessed(self, live: Live, due: dict[Serial, str]) -> Iterator[tuple[Serial, Assessment | None]]:
        latest = self._site.backup_index.latest(due)
        current = {serial: each for serial, each in latest.items() if each.fingerprint == due[serial]}
        contents = self._site.backups.contents(version.blob for version in current.values())
        for serial, version in current.items():
            yield serial, self._one(live, serial, contents[version.blob])

    def _one(self, live: Live, serial: Serial, content: bytes | None) -> Assessment | None:
        """Return how a device's backup stands to its script; None if the device is gone."""
        device = self._site.inventory.device(serial)
        if device is None:
            return None
        untold = Assessment(live.deployment.commit, device.sent_at, Force.UNTOLD, ())
        if content is None or live.snapshot.scripting is not None:
            return untold
        script = Inspection(device, live, self._snapshots, self._now()).now_lines()
        if script is None or script.failure:
            return untold
        lines = (line.decode(errors="replace") for line in lines_of(content))
        stands = held_against(script, lines, live.snapshot.policy.backup.hide)
        off = stands.of(*_OFF)
        if not off and not stands.of(Verdict.MET):
            return untold
        found = Force.DRIFTED if off else Force.IN_FORCE
        named = tuple((each.module, each.option, each.verdict.value) for each in off[:_MOST_OFF])
        return Assessment(live.deployment.commit, device.sent_at, found, named)
