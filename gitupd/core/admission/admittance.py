"""Whether a device is let in, and by whom: decided anew for each request, from what the request itself says."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from gitupd.core.names import fold

if TYPE_CHECKING:
    from gitupd.core.policy import Accept, Admission


class Admittance(StrEnum):
    """Whether a device is let in, and by whom."""

    KNOWN = "known"  # devices.yaml names it
    BY_RULE = "rule"
    ACCEPTED = "accepted"  # by a person, or by a code that a person made
    SERVED = "served"  # unknown, but the policy serves everybody
    QUARANTINED = "quarantined"
    REFUSED = "refused"

    @property
    def is_let_in(self) -> bool:
        """Whether the device is served, and may upload."""
        return self not in (Admittance.QUARANTINED, Admittance.REFUSED)

    @property
    def is_unknown(self) -> bool:
        """Whether neither the configuration, nor a rule, nor a person speaks for the device."""
        return self in UNKNOWN


UNKNOWN = (Admittance.SERVED, Admittance.QUARANTINED, Admittance.REFUSED)
"""The verdicts on devices for which nobody speaks."""

OUTSIDE = (Admittance.QUARANTINED, Admittance.REFUSED)
"""The verdicts on devices that are not let in."""


class Decision(StrEnum):
    """What a person decided on one device; withdrawn is as if nobody ever had."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a request says of the device that makes it; None where it says nothing.

    ``address`` is where it comes from, as far as we can know, ``trusted`` whether it has shown a certificate that
    speaks for it.
    """

    model: str | None = None
    hardware_id: str | None = None
    address: str | None = None
    trusted: bool = False


def admit(policy: Admission, appearance: Appearance, *, known: bool, decision: Decision | None) -> Admittance:
    """Return the verdict of *policy* on a device of that *appearance*.

    *known* is whether ``devices.yaml`` names the device, *decision* what a person decided on it, None if nobody did.
    The configuration comes first, for it was reviewed; then the person, who may know better than any rule.
    """
    if known:
        return Admittance.KNOWN
    if decision is Decision.REFUSED:
        return Admittance.REFUSED
    if decision is Decision.ACCEPTED:
        return Admittance.ACCEPTED
    if any(_meets(rule, appearance) for rule in policy.accept):
        return Admittance.BY_RULE
    match policy.unknown:
        case "serve":
            return Admittance.SERVED
        case "quarantine":
            return Admittance.QUARANTINED
        case "refuse":
            return Admittance.REFUSED


def _meets(rule: Accept, appearance: Appearance) -> bool:
    """Whether *appearance* meets all that *rule* asks; what is not said meets nothing."""
    if rule.certificate and not appearance.trusted:
        return False
    if rule.model is not None and fold(appearance.model or "") != rule.model:
        return False
    if rule.hardware_id is not None and rule.hardware_id.search(appearance.hardware_id or "") is None:
        return False
    if rule.network is None:
        return True
    address = _parsed(appearance.address or "")
    return address is not None and address in rule.network


@lru_cache(maxsize=4096)
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address in *address*, an IPv4 one that is written as IPv6 as what it is; None if there is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
