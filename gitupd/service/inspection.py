"""One device looked at closely: what it would get now, what it got last, why, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.core.outlook import outlook, waiting_outside
from gitupd.core.script import Script
from gitupd.core.situation import Basis
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.imagining import Imagining

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.actions import Action
    from gitupd.core.admission.admittance import Decision
    from gitupd.core.caller import Request
    from gitupd.core.device import Device
    from gitupd.core.imagined import ImaginedPoll
    from gitupd.core.snapshot import SnippetName
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
        *,
        decisions: Mapping[str, Decision] | None = None,
    ) -> None:
        """Look at *device* at the time *now*; *live* None means that nothing was deployed yet.

        Lines that the configuration's own code computes come from *computing*; None leaves them out. *decisions* are
        those on the device, of which *live* may not know yet; None takes those that it knows.
        """
        if live is not None and decisions is not None:
            live = replace(live, decisions=decisions)
        self._device, self._live, self._snapshots = device, live, snapshots
        self._now, self._computing = now, computing

    def now_lines(self) -> Script | None:
        """Return all that the deployed commit has for the device, whether it has executed it already or not.

        None if nothing is deployed, or the device never polled.
        """
        if self._live is None or self._device.request is None:
            return None
        return self._script(self._live, self._device.request)

    def snippet_names(self) -> tuple[SnippetName, ...]:
        """Return the names of the snippets that the deployed commit could have for the device in its phase, in order.

        Whether there are such snippets or not; none if nothing is deployed, or it is not known what the device is.
        """
        if self._live is None or self._device.request is None:
            return ()
        try:
            return self._poll(self._live, self._device.request).situation.snippet_names
        except MalformedRequest:
            return ()

    def last_lines(self) -> Script | None:
        """Return the last script with snippets that the device got, None if it never got one or it can't be told."""
        if self._device.sent is None or self._device.sent_request is None:
            return None
        try:
            snapshot = self._snapshots.of(self._device.sent)
        except GitupdError as error:
            failure = f"Commit {self._device.sent[:12]} can't be read any more: {error}."
            return Script(self._device.sent, (), (), failure=failure)
        return self._script(Basis(snapshot, self._live.builds if self._live else None), self._device.sent_request)

    def expected(self) -> tuple[Action, ...]:
        """Return what the device's next poll is answered with, if it says the same as its last one; may be empty."""
        if self._live is None or self._device.request is None:
            return ()
        try:
            return self._poll(self._live, self._device.request).actions
        except MalformedRequest:
            return ()

    def next_step(self) -> str:
        """Return what happens next, as a sentence or two."""
        if self._live is None:
            return "Nothing happens: no commit is deployed."
        if self._device.request is None:
            return "It has not polled here yet, so it is not known what it needs."
        try:
            poll = self._poll(self._live, self._device.request)
        except MalformedRequest as error:
            return f"It polled as no device does ({error}), so it is not known what it needs."
        if not poll.situation.admission.is_let_in:
            return waiting_outside(poll.situation.admission)
        return outlook(self._live.snapshot.policy, poll.actions)

    def _script(self, basis: Basis, request: Request) -> Script:
        try:
            script = self._poll(basis, request).script
        except MalformedRequest as error:
            return Script(basis.snapshot.commit, (), (), failure=f"It polled as no device does: {error}.")
        if not script.executed and not script.restores:
            return script
        # As if it had not executed it, and nothing else came first, so that one sees what it has.
        all_of_it = self._poll(Basis(basis.snapshot, basis.builds), request.without_check()).script
        return replace(all_of_it, executed=script.executed, restores=script.restores)

    def _poll(self, basis: Basis, request: Request) -> ImaginedPoll:
        return Imagining(basis, self._now, self._computing).again(request, self._device)
