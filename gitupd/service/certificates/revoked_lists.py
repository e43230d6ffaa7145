"""Lists of what the site's own authority has revoked: made, renewed in time, and handed out."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.errors import GitupdError, SiteError
from gitupd.store.certificates.making import RevokedEntry, list_number, make_list
from gitupd.store.certificates.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gitupd.service.site import Site
    from gitupd.store.certificates.authority import OwnAuthority
    from gitupd.store.certificates.issued import IssuedCertificate

VALID = timedelta(days=7)
"""How long a list counts."""

_RENEWED = timedelta(days=1)
"""After which time it is made anew, so that a server may be away for six days."""

_LOOK_SECONDS = 1.0
_FORGOTTEN = timedelta(days=30)
"""So long after its end a certificate is on the list still."""

FLAGS = {
    "key-compromise": x509.ReasonFlags.key_compromise,
    "affiliation-changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation-of-operation": x509.ReasonFlags.cessation_of_operation,
    "privilege-withdrawn": x509.ReasonFlags.privilege_withdrawn,
}
"""Reasons that are on the list, in the words of RFC 5280; others are in the audit alone."""


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A list as it is handed out; ``next_update`` is until when it counts."""

    der: bytes = field(repr=False)
    number: int
    updated: datetime
    next_update: datetime
    revoked: int

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the list."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> bytes:
        """The same as text."""
        return x509.load_der_x509_crl(self.der).public_bytes(Encoding.PEM)


class PublishedLists:
    """The lists of a site, looked at once a second at the most, however often they are asked for."""

    def __init__(self, site: Site) -> None:
        """Hand out the lists of *site*; any thread may ask."""
        self._site = site
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._lists: dict[int, PublishedList] = {}
        self._current = 0
        self._known: dict[str, tuple[object, PublishedList | None]] = {}

    @property
    def is_stale(self) -> bool:
        """Whether :meth:`look` would look at files."""
        return time.monotonic() - self._looked >= _LOOK_SECONDS

    def look(self) -> None:
        """Look whether there are other lists by now; what can't be read leaves what was known."""
        with self._lock:
            if not self.is_stale:
                return
            self._looked = time.monotonic()
            try:
                authorities = self._site.authority.all()
            except GitupdError:
                return
            listed = {each.number: self._read(each) for each in authorities}
            self._lists = {number: each for number, each in listed.items() if each is not None}
            self._current = max(listed, default=0)

    def of(self, number: int | None) -> PublishedList | None:
        """Return the list of the authority with that *number*, None for the one that signs; None if there is none."""
        return self._lists.get(self._current if number is None else number)

    def _read(self, authority: OwnAuthority) -> PublishedList | None:
        """Return the list of an authority, which is read if its file has changed."""
        name = list_file(authority)
        try:
            status = (self._site.trust.path / name).stat()
        except OSError:
            return None
        state = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(name)
        if known is None or known[0] != state:
            known = self._known[name] = state, published(self._site, authority)
        return known[1]


def list_file(authority: OwnAuthority) -> str:
    """Return the name of the file in ``trust/`` that has the list of an authority."""
    return f"authority-{authority.reading.certificate.fingerprint[:16]}.crl"


def published(site: Site, authority: OwnAuthority) -> PublishedList | None:
    """Return the list of an authority as it is now, None if there is none that can be read."""
    try:
        listed = x509.load_pem_x509_crl((site.trust.path / list_file(authority)).read_bytes())
        updated, end = listed.last_update_utc, listed.next_update_utc
        der = listed.public_bytes(Encoding.DER)
        return PublishedList(der, list_number(listed), updated, end or updated + VALID, len(listed))
    except (OSError, *UNREADABLE):
        return None


def new_list(site: Site, authority: OwnAuthority, revoked: Iterable[IssuedCertificate], now: datetime) -> bytes:
    """Return a list in PEM with a higher number than the last; raises SiteError if the key can't be used."""
    issuer = site.authority.issuer(authority)
    before = published(site, authority)
    number = max(before.number + 1 if before else 1, int(now.timestamp()))  # grows even if the last list was lost
    start = now.replace(microsecond=0)
    return make_list(issuer, _entries(revoked), number, (start, start + VALID)).public_bytes(Encoding.PEM)


def still_listed(now: datetime) -> datetime:
    """Return since when a certificate has to be over not to be on a list any more."""
    return now - _FORGOTTEN


def renew_lists(site: Site, now: datetime) -> list[str]:
    """Make those lists anew that are about to be over, or missing; return the names of their files.

    Raises SiteError, once all that can be are, if one can't.
    """
    made, faults = [], []
    for authority in site.authority.all():
        if authority.reading.certificate.not_after < now or not _is_due(published(site, authority), now):
            continue
        try:
            with site.trust.claimed():
                revoked = site.issued.revoked(authority.reading.certificate.fingerprint, still_listed(now))
                site.trust.renew_list(list_file(authority), new_list(site, authority, revoked, now))
            made.append(list_file(authority))
        except GitupdError as error:
            faults.append(str(error))
    if faults:
        raise SiteError("; ".join(faults))
    return made


def _is_due(known: PublishedList | None, now: datetime) -> bool:
    """Whether a list is to be made anew: it is old, or from a time that has not come yet."""
    return known is None or not now - _RENEWED < known.updated <= now + _RENEWED


def _entries(revoked: Iterable[IssuedCertificate]) -> Iterator[RevokedEntry]:
    for each in revoked:
        if each.revoked is not None:
            yield RevokedEntry(int(each.number, 16), each.revoked, FLAGS.get(each.revoked_reason))
