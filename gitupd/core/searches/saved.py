"""Searches for devices that people keep under a name, for themselves or for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.names import fold
from gitupd.errors import InvalidEntry

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_NAME = 60
MOST_SAVED = 50
"""How many searches a person may keep, and how many all of them may share."""


@dataclass(frozen=True, slots=True)
class ListView:
    """What of the list of devices is shown, as its address says it: the text of a search, ``columns`` with commas.

    Empty are all devices, the columns that whoever reads it keeps, and the usual order.
    """

    text: str = ""
    columns: str = ""
    sort: str = ""
    descending: bool = False

    @property
    def address(self) -> dict[str, str]:
        """The arguments of the address, of which none is empty."""
        said = {"q": self.text, "sort": self.sort, "desc": "1" if self.descending else "", "columns": self.columns}
        return {name: value for name, value in said.items() if value}

    @property
    def order(self) -> str:
        """By what the list is sorted."""
        return self.sort or "serial"

    def __str__(self) -> str:
        """Return it in one line, as ``env:berlin missing, sorted by name (descending), columns sn,name``."""
        order = f"sorted by {self.order}{' (descending)' if self.descending else ''}"
        parts = [self.text or "all devices"]
        parts += [order] if self.sort or self.descending else []
        parts += [f"columns {self.columns}"] if self.columns else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search that somebody has saved; ``owner`` None shares it with everybody, ``who`` has saved or changed it last.

    ``id`` is 0 for one that is not kept yet.
    """

    id: int
    owner: str | None
    name: str
    view: ListView
    at: datetime
    who: str

    @property
    def is_shared(self) -> bool:
        """Whether it is everybody's."""
        return self.owner is None


def parse_search_name(text: str) -> str:
    """Return under which name a search is saved, with single blanks; raises InvalidEntry for what can be none."""
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidEntry(f"a saved search needs a name of 1 to {LONGEST_NAME} characters, such as: Berlin, missing")
    return name


def search_key(name: str) -> str:
    """Return by what names of saved searches are compared: the case of A to Z does not matter."""
    return fold(name)
