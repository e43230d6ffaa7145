"""For whom a certificate speaks: whether it is the device's own that a request claims to come from.

Who reads certificates does so once, and without regard to the time; what is decided here is
decided anew for each request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gitupd.core.actions import Say, Warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from gitupd.core.policy import Certificates, Transport

VENDOR_AUTHORITIES = ("innovaphone Device Certification Authority", "innovaphone Device Certification Authority 2")
"""The common names of the authorities that sign certificates of devices in the factory."""

BROKEN_TYPES: Mapping[str, str] = {"IP222s": "IP222", "IP232s": "IP232", "IP240a": "IP240", "IP200a": "IP200"}
"""What the common names of some early certificates begin with, up to the first dash, and what it has to be."""

_HARDWARE_ID = re.compile(
    r"(?P<type>.+)-([0-9a-f]{2})-([0-9a-f]{2})-([0-9a-f]{2})", re.ASCII | re.IGNORECASE | re.DOTALL
)
_SERIAL = re.compile(r"[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, as far as it matters for whom it speaks.

    ``common_name`` is None if the subject has none, or several; ``issuer`` is the issuer's. ``fingerprint`` and ``key``
    are SHA-256 of the whole and of its SubjectPublicKeyInfo, in hexadecimal digits. ``usage`` are the purposes that it
    names, and ``is_for_clients`` whether a client may use it by them.
    """

    common_name: str | None
    issuer: str | None
    not_before: datetime
    not_after: datetime
    fingerprint: str
    key: str
    usage: tuple[str, ...] = ()
    is_for_clients: bool = True

    @property
    def name(self) -> str:
        """What people know it by."""
        return _excerpt(self.common_name) if self.common_name else f"without a name, {self.fingerprint[:16]}"

    def untimely(self, now: datetime) -> str | None:
        """Return why it is not valid *now*, as the end of a sentence; None if it is."""
        if now < self.not_before:
            return f"is not valid before {_day(self.not_before)}"
        return f"has expired on {_day(self.not_after)}" if now > self.not_after else None


Path = tuple[Certificate, ...]
"""The certificates above a device's, the nearest first, up to an authority of the site."""


@dataclass(frozen=True, slots=True, eq=False)  # the same chain is the same object, and is not compared at each poll
class Shown:
    """What a client has shown: its own certificate, and what was found of its chain.

    ``certificate`` is None if what was shown is none. ``paths`` lead to authorities of the site, by certificates that
    may sign, with good signatures, and with nothing revoked; without any, ``fault`` says why, as a sentence ends.
    """

    certificate: Certificate | None
    paths: tuple[Path, ...] = ()
    fault: str = "leads to no authority of this site"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a request says it comes from, as it says it: ``serial`` without what separates its digits.

    ``hardware_id`` is None if it says nothing of it, as when an answer to a query is uploaded, and so is ``type``.
    """

    serial: str
    hardware_id: str | None = None
    type: str | None = None

    def contradiction(self) -> str | None:
        """Return why what it says can't be of one device, None if it can.

        The type counts, for it chooses among snippets: a phone is not to be told what is meant for gateways.
        """
        if not self.hardware_id:
            return None
        if not _fits(self.hardware_id, self.serial):
            return f"hardware id {_excerpt(self.hardware_id)} and serial number {self.serial} are not of one device"
        match = _HARDWARE_ID.fullmatch(self.hardware_id)
        if self.type and match and not _are_alike(match["type"], self.type):
            return f"hardware id {_excerpt(self.hardware_id)} and type {_excerpt(self.type)} are not of one device"
        return None

    def is_named(self, name: str) -> bool:
        """Whether a certificate of the common name *name* is of the device that this claims to be.

        Letter case counts, as it did in the PHP server.
        """
        if name == self.serial:
            return True
        return _fits(name, self.serial) if self.hardware_id is None else name == self.hardware_id

    def __str__(self) -> str:
        """Return the claim in the words of the vendor's article."""
        return f"{_excerpt(self.hardware_id)} / {self.serial}" if self.hardware_id else self.serial


@dataclass(frozen=True, slots=True)
class Identity:
    """Whether a request is known to come from the device that it names, and why, or why not.

    ``reason`` is a clause that fits into a comment. ``certificate`` and ``path`` are what was shown and what it leads
    up; None and empty if nothing was, or it could not be read.
    """

    is_trusted: bool
    reason: str
    certificate: Certificate | None = None
    path: Path = ()
    was_shown: bool = True

    def without_name(self) -> Identity:
        """Return what all devices share that stand the same: nothing in it tells them apart."""
        if not self.was_shown:
            return self
        return _SOMEBODY_TRUSTED if self.is_trusted else _SOMEBODY


NOT_SHOWN = Identity(
    is_trusted=False,
    reason="no certificate was shown: wrong port, or a proxy in between?",
    was_shown=False,
)
NOT_BY_HTTP = replace(NOT_SHOWN, reason="no certificate was shown, for HTTP has none")
PRESUMED = Identity(is_trusted=True, reason="good certificate", was_shown=False)
"""Of a device that is imagined to have shown a good one."""

_SOMEBODY_TRUSTED = Identity(is_trusted=True, reason="")
_SOMEBODY = Identity(is_trusted=False, reason="")


