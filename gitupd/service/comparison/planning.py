"""Making the plan of two commits for the devices of a site, as they are now."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd import __version__
from gitupd.config.intake import concerns_devices
from gitupd.core.admission.admittance import OUTSIDE
from gitupd.core.concealing import Veil, sealed_in
from gitupd.core.deployments.reach import Reach
from gitupd.core.situation import Basis
from gitupd.core.standing import Yardstick
from gitupd.errors import UnreadableRepository
from gitupd.service.comparison.comparing import Comparing
from gitupd.service.comparison.fleets import fleet_of_site
from gitupd.service.deployments.live import known_builds
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.imagining import Imagining
from gitupd.service.scripting.computing import Computing
from gitupd.store.comparison.fleet import fleet_digest
from gitupd.store.git.history import Bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.comparison.grouping import FleetComparison
    from gitupd.core.device import Device
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.service.comparison.fleets import ComparedFleet
    from gitupd.service.site import Site

_FORMAT = 2
_MOST_FILES = 100_000
_TOLD_EVERY = 200
_ANYTHING = "?"  # no path of a snippet, so everybody may be concerned
_NOT_RUN = "lines computed by scripting.py are left out, for that code was never deployed"


@dataclass(frozen=True, slots=True)
class FleetState:
    """The devices of a site at one moment: ``mark`` is the same for as long as no plan changes for their sake.

    Devices last seen before ``present_since`` are missing, None if none ever is.
    """

    mark: str
    present_since: datetime | None

    def is_active(self, device: Device) -> bool:
        """Whether *device* is let in, and has polled here lately; of one that never has, nobody knows what it gets."""
        seen = device.last_seen if device.request is not None else None
        present = seen is not None and (self.present_since is None or seen >= self.present_since)
        return present and device.admission not in OUTSIDE


class Planning:
    """Makes plans for one site, for one thread; what a commit says is kept for the next plan."""

    def __init__(self, site: Site) -> None:
        """Make plans for *site*."""
        self._site, self._snapshots = site, Snapshots(site)

    def state(self, now: datetime) -> FleetState:
        """Return how the fleet is *now*; raises GitupdError if that can't be looked up."""
        site = self._site
        deployment = site.deployments.live()
        since = None
        if deployment is not None:
            policy = self._snapshots.of(deployment.commit).policy
            since = Yardstick.of(policy, deployment.commit, now).present_since
        firmware = [(file.build, file.name) for file in site.firmware.files()]
        builds = sorted((each.url, each.firmware, each.bootcode) for each in site.masters.answers().values())
        besides = (_FORMAT, __version__, firmware, builds, site.secrets_key.mark, site.settings.scripting)
        fleet = fleet_digest(site.database, since)
        return FleetState(hashlib.sha256(repr((besides, fleet)).encode()).hexdigest(), since)

    def plan(
        self,
        base: CommitId,
        head: CommitId,
        state: FleetState,
        now: datetime,
        report: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> FleetComparison:
        """Return what *head* changes for the devices of the site; what is encrypted in the commits is hidden.

        *report* is told how many devices were compared, and of about how many. Raises InvalidConfiguration if one of
        the commits has errors, UnreadableRepository if it can't be read.
        """
        before, after = self._snapshots.of(base), self._snapshots.of(head)
        fleet = fleet_of_site(self._site, before, after)
        code = [each.scripting for each in (before, after) if self._may_run(each)]
        with self._side(before, fleet, code, now) as one, self._side(after, fleet, code, now) as other:
            comparing = Comparing(
                *(one, other, Reach(before, after, self._changed(base, head))),
                hide=Veil(lifted=True, sealed=sealed_in((before, after))).line,
                firmware=lambda build, name: self._site.firmware.find(build, name) is not None,
            )
            left_out = any(side.computing is None and side.basis.snapshot.scripting for side in (one, other))
            remarks = (*fleet.remarks, *((_NOT_RUN,) if left_out else ()))
            devices = _reporting(fleet.devices, fleet.count, report)
            return comparing.compare(devices, remarks=remarks, is_active=state.is_active)

    @contextmanager
    def _side(
        self, snapshot: Snapshot, fleet: ComparedFleet, code: Sequence[bytes | None], now: datetime
    ) -> Iterator[Imagining]:
        """Imagine polls of one commit, with a process for its own code, if that is among the *code* that may be run."""
        basis = Basis(snapshot, known_builds(self._site, snapshot), decisions=fleet.decisions)
        if snapshot.scripting is None or snapshot.scripting not in code:
            yield Imagining(basis, now)
            return
        computing = Computing(self._site.settings, self._site)
        try:
            yield Imagining(basis, now, computing)
        finally:
            computing.stop()

    def _may_run(self, snapshot: Snapshot) -> bool:
        """Whether code of *snapshot* may be run: somebody has deployed it, or the server runs none and says so."""
        return not self._site.settings.scripting or self._site.deployments.was_deployed(snapshot.commit)

    def _changed(self, base: CommitId, head: CommitId) -> Iterable[str]:
        """Return the files that differ, and on which it depends what devices get; where nobody knows, something does.

        A commit that was deployed may be gone from the repository.
        """
        try:
            with self._site.open_config() as repository:
                changes = repository.changes(base, head, _MOST_FILES + 1, Bounds(0, 0))
        except UnreadableRepository:
            return (_ANYTHING,)
        if len(changes) > _MOST_FILES:
            return (_ANYTHING,)
        return [change.path for change in changes if concerns_devices(change.path)]


def _reporting(devices: Iterable[Device], about: int, report: Callable[[int, int], None]) -> Iterator[Device]:
    """Yield *devices*, of which there are *about* so many, and *report* now and then how far it is."""
    for done, device in enumerate(devices):
        if done % _TOLD_EVERY == 0:
            report(done, max(about, done))
        yield device
