"""What a device says of its certificates: the answer to the built-in query ``certificates``, and what follows from it.

The shape is that of ``mod cmd X509 xml-info`` (docs/reference/device-protocol.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

QUERY = "certificates"
"""The id of the query."""

_WRITTEN = (
    "%Y%m%d%H%M%SZ",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%b %d %H:%M:%S %Y %Z",
    "%Y/%m/%d %H:%M:%S",
)
"""Ways to write a time that the standard library does not know by itself, or takes for another."""

_FORESEEABLE = timedelta(days=30)
"""For so long a certificate of somebody else is waited for until it is valid; beyond, a clock must have been wrong."""

ReportedTime = datetime | Literal["unreadable"] | None
"""A time as a device states it: aware, not to be read, or None if it states none."""


@dataclass(frozen=True, slots=True)
class ReportedCertificate:
    """One certificate of the chain that a device reports; names are common names, as they stand there."""

    subject: str
    issuer: str
    not_before: ReportedTime = None
    not_after: ReportedTime = None


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """What a device reports: its chain, in any order.

    ``busy`` is whether it makes a key, ``request`` whether a signing request lies on it, and ``error`` what it says of
    a request or an installation that failed, None if none did.
    """

    chain: tuple[ReportedCertificate, ...] = ()
    busy: bool = False
    request: bool = False
    error: str | None = None


def parse_time(text: str | None) -> ReportedTime:
    """Return the time in *text*, UTC unless it says otherwise; None or nothing but blanks states none.

    How devices write it is not known for certain: ISO 8601, ``31.12.2030 23:59:59``, RFC 2822 and the way of OpenSSL
    are understood.
    """
    if text is None or not text.strip():
        return None
    for read in (*_READERS, datetime.fromisoformat, parsedate_to_datetime):
        try:
            time = read(text.strip())
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return "unreadable"


_READERS = tuple(
    lambda text, form=form: datetime.strptime(text, form)  # noqa: DTZ007 - it is UTC, as the caller knows
    for form in _WRITTEN
)


class ChainVerdict(StrEnum):
    """How the certificates of a device stand to what is wanted."""

    GOOD = auto()
    NONE = auto()  # it has none at all
    NOT_YET_VALID = auto()
    FOREIGN = auto()  # an issuer in the chain is none of the authorities
    EXPIRED = auto()
    UNREADABLE = auto()  # its dates can't be read
    DUE = auto()  # good, and to be renewed


NEEDS_ANOTHER = frozenset({ChainVerdict.FOREIGN, ChainVerdict.EXPIRED, ChainVerdict.UNREADABLE, ChainVerdict.DUE})
"""Verdicts that ask for another certificate whatever the policy says."""


WRONG_AT_ONCE = frozenset({ChainVerdict.FOREIGN, ChainVerdict.UNREADABLE, ChainVerdict.DUE})
"""Verdicts which say, of a certificate that was just installed, that the next one would be no better."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and a sentence that says why."""

    verdict: ChainVerdict
    reason: str


def judge(
    chain: Iterable[ReportedCertificate], authorities: Iterable[str], renew_before: int, now: datetime
) -> Judgement:
    """Return how *chain* stands at the time *now*, if *authorities* issue and are renewed *renew_before* seconds early.

    Every issuer of the chain counts, and one certificate that is not valid yet outweighs all else: its device is left
    alone until then (recordings 169, 177).
    """
    chain, allowed = tuple(chain), frozenset(authorities)
    if not chain:
        return Judgement(ChainVerdict.NONE, "The device has no certificate.")
    judgements = [_judge(certificate, allowed, timedelta(seconds=renew_before), now) for certificate in chain]
    return min(judgements, key=lambda judgement: _WEIGHT.index(judgement.verdict))


_WEIGHT = (
    ChainVerdict.NOT_YET_VALID,
    ChainVerdict.FOREIGN,
    ChainVerdict.UNREADABLE,
    ChainVerdict.EXPIRED,
    ChainVerdict.DUE,
    ChainVerdict.GOOD,
    ChainVerdict.NONE,
)
"""Which verdict on one of a chain's certificates is the one on all of it, the weightiest first."""


def _judge(certificate: ReportedCertificate, allowed: frozenset[str], renewal: timedelta, now: datetime) -> Judgement:
    subject, begin, end = certificate.subject, certificate.not_before, certificate.not_after
    if "unreadable" in (begin, end):
        return Judgement(ChainVerdict.UNREADABLE, f"The dates of certificate {subject!r} can't be read.")
    if begin is None:
        return Judgement(ChainVerdict.NOT_YET_VALID, f"Certificate {subject!r} states no date from which it is valid.")
    is_foreign = certificate.issuer not in allowed
    if isinstance(begin, datetime) and now < begin and not (is_foreign and now + _FORESEEABLE < begin):
        return Judgement(ChainVerdict.NOT_YET_VALID, f"Certificate {subject!r} is not valid before {begin:%Y-%m-%d}.")
    if is_foreign:
        return Judgement(ChainVerdict.FOREIGN, f"Certificate {subject!r} is by {certificate.issuer!r}, none of ours.")
    if not isinstance(end, datetime):
        return Judgement(ChainVerdict.DUE, f"Certificate {subject!r} states no end, and is renewed.")
    if now > end:
        return Judgement(ChainVerdict.EXPIRED, f"Certificate {subject!r} expired on {end:%Y-%m-%d}.")
    if now + renewal > end:
        return Judgement(ChainVerdict.DUE, f"Certificate {subject!r} expires on {end:%Y-%m-%d}, and is renewed.")
    return Judgement(
        ChainVerdict.GOOD, f"Certificate {subject!r} by {certificate.issuer!r} is good until {end:%Y-%m-%d}."
    )


def is_revoked(chain: Collection[ReportedCertificate], revoked: datetime | None) -> bool:
    """Whether the device's own certificate in a reported *chain* is not later than the one that was *revoked*."""
    issuers = {certificate.issuer for certificate in chain}
    own = [certificate.not_before for certificate in chain if certificate.subject not in issuers]
    return revoked is not None and any(isinstance(begin, datetime) and begin <= revoked for begin in own)
