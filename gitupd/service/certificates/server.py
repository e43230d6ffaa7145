"""The certificate with which a server speaks TLS, where the operator has given none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.listeners import KeyPair
from gitupd.store.certificates.server import make_server_certificate, read_server_certificate

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.service.site import Site


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
