"""The authorities that a site trusts to identify devices, and lists of what they have revoked: files in a folder."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from gitupd.core.identity import Shown
from gitupd.errors import SiteError
from gitupd.store.certificates.chains import ways
from gitupd.store.certificates.reading import (
    CERTIFICATE,
    LARGEST,
    CertificateReading,
    UnreadableCertificate,
    blocks,
    read,
)
from gitupd.store.certificates.revocation import LARGEST as LARGEST_LIST
from gitupd.store.certificates.revocation import RevocationList, UnreadableList, read_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from gitupd.store.certificates.chains import Way

MOST_SHOWN = 10
"""Certificates that are looked at of those that a client shows."""
MOST_FILES = 500
_UNSIGNED = "no authority in trust/ has signed this list of revoked certificates: it counts where its own is shown"
_NEITHER = "is neither a certificate nor a list of revoked certificates, in PEM or DER"
_LISTS, _CERTIFICATES = ".crl", frozenset({".pem", ".crt", ".cer", ".der"})


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """An authority of the site, and the ``file`` that it is in."""

    file: str
    reading: CertificateReading

    @property
    def fault(self) -> str | None:
        """Why it identifies nobody, None if it may."""
        if self.reading.fault is not None:
            return self.reading.fault
        old_root = self.reading.is_old and self.reading.is_self_issued
        return None if self.reading.may_sign or old_root else "may not sign others"


@dataclass(frozen=True, slots=True)
class TrustedList:
    """A list of revoked certificates, and the ``file`` that it is in.

    It counts if an authority of the site has signed it, or the one below which somebody shows a certificate.
    """

    file: str
    list: RevocationList
    is_signed: bool


@dataclass(frozen=True)
class TrustStore:
    """What a site trusts at one moment; ``troubles`` are sentences on files that could not be used."""

    authorities: tuple[TrustedAuthority, ...] = ()
    lists: tuple[TrustedList, ...] = ()
    faults: tuple[str, ...] = field(default=())

    def shown(self, certificates: Sequence[bytes]) -> Shown:
        """Return what is to be made of the *certificates* that a client has shown, in DER and its own first."""
        try:
            own = read(certificates[0])
        except UnreadableCertificate as error:
            return Shown(None, fault=str(error))
        others = _readable(certificates[1:MOST_SHOWN])
        holding, fault = ways(own, others, self._anchors)
        kept = tuple(way for way in holding if self._revoked(own, way) is None)
        if holding and not kept:
            revoked = self._revoked(own, holding[0])
            fault = "was revoked" if revoked is own else f"is of an authority that was revoked: {_name(revoked)}"
        return Shown(own.certificate, tuple(tuple(above.certificate for above in way) for way in kept), fault)

    def troubles(self, now: datetime) -> tuple[str, ...]:
        """Return what is wrong with the files at the time *now*, each as a sentence without its full stop."""
        stale = (
            f"{each.file}: the list of revoked certificates was to be replaced by {each.list.next_update:%Y-%m-%d}"
            for each in self.lists
            if each.list.next_update is not None and each.list.next_update < now
        )
        unsigned = (f"{each.file}: {_UNSIGNED}" for each in self.lists if not each.is_signed)
        unfit = (
            f"{each.file}: {each.reading.certificate.name} {each.fault}" for each in self.authorities if each.fault
        )
        return (*self.faults, *unfit, *unsigned, *stale)

    @cached_property
    def _anchors(self) -> tuple[CertificateReading, ...]:
        return tuple(each.reading for each in self.authorities)

    @cached_property
    def _revocations(self) -> Mapping[bytes, frozenset[int]]:
        """The serial numbers that are revoked, by the names of issuers: these may sign with more than one key."""
        numbers: dict[bytes, frozenset[int]] = defaultdict(frozenset)
        for each in self.lists:
            if each.is_signed:
                numbers[each.list.issuer] |= each.list.numbers
        return dict(numbers)

    def _revoked(self, own: CertificateReading, way: Way) -> CertificateReading | None:
        """Return the first certificate that is revoked of *own* and those above it, None if none is."""
        revocations = self._revocations
        for below, above in zip((own, *way), (*way, None), strict=True):
            if below.number in revocations.get(below.issuer, ()):
                return below
            if above is not None and any(below.number in each.numbers for each in self._lists_by(above)):
                return below
        return None

    def _lists_by(self, above: CertificateReading) -> Iterator[RevocationList]:
        """Yield the lists that *above*, which leads up to an authority of the site, has signed and none of these."""
        for each in self.lists:
            if not each.is_signed and each.list.issuer == above.subject:
                key = each.list.fingerprint, above.der
                if key not in self._signers:
                    self._signers[key] = each.list.is_signed_by((above,))
                if self._signers[key]:
                    yield each.list

    @cached_property
    def _signers(self) -> dict[tuple[str, bytes], bool]:
        """Whether an authority has signed a list; there are as few as there are authorities that lead up to ours."""
        return {}


def read_trust(folder: Path) -> TrustStore:
    """Return all that is in *folder*; what can't be read is named. Raises SiteError if the folder can't be."""
    authorities: dict[bytes, TrustedAuthority] = {}
    lists: list[tuple[str, RevocationList]] = []
    faults: list[str] = []
    for path in trust_files(folder):
        try:
            for item in contents(_bytes(path)):
                if isinstance(item, CertificateReading):
                    authorities.setdefault(item.der, TrustedAuthority(path.name, item))
                else:
                    lists.append((path.name, item))
        except UnreadableCertificate as error:
            faults.append(f"{path.name}: {error}")
    readings = [each.reading for each in authorities.values()]
    signed = tuple(TrustedList(file, each, each.is_signed_by(readings)) for file, each in lists)
    return TrustStore(tuple(authorities.values()), signed, tuple(faults))


def trust_files(folder: Path) -> list[Path]:
    """Return the files of *folder* that hold authorities or lists, in order; none if it is not there.

    Raises SiteError if it can't be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SiteError(f"can't read {folder}: {error.strerror}") from error
    files = [folder / name for name in names]
    return [path for path in files if path.suffix.lower() in (_LISTS, *_CERTIFICATES)][:MOST_FILES]


def contents(content: bytes) -> tuple[CertificateReading | RevocationList, ...]:
    """Return the certificates and lists in the *content* of a file, in PEM or DER; raises UnreadableCertificate."""
    listed = list(blocks(content))
    if listed:
        return tuple(read(der) if kind == CERTIFICATE else read_list(der) for kind, der in listed)
    with suppress(UnreadableCertificate):
        if len(content) <= LARGEST:
            return (read(content),)
    try:
        return (read_list(content),)
    except UnreadableList as error:
        raise UnreadableCertificate(_NEITHER) from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_LIST + 1)
    except OSError as error:
        raise UnreadableCertificate(f"can't be read: {error.strerror}") from error
    if len(content) > LARGEST_LIST:
        raise UnreadableCertificate(f"is larger than {LARGEST_LIST // 2**20} MiB")
    return content


def _readable(certificates: Iterable[bytes]) -> tuple[CertificateReading, ...]:
    readings = []
    for der in certificates:
        try:
            readings.append(read(der))
        except UnreadableCertificate:
            continue  # it leads nowhere, and what belongs to it is found without
    return tuple(readings)


def _name(reading: CertificateReading | None) -> str:
    return reading.certificate.name if reading else ""
