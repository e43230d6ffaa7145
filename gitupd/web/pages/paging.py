"""Long lists in pages: which one is shown, as the address says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZES = (50, 100, 200)
_LAST = 1_000_000


@dataclass(frozen=True, slots=True)
class Paging:
    """The page at hand, counted from 1, of ``size`` rows each; ``total`` rows there are in all."""

    page: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """The number of the first row shown, counted from 1."""
        return (self.page - 1) * self.size + 1

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return min(self.page * self.size, self.total)


def asked(arguments: Mapping[str, str], sizes: tuple[int, ...] = SIZES) -> tuple[int, int]:
    """Return the page and the size that an address asks for; the first ones for anything that is none."""
    page, size = number(arguments.get("page"), 1, _LAST), number(arguments.get("size"), sizes[0], _LAST)
    return page, size if size in sizes else sizes[0]


def number(text: str | None, otherwise: int, largest: int, least: int = 1) -> int:
    """Return the number from *least* to *largest* that *text* writes, else *otherwise*."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > len(str(largest)):
        return otherwise
    return min(max(int(text), least), largest)