def identify(shown: Shown | None, claim: Claim, policy: Certificates, now: datetime) -> Identity:
    """Return whether what a client has *shown* speaks for the device that it *claims* to be, by *policy* and *now*."""
    if shown is None:
        return NOT_SHOWN
    fault, good = _timeless(shown, claim, policy.authorities, policy.wildcard)
    if fault is not None:
        return fault
    for start, end, identity in good:
        if start <= now <= end:
            return identity
    path = good[0][2].path
    return Identity(is_trusted=False, reason=_untimely(shown, path, now), certificate=shown.certificate, path=path)


_Timed = tuple["datetime", "datetime", Identity]
"""From when until when an identity holds."""


@lru_cache(maxsize=4096)
def _timeless(
    shown: Shown, claim: Claim, authorities: tuple[str, ...], wildcard: str | None
) -> tuple[Identity | None, tuple[_Timed, ...]]:
    """Return what does not depend on the time: the identity that holds at any, or what holds when.

    Remembered, for most devices show and claim the same at each of their polls.
    """
    certificate = shown.certificate
    if certificate is None:
        return Identity(is_trusted=False, reason=f"what was shown {shown.fault}"), ()
    named = [path for path in shown.paths if _is_of(path, authorities)]
    path = (named or shown.paths or ((),))[0]
    fault = _misnomer(certificate, claim, wildcard) or _unfit(shown, certificate, named)
    if fault is not None:
        return Identity(is_trusted=False, reason=fault, certificate=certificate, path=path), ()
    praise = f"good certificate (CN={certificate.name})"
    return None, tuple(
        (
            max(each.not_before for each in (certificate, *path)),
            min(each.not_after for each in (certificate, *path)),
            Identity(is_trusted=True, reason=praise, certificate=certificate, path=path),
        )
        for path in named
    )


def remarks(identity: Identity) -> Iterator[Say | Warn]:
    """Yield what is said to one device and no other, which is why it is put into what many share."""
    if identity.was_shown and identity.reason:
        yield Say(identity.reason) if identity.is_trusted else Warn(identity.reason)


def refusal(transport: Transport, scheme: str, identity: Identity) -> str | None:
    """Return why a request by *scheme* may neither have nor bring what needs trust, None if it may."""
    if transport.https == "required" and scheme != "https":
        return "HTTPS is required"
    if transport.client_certificate == "required" and not identity.is_trusted:
        return f"a client certificate is required; {identity.reason}"
    return None


def _misnomer(certificate: Certificate, claim: Claim, wildcard: str | None) -> str | None:
    """Return why *certificate* is not of the device of *claim*, None if it is by its name."""
    if contradiction := claim.contradiction():
        return contradiction
    if certificate.common_name is None:
        return f"claims to be {claim}, but identifies by a certificate without one common name"
    name = corrected(certificate.common_name)
    if claim.is_named(name) or name == wildcard:
        return None
    return f"claims to be {claim}, but identifies as {_excerpt(name)}"


def _unfit(shown: Shown, certificate: Certificate, named: Sequence[Path]) -> str | None:
    """Return why what was *shown* is good at no time, None if it is at some; *named* are ways to who is to sign it."""
    if not shown.paths:
        return _distrust(certificate, shown.fault)
    if not certificate.is_for_clients:
        return _distrust(certificate, "is not for clients, by its key usage")
    if not named:
        issuer = shown.paths[0][0].name
        return _distrust(certificate, f"is of {issuer}, which is none of the authorities of the policy")
    return None


def _untimely(shown: Shown, path: Path, now: datetime) -> str:
    """Return why what was *shown*, and leads up *path*, is not good *now*."""
    certificate = shown.certificate
    if certificate is not None and (untimely := certificate.untimely(now)):
        return _distrust(certificate, untimely)
    above, untimely = next((above, fault) for above in path if (fault := above.untimely(now)))
    return _distrust(certificate, f"is of an authority that {untimely}: {above.name}")


def _is_of(path: Path, authorities: Sequence[str]) -> bool:
    """Whether one of *authorities* has signed on *path*; none named means that each will do."""
    return not authorities or any(above.common_name in authorities for above in path)


def _distrust(certificate: Certificate | None, why: str) -> str:
    name = certificate.name if certificate else ""
    return f"certificate not trusted (CN={name}): it {why}"


def names_another(name: str, serial: str) -> bool:
    """Whether the common name *name* is that of a device, and not of the one with this *serial* number."""
    if _SERIAL.fullmatch(name):
        return name.lower() != serial.lower()
    return _HARDWARE_ID.fullmatch(name) is not None and not _fits(name, serial)


def corrected(name: str) -> str:
    """Return a common name without the mistake that early certificates of some types have in theirs."""
    model, dash, rest = name.partition("-")
    return f"{BROKEN_TYPES.get(model, model)}{dash}{rest}"


def _fits(hardware_id: str, serial: str) -> bool:
    """Whether a hardware id ends as the serial number does: in three bytes with dashes between them."""
    match = _HARDWARE_ID.fullmatch(hardware_id)
    return match is not None and "".join(match.groups()[1:]).lower() == serial[-6:].lower()


def _are_alike(one: str, other: str) -> bool:
    """Whether two types are the same, in any letter case, and also by the names that early devices are mistaken for."""
    alike = {each.lower(): right.lower() for each, right in BROKEN_TYPES.items()}
    return alike.get(one.lower(), one.lower()) == alike.get(other.lower(), other.lower())


def _excerpt(text: str) -> str:
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")
