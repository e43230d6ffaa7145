"""Who signs requests of devices: the site's own authority, or one elsewhere. What all of them have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gitupd.errors import SiteError

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.caller import Serial


class SigningRefused(SiteError):
    """A request is not signed, and would not be if it were tried again; the text says why."""


class SigningDelayed(SiteError):
    """A request could not be signed now, and may be later; the text says why."""


@dataclass(frozen=True, slots=True)
class SigningOrder:
    """A signing request (DER) of a device, to be signed as of *now*."""

    serial: Serial
    request: bytes = field(repr=False)
    now: datetime


class Signer(Protocol):
    """Somebody who signs requests."""

    @property
    def name(self) -> str:
        """What the audit and ``signed_by`` call it."""

    def sign(self, order: SigningOrder) -> tuple[bytes, ...]:
        """Return the certificate for *order* in DER, and behind it those of its issuers as far as they are known.

        Raises SigningRefused if it is not signed for good, and SigningDelayed if it may be later. What stands in the
        request was looked at before (``requests.objection``).
        """
