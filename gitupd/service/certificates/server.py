"""The certificate with which a server speaks TLS, where the operator has given none."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.listeners import KeyPair
from gitupd.store.certificates.server import make_server_certificate, read_server_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.service.site import Site
    from gitupd.store.certificates.server import ServerCertificate


def own_certificate(site: Site, now: datetime) -> str | None:
    """Make a key and a certificate for *site* if it needs them and has none; return the fingerprint of a new one.

    Files that the settings name are the operator's, and never made. Raises SiteError if one can't be read.
    """
    pair = site.settings.tls.first
    certificate, key = site.path / pair.certificate, site.path / pair.key
    if pair != KeyPair() or certificate.exists() or key.exists():
        return None
    make_server_certificate(certificate, key, now)
    return read_server_certificate(certificate).fingerprint


def server_certificates(site: Site) -> Iterator[tuple[str, ServerCertificate]]:
    """Yield the server's certificates that are there and can be read, by the names of their files in the settings."""
    tls = site.settings.tls
    for pair in (tls.first, *tls.further):
        with suppress(SiteError):
            yield pair.certificate, read_server_certificate(site.path / pair.certificate)
