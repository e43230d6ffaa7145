"""The key of a site, and encryption with age: what is in a configuration repository for its server alone.

The key is a file in the format of age, so that the program ``age`` takes it, too: a private key a line, the newest
first. Older ones open what was encrypted before the key was changed.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

from gitupd.core.secrets.sealed import Unopened
from gitupd.errors import SiteError
from gitupd.store.durable import create, replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gitupd.core.secrets.sealed import Opener

_PREFIX = "AGE-SECRET-KEY-1"


class SecretsKey:
    """The private keys in a file, which nobody else may read."""

    def __init__(self, path: Path) -> None:
        """Use the file at *path*, which need not exist."""
        self.path = path

    @property
    def exists(self) -> bool:
        """Whether there is such a file."""
        return self.path.is_file()

    @property
    def mark(self) -> tuple[int, int] | None:
        """What changes when the file does, None if there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def recipients(self) -> tuple[str, ...]:
        """Return what to encrypt to, the newest first; raises SiteError if there is no key, or it can't be used."""
        return tuple(str(identity.to_public()) for identity in self._identities())

    def create(self) -> str:
        """Make a key, and return its recipient; raises SiteError if there is one already."""
        if self.exists:
            raise SiteError(f"{self.path} is there already; gitupd secrets rotate makes another key")
        identity = _generated()
        try:
            create(self.path, _written([identity]))
        except OSError as error:
            raise SiteError(f"can't write {self.path}: {error.strerror}") from error
        return self.recipients()[0]

    def add(self) -> str:
        """Make another key, by which is encrypted from now on, and return its recipient; the older ones stay."""
        return self._keep([_generated(), *self._identities()])

    def retain(self, recipients: Iterable[str]) -> int:
        """Forget all keys but those of *recipients* and the newest; return how many are forgotten."""
        wanted, identities = set(recipients), self._identities()
        kept = [each for at, each in enumerate(identities) if at == 0 or str(each.to_public()) in wanted]
        self._keep(kept)
        return len(identities) - len(kept)

    def opener(self) -> Opener:
        """Return what opens encrypted files; the key is read once, when the first is opened."""
        identities: list[Any] = []

        def opened(content: bytes) -> bytes:
            if not identities:
                try:
                    identities.extend(self._identities())
                except SiteError as error:
                    raise Unopened(str(error)) from error
            return _decrypted(content, identities)

        return opened

    def opening(self, recipient: str) -> Opener:
        """Return what opens files by the key of *recipient* alone."""
        chosen = [each for each in self._identities() if str(each.to_public()) == recipient]
        return lambda content: _decrypted(content, chosen)

    def _keep(self, identities: Sequence[Any]) -> str:
        try:
            with replacing(self.path) as file:
                file.write(_written(identities))
        except OSError as error:
            raise SiteError(f"can't write {self.path}: {error.strerror}") from error
        return str(identities[0].to_public())

    def _identities(self) -> list[Any]:
        from pyrage import IdentityError, x25519  # noqa: PLC0415 - few sites have secrets

        try:
            mode = stat.S_IMODE(self.path.stat().st_mode)
            text = self.path.read_text("ascii")
        except FileNotFoundError:
            raise SiteError("this site has no key for secrets; make one by: gitupd secrets init") from None
        except (OSError, UnicodeDecodeError) as error:
            raise SiteError(f"{self.path} can't be read: {getattr(error, 'strerror', None) or 'no text'}") from None
        if mode & 0o077:
            raise SiteError(f"{self.path} may be read by others; chmod 600 {self.path}")
        lines = [line.strip() for line in text.splitlines()]
        try:
            identities = [x25519.Identity.from_str(line) for line in lines if line.startswith(_PREFIX)]
        except IdentityError:
            raise SiteError(f"{self.path} holds a key that is damaged") from None
        if not identities:
            raise SiteError(f"{self.path} holds no key of age")
        return identities


def encrypt(content: bytes, recipients: Iterable[str]) -> bytes:
    """Return *content* encrypted to *recipients*, as text; raises SiteError for what is no recipient."""
    import pyrage  # noqa: PLC0415 - as above

    try:
        to = [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
    except pyrage.RecipientError:
        raise SiteError("one of the recipients is none: they are written age1…") from None
    if not to:
        raise SiteError("there is nobody to encrypt it to; gitupd secrets recipients --add age1…")
    return bytes(pyrage.encrypt(content, to, armored=True))


def _generated() -> Any:
    from pyrage import x25519  # noqa: PLC0415 - as above

    return x25519.Identity.generate()


def _decrypted(content: bytes, identities: Sequence[Any]) -> bytes:
    import pyrage  # noqa: PLC0415 - as above

    try:
        return bytes(pyrage.decrypt(content, identities))
    except pyrage.DecryptError as error:
        wrong = "No matching keys" in str(error)
        raise Unopened("it is encrypted to other keys" if wrong else "it is damaged") from None


def _written(identities: Iterable[Any]) -> bytes:
    lines = (f"# public key: {identity.to_public()}\n{identity}\n" for identity in identities)
    return "".join(lines).encode()
