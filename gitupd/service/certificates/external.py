"""Who signs elsewhere, as the settings of a site say."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.service.certificates.command_signer import CommandSigner
from gitupd.store.certificates.account import AcmeFolder

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.service.certificates.signers import Signer
    from gitupd.service.site import Site
    from gitupd.settings import SigningSettings

_MOST_SECRET = 4096


def external_signer(site: Site, stopping: threading.Event | None = None) -> Signer:
    """Return who signs elsewhere for *site*, until *stopping* is set; raises SiteError if nobody is set up."""
    settings = site.settings.signing
    if settings.command:
        return CommandSigner(settings.command, settings.seconds, site.path, stopping or threading.Event())
    if settings.acme:
        return _acme(settings, site.path)
    raise SiteError(
        "an authority elsewhere signs, and none is set up: [signing] in gitupd.toml names a command, or acme"
    )


def _acme(settings: SigningSettings, site: Path) -> Signer:
    try:
        from gitupd.service.certificates.acme_signer import AcmeSigner  # noqa: PLC0415 - it is an extra
    except ModuleNotFoundError as error:
        raise SiteError(f"an authority that speaks ACME needs: pip install gitupd[acme] ({error})") from error
    return AcmeSigner(settings, AcmeFolder(site), _secret(settings, site))


def _secret(settings: SigningSettings, site: Path) -> str:
    """Return what binds the account to one that the authority knows; empty if nothing does."""
    if not settings.acme_key_file:
        return ""
    path = site / settings.acme_key_file
    try:
        with path.open(encoding="ascii") as file:
            return file.read(_MOST_SECRET).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"can't read {path}, which acme_key_file names: {error}") from error
