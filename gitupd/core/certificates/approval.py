"""Which requests are signed without a person: rules, and what each of them asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network, IPv6Network

    from gitupd.core.policy import Rate

_DAY = 86400


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """A rule by which a request is signed without a person: all that is not None or False must be so.

    ``identified`` is that the device has proved itself on the connection that brought the request, ``known`` that the
    configuration, an admission rule, a code or a person speaks for it, ``same_names`` that the request has no name
    but those of its template or of its old certificate. ``model`` is folded. So many as ``at_most`` says are signed by
    the rule; None for any number.
    """

    identified: bool = False
    network: IPv4Network | IPv6Network | None = None
    known: bool = False
    same_names: bool = False
    model: str | None = None
    environment: str | None = None
    at_most: Rate | None = None

    @property
    def covers_everybody(self) -> bool:
        """Whether nothing is asked that any request could fail."""
        asks = (self.identified, self.known, self.same_names, self.model is not None, self.environment is not None)
        return not any(asks) and not self._is_of_a_place

    @property
    def is_forgeable(self) -> bool:
        """Whether a stranger who reaches the server from anywhere may meet it in the name of a device."""
        return not self.identified and not self._is_of_a_place

    @property
    def _is_of_a_place(self) -> bool:
        return self.network is not None and self.network.prefixlen > 0

    @property
    def conditions(self) -> str:
        """What the rule asks, as what follows a noun; its bound aside, so that it is the same rule with another one."""
        return ", ".join(self._conditions()) or "of any kind"

    def _conditions(self) -> Iterator[str]:
        if self.identified:
            yield "identified by its old certificate"
        if self.network is not None:
            yield f"from {self.network}"
        if self.known:
            yield "of a known device"
        if self.same_names:
            yield "for the same names"
        if self.model is not None:
            yield f"of type {self.model}"
        if self.environment is not None:
            yield f"in {self.environment}"

    @property
    def bound(self) -> str:
        """How many it approves at the most, in words; empty if any number."""
        if self.at_most is None:
            return ""
        return f"at most {self.at_most.count:,} {'a day' if self.at_most.seconds == _DAY else 'an hour'}"
