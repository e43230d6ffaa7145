"""What the certificates of devices are at, in the words by which people look for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.certificates.rollout import Stage

if TYPE_CHECKING:
    from datetime import datetime

SOON = timedelta(days=30)
"""How long before its end a certificate is called expiring."""

EXPIRING, EXPIRED = "expiring", "expired"

WORDS = (*(stage.value for stage in Stage), EXPIRING, EXPIRED)
"""What may stand behind ``certificate:`` in a search: a stage of the roll-out, or how close the end is."""


@dataclass(frozen=True, slots=True)
class CertificateStanding:
    """What the certificate of a device is at; ``expires`` is the first end in its chain, None if that is not known."""

    stage: Stage
    expires: datetime | None = None

    def meets(self, word: str, now: datetime) -> bool:
        """Whether it is as one of :data:`WORDS` says at the time *now*."""
        if word == EXPIRED:
            return self.expires is not None and self.expires < now
        if word == EXPIRING:
            return self.expires is not None and now <= self.expires < now + SOON
        return self.stage == word
