"""One device looked at closely: what it would get now, what it got last, why, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.core.actions import Confirmed, lines
from gitupd.core.caller import Request, parse_caller
from gitupd.core.outlook import outlook
from gitupd.core.plan import plan
from gitupd.core.script import Script, numbered, selected
from gitupd.core.situation import Basis
from gitupd.errors import GitupdError, MalformedRequest

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.actions import Action
    from gitupd.core.device import Device
    from gitupd.core.situation import Situation
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.deployments.live import Live
    from gitupd.service.deployments.snapshots import Snapshots
    from gitupd.service.scripting.computing import Computing


class Inspection:
    """What can be said of one device beyond what is remembered of it."""

    def __init__(
        self,
        device: Device,
        live: Live | None,
        snapshots: Snapshots,
        now: datetime,
        computing: Computing | None = None,
    ) -> None:
        """Look at *device* at the time *now*; *live* None means that nothing was deployed yet.

        Lines that the configuration's own code computes come from *computing*; None leaves them out.
        """
        self._device, self._live, self._snapshots = device, live, snapshots
        self._now, self._computing = now, computing

    def now_lines(self) -> Script | None:
        """Return all that the deployed commit has for the device, whether it has executed it already or not.

        None if nothing is deployed, or the device never polled.
        """
        if self._live is None or self._device.request is None:
            return None
        return self._script(self._live.snapshot, self._device.request)

    def last_lines(self) -> Script | None:
        """Return the last script with snippets that the device got, None if it never got one or it can't be told."""
        if self._device.sent is None or self._device.sent_request is None:
            return None
        try:
            return self._script(self._snapshots.of(self._device.sent), self._device.sent_request)
        except GitupdError as error:
            failure = f"Commit {self._device.sent[:12]} can't be read any more: {error}."
            return Script(self._device.sent, (), (), failure=failure)

    def expected(self) -> tuple[Action, ...]:
        """Return what the device's next poll is answered with, if it says the same as its last one; may be empty."""
        if self._live is None or self._device.request is None or _misread(self._device.request):
            return ()
        situation, _ = self._situation(self._live.snapshot, self._device.request)
        return tuple(plan(situation))

    def next_step(self) -> str:
        """Return what happens next, as a sentence or two."""
        if self._live is None:
            return "Nothing happens: no commit is deployed."
        if self._device.request is None:
            return "It never polled, so it is not known what it needs."
        if fault := _misread(self._device.request):
            return f"It polled as no device does ({fault}), so it is not known what it needs."
        return outlook(self._live.snapshot.policy, self.expected())

    def _script(self, snapshot: Snapshot, request: Request) -> Script:
        if fault := _misread(request):
            return Script(snapshot.commit, (), (), failure=f"It polled as no device does: {fault}.")
        situation, failure = self._situation(snapshot, request)
        actions = tuple(plan(situation))
        executed = any(isinstance(action, Confirmed) for action in actions)
        if executed:  # as if it had not, so that one sees what it has
            actions = tuple(plan(self._situation(snapshot, _without_check(request))[0]))
        return Script(
            snapshot.commit, numbered(lines(actions)), tuple(selected(situation)), executed=executed, failure=failure
        )

    def _situation(self, snapshot: Snapshot, request: Request) -> tuple[Situation, str | None]:
        builds = self._live.builds if self._live else None
        caller = parse_caller(request.arguments, request.endpoint)
        situation = Basis(snapshot, builds).situation(caller, self._now, self._device)
        if snapshot.scripting is None or caller.missing:
            return situation, None
        if self._computing is None:
            return situation, "Lines computed by scripting.py are left out here."
        return self._computing.completed(situation), None


def _misread(request: Request) -> str | None:
    """Return what is wrong with a remembered *request*: an earlier version may have let through what none does now."""
    try:
        parse_caller(request.arguments, request.endpoint)
    except MalformedRequest as error:
        return str(error)
    return None


def _without_check(request: Request) -> Request:
    return replace(request, arguments={name: value for name, value in request.arguments.items() if name != "CHECK"})
