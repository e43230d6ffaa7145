"""What two servers are asked so that their answers can be compared: the polls that a device makes in its life."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from gitupd.core.url import PLACEHOLDERS, fast_polling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitupd.core.device import Device
    from gitupd.core.policy import Policy

FIRST_CONTACT = "first contact"
ANOTHER_CHECK = "0" * 32
"""A CHECK serial that no script has."""

_MOST_TRIED = 100
_MOST_NAMED = 3
_PHASE, _POLLING, _CHECK = "phase", "polling", "CHECK"
_OF_ITS_LIFE = frozenset({_PHASE, _POLLING, _CHECK, "code"})
"""Arguments that change in a device's life, of which each question has its own."""


@dataclass(frozen=True, slots=True)
class PollQuestion:
    """A poll: the arguments of its address, in their order, and what it is about, as people read it.

    With ``needs_check`` it is asked with the CHECK serial that the answer to a poll without one names.
    """

    title: str
    arguments: Mapping[str, str]
    needs_check: bool = False

    def with_check(self, serial: str) -> PollQuestion:
        """Return the question of a device that has executed the script with this CHECK *serial*."""
        return PollQuestion(self.title, {**self.arguments, _CHECK: serial})


def first_contact(identity: Mapping[str, str]) -> PollQuestion:
    """Return the first poll of a device out of the box, whose address says no more than its environments."""
    return PollQuestion(FIRST_CONTACT, {"env": identity["env"]} if "env" in identity else {})


def questions(identity: Mapping[str, str], phase: str | None, policy: Policy) -> Iterator[PollQuestion]:
    """Yield the polls of a device that says *identity*, in each phase, with and without CHECK.

    Those of its own *phase* come last, since the PHP server remembers the last phase that it was asked in.
    """
    phases = policy.staged_phases
    own = phase if phase in phases else phases[-1]
    for each in (*(other for other in phases if other != own), own):
        if each != phases[-1]:
            yield PollQuestion(f"phase {each}", _said(identity, each, policy, settled=False))
            continue
        settled = _said(identity, each, policy, settled=True)
        yield PollQuestion(f"phase {each} without CHECK", _said(identity, each, policy, settled=False))
        yield PollQuestion(f"phase {each} with another CHECK", {**settled, _CHECK: ANOTHER_CHECK})
        yield PollQuestion(f"phase {each} with the right CHECK", settled, needs_check=True)


def _said(identity: Mapping[str, str], phase: str, policy: Policy, *, settled: bool) -> dict[str, str]:
    """Return the arguments of an address that the server has written for *phase*."""
    polling = "0" if settled else fast_polling(policy.delivery)
    return {**({_POLLING: polling} if polling else {}), _PHASE: phase, **identity}


def identity_of_device(device: Device, policy: Policy) -> dict[str, str]:
    """Return what *device* says of itself in each poll: as in its last one, else as far as it is remembered."""
    if device.request is not None:
        return {name: value for name, value in device.request.arguments.items() if name not in _OF_ITS_LIFE}
    said = {
        "type": device.model or "",
        "sn": str(device.serial),
        "hwid": device.hardware_id or "",
        "ip": device.own_address or "",
        "env": ",".join(named_environments(device.environments, policy)),
        "PROT": device.firmware or "",
        "BOOT": device.bootcode or "",
    }
    return {name: value for name, value in said.items() if value or (name in PLACEHOLDERS and name not in _OPTIONAL)}


_OPTIONAL = ("PROT", "BOOT")


def named_environments(listed: Sequence[str], policy: Policy) -> tuple[str, ...]:
    """Return the environments that an address has named for *listed* to come of it, those that they imply left out.

    The PHP server remembers what came of it only. Of several ways the shortest is taken, and *listed* if there is none.
    """
    if not listed or any(name not in policy.environments for name in listed):
        return tuple(listed)
    # What stands at a place that was taken is lost, so that a name need not be among what came of it.
    others = list(policy.environments)[:_MOST_TRIED]
    for count in range(_MOST_NAMED):
        for more in permutations(others, count):
            if policy.expanded((listed[0], *more)) == tuple(listed):
                return (listed[0], *more)
    return tuple(listed)
