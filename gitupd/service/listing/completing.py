"""What can be typed in a search for devices: its keys, and for each of them the values that there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.certificates.standing import WORDS as CERTIFICATES
from gitupd.core.deployments.convergence import WORDS as PARTS
from gitupd.core.search import KEYS, STATES, THINGS
from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.policy import Policy
    from gitupd.store.fleet import DeviceKind

MOST = 200
"""How many values are told for one key; those of the most devices, if there are more."""

_SHORT = 12
_BY_COMMIT = ("commit", "sent", "runs", "never")
_KEYS: Mapping[str, str] = {
    "sn": "serial number",
    "hwid": "hardware id",
    "name": "name",
    "type": "type",
    "address": "address",
    "phase": "phase",
    "class": "class",
    "env": "environment",
    "firmware": "build of the firmware",
    "bootcode": "build of the boot code",
    "commit": "confirmed commit",
    "sent": "commit that was sent last",
    "seen": "when it called last",
    "state": "state",
    "has": "warning, message or backup",
    "certificate": "stage of its certificate",
    "deployment": "what it has reached in the deployment that is live",
    "runs": "commit that it surely runs",
    "never": "commit that it did not confirm",
    "text": "part of a line of its latest backup",
    "word": "word in its latest backup",
}
_AGES = {
    "15m": "within 15 minutes",
    "1h": "within an hour",
    "1d": "within a day",
    "7d": "within a week",
    ">1d": "longer ago than a day",
    ">30d": "longer ago than 30 days",
}


@dataclass(frozen=True, slots=True)
class OfferedWord:
    """A value that can stand behind a ``key``, empty for a word that stands alone; ``note`` says what it means."""

    key: str
    value: str
    note: str = ""


def keys() -> list[tuple[str, str]]:
    """Return the keys of a search, each with what is looked for by it."""
    return [(key, _KEYS.get(key, "")) for key in KEYS]


def completions(
    policy: Policy, kinds: Iterable[DeviceKind], deployments: Iterable[Deployment]
) -> Iterator[OfferedWord]:
    """Yield the values that a search can have in a fleet of these *kinds*, at most :data:`MOST` for each key."""
    yield from (OfferedWord("", state) for state in STATES)
    for key, counts in _counted(policy, kinds).items():
        for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]:
            yield OfferedWord(key, value, counted(count, "device"))
    yield from (OfferedWord("class", each.name) for each in policy.classes[:MOST])
    yield from (OfferedWord("seen", age, note) for age, note in _AGES.items())
    for key, words in (("state", STATES), ("has", THINGS), ("certificate", CERTIFICATES), ("deployment", PARTS)):
        yield from (OfferedWord(key, word) for word in words)
    live: dict[str, Deployment] = {}
    for each in deployments:
        live.setdefault(each.commit[:_SHORT], each)
    for commit, deployment in list(live.items())[:MOST]:
        note = f"deployed {deployment.at:%Y-%m-%d} by {deployment.who}"
        yield from (OfferedWord(key, commit, note) for key in _BY_COMMIT)


def _counted(policy: Policy, kinds: Iterable[DeviceKind]) -> dict[str, Counter[str]]:
    """Return how many devices have each value; what the configuration knows and no device has counts, too."""
    counts: dict[str, Counter[str]] = {key: Counter() for key in ("type", "phase", "env", "firmware", "bootcode")}
    counts["phase"].update(dict.fromkeys(policy.phases, 0))
    counts["env"].update(dict.fromkeys(policy.environments, 0))
    for kind in kinds:
        said = (("type", kind.model), ("phase", kind.phase), ("firmware", kind.firmware), ("bootcode", kind.bootcode))
        for key, value in (*said, *(("env", name) for name in kind.environments)):
            if value:
                counts[key][value] += kind.count
    return counts
