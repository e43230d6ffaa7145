"""What devices answered to queries, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.caller import Serial


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """A device's latest answer to the query of this id; ``xml`` is a well-formed fragment, as it was sent."""

    query: str
    received: datetime
    xml: str


@dataclass(frozen=True, slots=True)
class AnsweredQuery:
    """A device has answered; ``own_name`` is the name that it gives itself, empty for none, None if it does not say."""

    serial: Serial
    answer: QueryAnswer
    own_name: str | None = None
