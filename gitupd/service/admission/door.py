"""Whose uploads are taken: of those who are let in, as far as an upload and what is remembered can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitupd.core.admission.admittance import Appearance
    from gitupd.core.caller import Serial
    from gitupd.service.deployments.live import Follower
    from gitupd.store.inventory import Inventory


class Door:
    """Lets devices in, of a worker."""

    def __init__(self, follower: Follower, inventory: Inventory) -> None:
        """Let in whom the policy that *follower* knows wants, with what *inventory* remembers of them."""
        self._follower, self._inventory = follower, inventory

    def lets_in(self, serial: Serial | None, appearance: Appearance) -> bool:
        """Whether an upload of that *appearance* may be taken; where nothing is deployed, nothing is taken anyway."""
        live = self._follower.live
        return live is None or live.verdict_on(serial, appearance).is_let_in

    @property
    def asks_for_trust(self) -> bool:
        """Whether there are rules on certificates: to look at those takes time."""
        live = self._follower.live
        return live is not None and any(rule.certificate for rule in live.snapshot.policy.admission.accept)

    @property
    def may_remember(self) -> bool:
        """Whether what a poll has said can let in whose upload says less: there are rules on that."""
        live = self._follower.live
        return live is not None and any(
            rule.model is not None or rule.hardware_id is not None for rule in live.snapshot.policy.admission.accept
        )

    def remembers(self, serial: Serial | None, appearance: Appearance) -> bool:
        """Whether an upload may be taken if the device is what it said when it polled; reads the database."""
        device = None if serial is None else self._inventory.some([serial]).get(serial)
        if device is None:
            return False
        said = replace(
            appearance, model=appearance.model or device.model, hardware_id=appearance.hardware_id or device.hardware_id
        )
        return self.lets_in(serial, said)
