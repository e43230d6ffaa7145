"""What a template is to those who fill it in; :mod:`gitupd.config.templates` makes one of a file, and checks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

FACTS = {"serial": 17, "type": 64, "hwid": 64, "name": 1000, "phase": 64, "environments": 64, "classes": 64}
"""What a template may ask of the device as ``device.NAME``, and how many characters that has at the most.

What changes by itself is not among it (address, builds): each change would have the device execute everything again.
"""

PERSONAL = frozenset({"serial", "hwid"})
"""Those by which no device is like another, though the configuration does not name it."""

LISTS = frozenset({"environments", "classes"})
"""Those that are lists of texts; the others are texts."""

MOST_ITEMS = 64
"""How long such a list may be."""


class Unfilled(Exception):
    """A template can't be filled in for a device; the text says why, and quotes no value."""


class Masked(str):
    """What stands in the place of a secret where people look: no filter makes something else of it."""

    __slots__ = ()


class Template(Protocol):
    """A snippet with variables, so checked that to fill it in takes little time, and does nothing else."""

    @property
    def lines(self) -> Mapping[str, int]:
        """The variables that it mentions, each with the line where it first does, from 1."""

    @property
    def required(self) -> frozenset[str]:
        """Those of them that it can't do without."""

    @property
    def entangled(self) -> frozenset[str]:
        """Those of which more may depend than what is written in their place, such as whether a line is there."""

    @property
    def facts(self) -> frozenset[str]:
        """What it asks of the device."""

    @property
    def keeps_lines(self) -> bool:
        """Whether each line is made of the line of the same number."""

    def filled(self, values: Mapping[str, str], device: Mapping[str, object]) -> str:
        """Return the text for a *device* with these *values* of variables; raises Unfilled."""
