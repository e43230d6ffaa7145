"""The folder of what a site trusts, as somebody changes it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.core.people.audit import Kind
from gitupd.errors import GitupdError, SiteError
from gitupd.store.certificates.deeds import Deeds
from gitupd.store.certificates.reading import CertificateReading, UnreadableCertificate
from gitupd.store.certificates.revocation import RevocationList
from gitupd.store.certificates.trust import (
    MOST_FILES,
    TrustedAuthority,
    TrustStore,
    contents,
    read_trust,
    trust_files,
)
from gitupd.store.durable import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_FEWEST_DIGITS = 8  # of a fingerprint; fewer may fit by chance
_NOT_IN_FILES = re.compile(r"[^0-9a-z]+")


class TrustFolder:
    """The folder with an authority, or several, in each file, and lists of revoked certificates in others."""

    def __init__(self, path: Path, database: Database) -> None:
        """Keep them in the folder *path*, which need not be there; what is changed has its entry in *database*."""
        self.path = path
        self._last: tuple[object, TrustStore] = (None, TrustStore())
        self._deeds = Deeds(path, database, added=Kind.TRUST_ADD, removed=Kind.TRUST_REMOVE)

    def settle(self) -> None:
        """Finish what somebody was killed at, or take it back; raises SiteError."""
        self._deeds.settle()

    def add(self, content: bytes, event: Event) -> tuple[str, ...]:
        """Trust the authorities in *content*, and take over the lists in it; return the names of the new files.

        What is there already is left out. Raises GitupdError for anything else than both; nothing is changed then.
        """
        try:
            items = contents(content)
        except UnreadableCertificate as error:
            raise GitupdError(f"what was given {error}") from error
        with self._deeds.claimed():
            store = self.read()
            authorities = [item for item in items if isinstance(item, CertificateReading)]
            lists = [item for item in items if isinstance(item, RevocationList)]
            for reading in authorities:
                if (fault := TrustedAuthority("", reading).fault) is not None:
                    raise GitupdError(f"{reading.certificate.name} {fault}; add the certificate of the one above it")
            known = {each.reading.der for each in store.authorities}
            signers = [*(each.reading for each in store.authorities), *authorities]
            for each in lists:
                _check_list(each, signers, store)
            new = [reading for reading in authorities if reading.der not in known]
            if len(trust_files(self.path)) + len(new) + len(lists) > MOST_FILES:
                raise GitupdError(f"{self.path} holds as many files as it may; remove some that are not needed")
            names = [self._add_authority(reading, event) for reading in new]
            return (*names, *(self._add_list(each, store, event) for each in lists))

    def claimed(self) -> AbstractContextManager[None]:
        """Keep everybody else from changing the folder while the block runs; raises SiteError."""
        return self._deeds.claimed()

    def lay_aside(self, connection: Connection, content: bytes, event: Event) -> list[Path]:
        """Write authorities in PEM that are not trusted yet within a transaction, and return where.

        :meth:`put` them once that has ended. For whoever has claimed the folder.
        """
        known = {each.reading.der for each in self.read().authorities}
        asides = []
        for item in contents(content):
            if isinstance(item, CertificateReading) and item.der not in known:
                name = f"{_slug(item.certificate.common_name)}-{item.certificate.fingerprint[:8]}.pem"
                pem = item.parsed.public_bytes(Encoding.PEM)
                said = f"trust/{name}, SHA-256 {item.certificate.fingerprint}"
                entry = replace(event, subject=item.certificate.name, detail=said)
                asides.append(self._deeds.lay_aside(connection, name, pem, entry))
        return asides

    def lay_aside_list(self, connection: Connection, name: str, content: bytes, event: Event) -> Path:
        """Write a list in PEM within a transaction, to be the file *name*, and return where; as :meth:`lay_aside`."""
        return self._deeds.lay_aside(connection, name, content, event)

    def put(self, asides: Iterable[Path]) -> None:
        """Give what was laid aside its names."""
        for aside in asides:
            self._deeds.put(aside)

    def renew_list(self, name: str, content: bytes) -> None:
        """Have a later list in the file *name*, which says the same; for whoever has claimed the folder.

        Nobody did that, so the audit has no entry. Raises SiteError.
        """
        try:
            with replacing(self.path / name) as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)
        except OSError as error:
            raise SiteError(f"can't write {self.path / name}: {error.strerror}") from error

    def _add_authority(self, reading: CertificateReading, event: Event) -> str:
        certificate = reading.certificate
        name = f"{_slug(certificate.common_name)}.pem"
        if (self.path / name).exists():
            name = f"{_slug(certificate.common_name)}-{certificate.fingerprint[:8]}.pem"
        detail = f"trust/{name}, SHA-256 {certificate.fingerprint}"
        pem = reading.parsed.public_bytes(Encoding.PEM)
        self._deeds.add(name, pem, replace(event, subject=certificate.name, detail=detail))
        return name

    def _add_list(self, added: RevocationList, store: TrustStore, event: Event) -> str:
        known = [each.file for each in store.lists if each.list.issuer == added.issuer]
        name = known[0] if known else f"{_slug(added.name)}-{hashlib.sha256(added.issuer).hexdigest()[:8]}.crl"
        detail = f"trust/{name}, a list of {len(added.numbers):,} revoked certificates, SHA-256 {added.fingerprint}"
        self._deeds.add(
            name, added.parsed.public_bytes(Encoding.PEM), replace(event, subject=added.name, detail=detail)
        )
        return name

    def remove(self, name: str, event: Event) -> str:
        """Trust an authority, or a list, no more, and return its file's name.

        It may be named by file, by common name, or by the beginning of its fingerprint. Raises GitupdError if that
        names none, or several.
        """
        with self._deeds.claimed():
            file = self._named(name, self.read())
            self._deeds.remove(file, replace(event, subject=name, detail=f"trust/{file}"))
            return file

    def _named(self, name: str, store: TrustStore) -> str:
        files = [path.name for path in trust_files(self.path)]
        if name in files:
            return name
        if len(matching := {file for file in files if file.rpartition(".")[0] == name}) == 1:
            return matching.pop()
        entries = [
            (each.file, each.reading.certificate.common_name, each.reading.certificate.fingerprint)
            for each in store.authorities
        ]
        entries += [(each.file, each.list.name, each.list.fingerprint) for each in store.lists]
        matching = {
            file
            for file, known, digest in entries
            if name == known or (len(name) >= _FEWEST_DIGITS and digest.startswith(name.lower()))
        }
        if len(matching) != 1:
            listed = ", ".join(sorted(matching or files)) or "nothing"
            raise GitupdError(f"{name!r} names {'several' if matching else 'none'}; name one of the files: {listed}")
        file = matching.pop()
        if (count := sum(1 for each in entries if each[0] == file)) > 1:
            raise GitupdError(f"{file} holds {count} of them; to remove them all, name the file")
        return file

    def state(self) -> object:
        """Return something that is another if any file is; raises SiteError."""
        return tuple((path.name, _stamp(path)) for path in trust_files(self.path))

    def read(self) -> TrustStore:
        """Return all that is there; what can't be read is named. Raises SiteError if the folder can't be.

        Files that are as they were are not read again.
        """
        state, (known, store) = self.state(), self._last
        if state != known or not state:
            store = read_trust(self.path)
            self._last = state, store
        return store


def _check_list(added: RevocationList, signers: Sequence[CertificateReading], store: TrustStore) -> None:
    """Raise GitupdError if nobody who is trusted has signed a list, or a later one is there."""
    if not added.is_signed_by(signers):
        raise GitupdError(f"no authority of this site has signed the list of {added.name}; add the authority first")
    if any(each.list.issuer == added.issuer and each.list.updated > added.updated for each in store.lists):
        raise GitupdError(f"the list of {added.name} is older than the one that is there; take the latest")


def _slug(name: str | None) -> str:
    """Return a name as the beginning of a file's."""
    return _NOT_IN_FILES.sub("-", (name or "").removeprefix("CN=").lower()).strip("-")[:60] or "authority"


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
