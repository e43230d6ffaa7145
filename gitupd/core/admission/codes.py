"""One-time codes: by one a device is accepted that nobody knows yet, and is bound to it from then on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.caller import Serial

ARGUMENT = "code"
"""The argument of the update URL that holds a code."""

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""What codes are written in: nothing that is easily taken for something else."""

_GROUPS, _GROUP = 5, 4
LENGTH = _GROUPS * _GROUP
_LIKELY = re.compile(r"[0-9a-z]{2,8}(-[0-9a-z]{1,8}){2,7}", re.ASCII | re.IGNORECASE)


class Redemption(StrEnum):
    """What came of a code that a device has shown."""

    ACCEPTED = "accepted"
    WRONG = "wrong"  # unknown, expired, revoked, or another device's
    SLOWED = "slowed"  # it was not looked at, for too many wrong ones came from there
    NAMELESS = "nameless"  # the device did not say its serial number


@dataclass(frozen=True, slots=True)
class Code:
    """A code, of which only a hash is kept; ``serial`` is that of the device that used it, None if none has yet."""

    id: int
    title: str
    who: str
    created: datetime
    expires: datetime
    used: datetime | None = None
    serial: Serial | None = None
    revoked: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether a device may still use it."""
        return self.used is None and self.revoked is None and now < self.expires

    def state(self, now: datetime) -> str:
        """Return how it stands, in one word."""
        if self.used is not None:
            return "used"
        if self.revoked is not None:
            return "revoked"
        return "open" if now < self.expires else "expired"


def written(letters: str) -> str:
    """Return the LENGTH *letters* of a code as people read it."""
    return "-".join(letters[at : at + _GROUP] for at in range(0, LENGTH, _GROUP))


def looks_like_code(text: str) -> bool:
    """Whether *text* is a code, or one with a slip in it; an argument of that name may be anybody's own."""
    return _LIKELY.fullmatch(text) is not None


def canonical(code: str) -> str:
    """Return *code* as it is hashed: letter case and dashes don't matter."""
    return code.replace("-", "").lower()
