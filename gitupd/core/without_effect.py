"""Which keys of policies are understood and have no effect yet: who makes one effective takes it off the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class NoEffect:
    """What is so instead of what a key says, and what to write for now; neither starts or ends as a sentence."""

    instead: str
    cure: str = "set it to false for now"
    harmless: object = False

    def applies(self, value: object) -> bool:
        """Whether *value*, which the key has, is one that has no effect; None is none."""
        return value not in (None, self.harmless)


WITHOUT_EFFECT: Mapping[tuple[str, str], NoEffect] = {
    ("deploy", "require_signatures"): NoEffect(
        "signatures are not checked yet, so commits without one are deployed, too"
    ),
}
"""By the name of the document's schema and the key; ``harmless`` is the value that promises nothing."""
