"""Which requests are signed without a person: rules, and what each of them asks."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from gitupd.core.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from gitupd.core.policy import Rate

_DAY = 86400
_MOST_TOLD, _LONGEST = 4, 80


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


@dataclass(frozen=True, slots=True)
class Application:
    """A signing request of a device, as far as rules ask for it.

    ``names`` are those in the request, ``usual`` those that it may have: the ones that it was told to put there, and
    the ones of the certificate that it has proved itself with. Whatever else is not known is empty.
    """

    names: frozenset[str]
    usual: frozenset[str] = frozenset()
    address: str = ""
    identified: bool = False
    known: bool = False
    model: str = ""
    environments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Covered:
    """A request may be signed by a rule, the ``index``th from 0; ``reason`` is a clause that says why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A request waits for a person; ``reason`` is a clause that says why no rule covers it."""

    reason: str


def approve(application: Application, rules: Sequence[ApprovalRule], approved: Sequence[int]) -> Covered | Uncovered:
    """Return by which of *rules* a request is signed without a person: by the first that covers it.

    *approved* is for each rule how many it has approved within the time of its bound.
    """
    lacking = []
    for index, (rule, count) in enumerate(zip(rules, approved, strict=True)):
        lack = next(_lacks(application, rule), None)
        if lack is None and rule.at_most is not None and count >= rule.at_most.count:
            lack = f"it approves {rule.bound}, and has"
        if lack is None:
            return Covered(index, f"rule {index + 1} covers it: {rule.conditions}")
        lacking.append(f"rule {index + 1}: {lack}")
    if not lacking:
        return Uncovered("it waits for a person, for there is no rule")
    further = f"; and {len(lacking) - _MOST_TOLD} further rules" if len(lacking) > _MOST_TOLD else ""
    return Uncovered(f"no rule covers it ({'; '.join(lacking[:_MOST_TOLD])}{further})")


def _lacks(application: Application, rule: ApprovalRule) -> Iterator[str]:
    """Yield what *rule* asks and *application* does not have, as clauses."""
    if rule.covers_everybody:
        yield "it asks nothing"  # which no configuration that is deployed has
    if rule.identified and not application.identified:
        yield "the device did not prove itself with its old certificate"
    if rule.network is not None and not _is_within(application.address, rule.network):
        yield f"it came from {_excerpt(application.address) or 'nobody knows where'}"
    if rule.known and not application.known:
        yield "nobody has accepted the device"
    if rule.same_names and (other := sorted(application.names - application.usual)):
        yield f"the name {_excerpt(other[0])} is another one"
    if rule.same_names and not application.names:
        yield "it has no name"
    if rule.model is not None and fold(application.model) != rule.model:
        yield f"the device is of type {_excerpt(application.model) or 'that nobody knows'}"
    if rule.environment is not None and rule.environment not in application.environments:
        yield f"the device is not in {rule.environment}"


def _is_within(address: str, network: IPv4Network | IPv6Network) -> bool:
    """Whether *address* is in *network*; an IPv4 one that is written as IPv6 counts as what it is."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed) in network


def _excerpt(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
