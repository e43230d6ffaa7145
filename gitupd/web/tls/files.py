"""The files that TLS needs, as they were when they last could be used, and whether they have changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gitupd.errors import SiteError
from gitupd.service.background import Trouble
from gitupd.store.certificates.server import read_authorities, read_server_certificate, read_server_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitupd.listeners import TlsSettings
    from gitupd.store.certificates.server import Certificate, ServerCertificate, ServerKey

TRUST = "trust"
"""The folder of a site with the authorities whose certificates identify devices."""

log = structlog.get_logger()

_State = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """Certificates of the server with their keys, the first for whoever asks for no other, and whom it trusts."""

    pairs: tuple[tuple[ServerCertificate, ServerKey], ...]
    authorities: tuple[Certificate, ...]


class TlsFiles:
    """The key material of a site; files that can't be used, as while they are written, leave it as it was."""

    def __init__(self, settings: TlsSettings, site: Path) -> None:
        """Read what *settings* name; raises SiteError if that can't be used."""
        self._pairs = [(site / pair.certificate, site / pair.key) for pair in (settings.first, *settings.further)]
        self._trust = site / TRUST
        self._state = self._look()
        self.material = self._read()
        self._trouble = Trouble("certificates are not taken over")

    @property
    def trouble(self) -> str | None:
        """Why the files can't be used as they are now, None if they can."""
        return self._trouble.text

    def has_changed(self) -> bool:
        """Look at the files, and return whether there is new key material."""
        try:
            state = self._look()
            if state == self._state:
                return False
            self._state = state
            self.material = self._read()
        except (SiteError, OSError) as error:
            self._trouble.note(error)
            return False
        self._trouble.over()
        log.info("certificates are taken over", files=[str(certificate) for certificate, _ in self._pairs])
        return True

    def _look(self) -> _State:
        paths = [path for pair in self._pairs for path in pair]
        return tuple(_stamp(path) for path in (*paths, *sorted(self._trust.glob("*.pem"))))

    def _read(self) -> KeyMaterial:
        certificates = [(read_server_certificate(path), key) for path, key in self._pairs]
        pairs = tuple((certificate, read_server_key(key, certificate)) for certificate, key in certificates)
        return KeyMaterial(pairs, tuple(_authorities(self._trust)))


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (str(path), 0, 0, 0)
    return (str(path), status.st_mtime_ns, status.st_size, status.st_ino)


def _authorities(folder: Path) -> Sequence[Certificate]:
    """Return the authorities in the files ``*.pem`` of *folder*; a file that can't be read is passed over, and told."""
    authorities: list[Certificate] = []
    for path in sorted(folder.glob("*.pem")):
        try:
            authorities += read_authorities(path)
        except SiteError as error:
            log.warning("an authority is passed over", error=str(error))
    return authorities
