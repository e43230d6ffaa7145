"""Comparing what two commits have for each device of a fleet; those in the same situation are looked at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import parse_caller
from gitupd.core.comparison.consequences import lost
from gitupd.core.comparison.difference import compare
from gitupd.core.comparison.grouping import FleetComparison, Footing, Gone, Member, Skipped, grouped
from gitupd.core.comparison.rendering import Rendering
from gitupd.core.situation import identity_of
from gitupd.errors import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitupd.core.caller import Caller, Request
    from gitupd.core.comparison.consequences import FindFirmware
    from gitupd.core.comparison.difference import ScriptDifference
    from gitupd.core.deployments.reach import Reach
    from gitupd.core.device import Device
    from gitupd.core.situation import Situation
    from gitupd.service.imagining import Imagining

Lacking = tuple[Literal["phase", "environment"], str]
_MOST_REMEMBERED = 20_000
_MOST_DIFFERENCES = 1_000


@dataclass
class Comparing:
    """Compares two commits, each given as what polls are answered from; ``reach`` is what changed between them.

    ``hide`` takes secrets out of a line. ``firmware`` tells whether a file of firmware is on the server; None where
    nobody knows. Nothing is taken into account that is pending for single devices: restores, and steps of a roll-out
    of certificates.
    """

    base: Imagining
    head: Imagining
    reach: Reach
    hide: Callable[[str], str] = str
    firmware: FindFirmware | None = None
    _differences: dict[object, ScriptDifference | None] = field(default_factory=dict, init=False, repr=False)
    _known: dict[object, _Finding] = field(default_factory=dict, init=False, repr=False)

    def compare(
        self,
        fleet: Iterable[Device],
        *,
        imagined: bool = False,
        remarks: tuple[str, ...] = (),
        is_active: Callable[[Device], bool] = lambda _: True,
    ) -> FleetComparison:
        """Compare for each device of *fleet*, as it is remembered with its last poll; *is_active* tells who calls."""
        counts: Counter[str] = Counter()
        gone: Counter[tuple[Lacking, bool]] = Counter()
        differences: list[tuple[Member, ScriptDifference]] = []
        for device in fleet:
            active = is_active(device)
            counts.update(("total", "active") if active else ("total",))
            if device.request is None:
                counts["silent"] += 1
                continue
            try:
                finding = self._finding(device, device.request)
            except MalformedRequest:
                counts["malformed"] += 1
                continue
            gone.update((lacking, active) for lacking in finding.gone)
            if finding.difference is not None:
                differences.append((_member(device, finding, is_active=active), finding.difference))
        return FleetComparison(
            *(self.base.basis.snapshot.commit, self.head.basis.snapshot.commit, grouped(differences), counts["total"]),
            skipped=Skipped(counts["silent"], counts["malformed"]),
            imagined=imagined,
            remarks=remarks,
            active=counts["active"],
            gone=tuple(_gone(gone)),
        )

    def _finding(self, device: Device, request: Request) -> _Finding:
        """Return what is found of *device*, if it says what *request* says."""
        caller = parse_caller(request.arguments, request.endpoint)
        key = self._key(device, caller)
        if key is None:
            return self._looked_at(device, request, caller)
        finding = self._known.get(key)
        if finding is None:
            finding = self._looked_at(device, request, caller)
            if len(self._known) < _MOST_REMEMBERED:
                self._known[key] = finding
        return finding

    def _key(self, device: Device, caller: Caller) -> object:
        """Return what is the same for all devices in the situation of one, None if each is to be looked at itself."""
        if self.base.computing is not None or self.head.computing is not None:
            return None
        key: list[object] = []
        for side in (self.base, self.head):
            identity = device.identity if caller.endpoint.scheme == "https" else None
            identity = identity or identity_of(caller, side.basis.snapshot.policy, side.now)
            trusted = device.admission is Admittance.BY_RULE
            verdict = side.basis.verdict(caller, device.address, trusted=trusted)
            key += [side.basis.key(caller, identity), verdict]
        return tuple(key)

    def _looked_at(self, device: Device, request: Request, caller: Caller) -> _Finding:
        sides = [side.basis.situation(caller, side.now) for side in (self.base, self.head)]
        places = (caller.place, *(name for situation in sides for name in situation.environments))
        if not self.reach.covers(caller.model, places):
            return _Finding(None)
        base = _rendered(self.base, request, device)
        head = _rendered(self.head, request, device)
        difference = self._difference(base, head)
        gone = _lacking(base.situation, head.situation)
        if difference is None:
            return _Finding(None, gone=gone)
        environments = ", ".join(head.situation.asked_environments)
        return _Finding(difference, environments, head.situation.phase, Footing.of(base), lost(base, head), gone)

    def _difference(self, base: Rendering, head: Rendering) -> ScriptDifference | None:
        """Return the difference, found once for those that stand otherwise, and yet get the same."""
        essence = base.essence, head.essence
        if essence in self._differences:
            return self._differences[essence]
        difference = compare(base, head, hide=self.hide, firmware=self.firmware)
        if len(self._differences) < _MOST_DIFFERENCES:
            self._differences[essence] = difference
        return difference


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is the same for all devices in one situation; without a difference the rest does not matter."""

    difference: ScriptDifference | None
    environments: str = ""
    phase: str = ""
    footing: Footing = Footing.EXECUTED
    lost: int = 0
    gone: tuple[Lacking, ...] = ()


def _member(device: Device, finding: _Finding, *, is_active: bool) -> Member:
    traits = device.model or "", finding.environments, finding.phase, finding.footing
    return Member(device.serial, device.name, *traits, finding.lost, is_active)


def _lacking(base: Situation, head: Situation) -> tuple[Lacking, ...]:
    """Return the phase and the environments that a device is in, and the second commit lacks."""
    gone: list[Lacking] = []
    if head.phase_is_unknown and not base.phase_is_unknown:
        gone.append(("phase", base.phase))
    known = base.policy.environments
    gone += [("environment", name) for name in head.unknown_environments if name in known]
    return tuple(gone)


def _gone(counts: Counter[tuple[Lacking, bool]]) -> Iterator[Gone]:
    for kind, name in sorted({lacking for lacking, _ in counts}):
        active = counts[(kind, name), True]
        yield Gone(kind, name, active + counts[(kind, name), False], active)


def _rendered(side: Imagining, request: Request, device: Device) -> Rendering:
    """Return what *device* gets: what its next poll brings, and all of it, as if it had not executed it."""
    following = side.again(request, device)
    rendering = Rendering(following, following)
    if not rendering.is_executed:
        return rendering
    return Rendering(following, side.again(request.without_check(), device))
