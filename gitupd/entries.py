"""Tables of a site's settings, read entry by entry, so that all that is wrong with one is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Readers = Mapping[str, Callable[[object], Any]]
    """By the name of an entry what makes a value of it, or raises ValueError with a line for each fault."""


def table_in(value: object, wanted: str) -> dict[str, Any]:
    """Return *value* as the table that it is to be; raises ValueError, which says what is *wanted*, if it is none."""
    if not isinstance(value, dict):
        raise ValueError(wanted)  # noqa: TRY004 - all faults of a setting are reported alike
    return value


def entries_of(table: Mapping[str, Any], readers: Readers, faults: list[str]) -> dict[str, Any]:
    """Return what *readers* make of the entries of *table*; add a line to *faults* for each thing they can't read."""
    read: dict[str, Any] = {}
    for name, entry in table.items():
        if name not in readers:
            faults.append(f"{name}: unknown; known: {', '.join(readers)}")
            continue
        try:
            read[name] = readers[name](entry)
        except ValueError as error:
            faults += [f"{name}: {fault}" for fault in str(error).split("\n")]
    return read
