"""What of a configuration is encrypted: that it is, and what is in it where there is a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SECRETS = "secrets.yaml.age"
NO_KEY = "there is no key here"

Opener = Callable[[bytes], bytes]
"""Returns what is in an encrypted file; raises Unopened."""


class Unopened(GitupdError):
    """An encrypted file can't be opened; the text says why."""


@dataclass(frozen=True, slots=True)
class Seal:
    """That something is encrypted.

    ``digest`` is the SHA-256 of the encrypted file, by which two versions are told apart without a key; ``fault`` says
    why it is closed, None if it is open.
    """

    digest: str
    fault: str | None = None

    def __str__(self) -> str:
        """Return what people see instead of the content."""
        return f"encrypted, SHA-256 {self.digest[:16]}"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What ``secrets.yaml.age`` says: values for all devices, for those of an environment, and for single ones.

    Devices are named by the digits of their serial numbers.
    """

    seal: Seal
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    devices: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def of(self, environments: Iterable[str], digits: str) -> Mapping[str, str]:
        """Return the values for a device that is in *environments*, the first of which wins."""
        values = dict(self.variables)
        for name in reversed(tuple(environments)):
            values |= self.environments.get(name, {})
        return {**values, **self.devices.get(digits, {})}

    @property
    def names(self) -> frozenset[str]:
        """The names of all of them."""
        return frozenset(name for values in self._all() for name in values)

    @property
    def texts(self) -> frozenset[str]:
        """The values of all of them."""
        return frozenset(text for values in self._all() for text in values.values())

    def _all(self) -> Iterator[Mapping[str, str]]:
        yield self.variables
        yield from self.environments.values()
        yield from self.devices.values()
