"""The account of a site at an authority that speaks ACME, and the orders that it has placed there, as files."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.store.durable import create, replacing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER = "acme"
_KEY, _ACCOUNT, _ORDERS = "account.key", "account.json", "orders"
_MOST_ORDERS = 10_000


class AcmeFolder:
    """A folder of a site that nobody else may read; the key in it is the account."""

    def __init__(self, site: Path) -> None:
        """Keep what belongs to *site*."""
        self.site, self._folder = site, site / FOLDER

    def key(self, make: Callable[[], bytes]) -> bytes:
        """Return the key of the account (PEM), which *make* makes if there is none; raises SiteError."""
        path = self._folder / _KEY
        try:
            if not path.exists():
                self._folder.mkdir(mode=0o700, exist_ok=True)
                create(path, make())
            return path.read_bytes()
        except OSError as error:
            raise SiteError(f"can't read {path}: {error.strerror or error}") from error

    def account(self, directory: str) -> str | None:
        """Return the address of the account at the authority with that *directory*, None if there is none yet."""
        said = self._account()
        return said.get("uri") if said.get("directory") == directory else None

    @property
    def thumbprint(self) -> str:
        """That of the account's key: who proves a name by HTTP says it behind the token; empty without an account."""
        return self._account().get("thumbprint", "")

    def note_account(self, directory: str, uri: str, thumbprint: str) -> None:
        """Remember the account."""
        content = json.dumps({"directory": directory, "uri": uri, "thumbprint": thumbprint})
        self._write(_ACCOUNT, content.encode())

    def order(self, digest: str) -> str | None:
        """Return the address of the order for the request with that *digest*, None if none is open."""
        with suppress(OSError, UnicodeDecodeError):
            return (self._folder / _ORDERS / digest).read_text("utf-8")
        return None

    def note_order(self, digest: str, uri: str) -> None:
        """Remember that an order was placed, so that it is placed once, however often somebody is killed."""
        self._write(f"{_ORDERS}/{digest}", uri.encode())
        orders = sorted((self._folder / _ORDERS).iterdir(), key=lambda path: path.stat().st_mtime)
        for path in orders[:-_MOST_ORDERS]:
            path.unlink(missing_ok=True)

    def forget_order(self, digest: str) -> None:
        """Forget an order that has come to its end."""
        (self._folder / _ORDERS / digest).unlink(missing_ok=True)

    def _account(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            said = json.loads((self._folder / _ACCOUNT).read_bytes())
            if isinstance(said, dict):
                return {key: str(value) for key, value in said.items()}
        return {}

    def _write(self, name: str, content: bytes) -> None:
        """Have *content* in a file that nobody else may read, at once or not at all; raises SiteError."""
        path = self._folder / name
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(path) as file:
                file.write(content)
        except OSError as error:
            raise SiteError(f"can't write {path}: {error.strerror or error}") from error
