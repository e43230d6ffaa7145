"""Which variables of a device are taken: those that it was asked for, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Wanted:
    """A variable that a device was asked to upload, such as ``X509/REQUEST``, and what its upload calls the file.

    ``file`` is None where the upload is to name none. It is a word to compare, and never a path.
    """

    variable: str
    file: str | None = None


def unasked(asked: Collection[Wanted], variable: str | None, file: str | None) -> str | None:
    """Return why a *variable* that a device uploads, as *file*, is not taken; None if it is one of those *asked*.

    Whatever else the request says, of how the upload is to be treated, was never more than the server's own words to
    itself, and means nothing.
    """
    if not variable:
        return "an upload of a variable needs its name"
    if Wanted(variable, file) not in asked:
        return "the server did not ask this device for that variable"
    return None
