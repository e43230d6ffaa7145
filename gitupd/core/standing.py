"""How a device stands: present or missing, behind or up to date, and what is odd about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.device import Device
    from gitupd.core.policy import Policy
    from gitupd.core.snapshot import CommitId

_TWO = "Perhaps two devices use one serial number."
ODD_FOR = timedelta(days=1)
"""How long a changed identity is worth a warning."""


class State(StrEnum):
    """How a device stands, in one word."""

    CURRENT = "current"
    WAITING = "waiting"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Standings:
    """How devices stand that a search finds: how many there are, and how many of them are in each state."""

    total: int
    present: int
    current: int
    warned: int

    @property
    def missing(self) -> int:
        """How many have not called for too long."""
        return self.total - self.present

    @property
    def waiting(self) -> int:
        """How many are present and have yet to execute what is deployed."""
        return self.present - self.current


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What devices are held against.

    A device last seen before ``present_since`` is missing, None if none ever is. ``commit`` is the deployed one, None
    if nothing is. With ``by_sent`` a commit counts as executed once it was sent, because devices don't confirm it.
    ``needs_trust`` makes an alarm of what would be a warning: that who the device is has changed. ``deployment`` is the
    number of the deployment that holds, 0 if there is none, and ``since`` from when on; ``backups`` is whether devices
    are to upload what they hold. Days are those of ``zone``.
    """

    now: datetime
    present_since: datetime | None
    commit: CommitId | None
    by_sent: bool = False
    needs_trust: bool = False
    deployment: int = 0
    since: datetime | None = None
    backups: bool = False
    zone: tzinfo = UTC

    @classmethod
    def of(
        cls,
        policy: Policy,
        commit: CommitId | None,
        now: datetime,
        deployed: Deployment | None = None,
        zone: tzinfo = UTC,
    ) -> Yardstick:
        """Return the yardstick that *policy* gives; *deployed* is what made *commit* the one that is delivered."""
        missing_after = policy.status.missing_after
        return cls(
            now,
            now - timedelta(seconds=missing_after) if missing_after else None,
            commit,
            by_sent=not policy.delivery.check,
            needs_trust=policy.transport.wants_certificate,
            deployment=deployed.id if deployed else 0,
            since=deployed.at if deployed else None,
            backups=policy.backup.enabled,
            zone=zone,
        )

    def is_present(self, device: Device) -> bool:
        """Whether *device* has called lately enough."""
        return self.present_since is None or (device.last_seen is not None and device.last_seen >= self.present_since)

    def state(self, device: Device) -> State:
        """Return how *device* stands."""
        if not self.is_present(device):
            return State.MISSING
        return State.CURRENT if self.has_executed(device) else State.WAITING

    def has_executed(self, device: Device) -> bool:
        """Whether *device* runs the deployed commit, as far as one can know."""
        if self.commit is None:
            return False
        return device.has_confirmed(self.commit) or (self.by_sent and device.sent == self.commit)

    def warnings(self, device: Device) -> tuple[str, ...]:
        """Return what is odd about *device*, each as a sentence."""
        return tuple(self._warnings(device))

    def _warnings(self, device: Device) -> Iterator[str]:
        for name in device.unknown_environments:
            yield f"Its update URL names the environment {name}, which does not exist."
        if self._lately(device.hardware_changed):
            clones = "Two devices use one serial number, by turns." if self._lately(device.hardware_returned) else _TWO
            yield (
                f"It calls with two hardware ids: {device.hardware_id}, and before that {device.previous_hardware_id}."
                f" {clones}"
            )
        if self._lately(device.key_returned):
            yield (
                f"It shows certificates with two keys by turns, {_digits(device.key)} and "
                f"{_digits(device.previous_key)}. Two devices use one identity: one of them is a clone."
            )
        elif self._lately(device.key_changed):
            yield (
                f"It shows a certificate with another key than before: {_digits(device.key)}, before that "
                f"{_digits(device.previous_key)}. If it was given no new certificate, another device uses its identity."
            )
        if self._lately(device.address_returned):
            yield f"It calls from two places by turns: {device.address} and {device.previous_address}. {_TWO}"

    def is_alarming(self, device: Device) -> bool:
        """Whether who *device* is has changed lately, though trust is required."""
        return self.needs_trust and (self._lately(device.hardware_changed) or self._lately(device.key_changed))

    def _lately(self, at: datetime | None) -> bool:
        return at is not None and at >= self.now - ODD_FOR


def _digits(key: str | None) -> str:
    """Return the beginning of a key's fingerprint, as far as people compare it."""
    return (key or "")[:16]
