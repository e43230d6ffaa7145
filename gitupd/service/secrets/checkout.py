"""A folder with a configuration in which some files are encrypted, and who can read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.sealed import ENDING, RECIPIENTS, count_recipients, recipients_in
from gitupd.core.secrets.sealed import Unopened
from gitupd.errors import SiteError
from gitupd.store.durable import replacing
from gitupd.store.git.staging import forget, is_known
from gitupd.store.secrets import encrypt
from gitupd.store.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gitupd.core.secrets.sealed import Opener

_HEAD = "# Who can read what is encrypted here, one a line: age -R takes this file, too.\n"


class SealedCheckout:
    """The configuration in ``root``, as it lies there."""

    def __init__(self, root: Path) -> None:
        """Work in the folder *root*."""
        self.root = root

    @classmethod
    def around(cls, path: Path) -> SealedCheckout:
        """Return the checkout that the file at *path* is in: the nearest folder with recipients, or with a .git."""
        folders = path.absolute().parents
        for name in (RECIPIENTS, ".git"):
            for folder in folders:
                if (folder / name).exists():
                    return cls(folder)
        return cls(folders[0])

    def recipients(self) -> tuple[str, ...]:
        """Return to whom is encrypted here; raises SiteError if nobody is listed."""
        try:
            listed = recipients_in((self.root / RECIPIENTS).read_bytes())
        except FileNotFoundError:
            listed = ()
        except OSError as error:
            raise SiteError(f"{self.root / RECIPIENTS} can't be read: {error.strerror}") from error
        if not listed:
            cure = "gitupd secrets init prints the site's, and gitupd secrets recipients --add takes it"
            raise SiteError(f"{self.root / RECIPIENTS} names nobody to encrypt to; {cure}")
        return listed

    def files(self) -> list[Path]:
        """Return the encrypted files that gitupd reads, in order."""
        return [self.root / path for path in sorted(read_tree(self.root)) if path.endswith(ENDING)]

    def lagging(self) -> list[Path]:
        """Return those of them that are not encrypted to as many keys as there are recipients."""
        count = len(self.recipients())
        return [path for path in self.files() if count_recipients(path.read_bytes()) != count]

    def seal(self, path: Path, *, remove: bool) -> Path:
        """Write the file at *path* encrypted beside it, and *remove* it if so; return where it is.

        Raises SiteError if its plain text is in the index of Git, and stays there.
        """
        target = path.with_name(path.name + ENDING)
        if path.name.endswith(ENDING):
            raise SiteError(f"{path} is encrypted already; gitupd secrets edit changes it")
        known = is_known(path)
        if known and not remove:
            cure = f"give --remove, which takes it out of the index, or do so: git rm --cached {path}"
            raise SiteError(f"the plain text of {path} is in the index of Git, and would be committed; {cure}")
        if target.exists():
            raise SiteError(f"{target} is there already; gitupd secrets edit changes it")
        _write(target, encrypt(_read(path), self.recipients()))
        if known:
            forget(path)
        if remove:
            path.unlink()
        return target

    def plain(self, path: Path, opener: Opener) -> bytes:
        """Return what is in the encrypted file at *path*, empty if there is none yet; raises SiteError."""
        if not path.name.endswith(ENDING):
            raise SiteError(f"{path} does not end in {ENDING}; gitupd secrets encrypt makes such a file of it")
        if not path.exists():
            self.recipients()
            return b""
        try:
            return opener(_read(path))
        except Unopened as error:
            raise SiteError(f"{path} can't be decrypted: {error}") from error

    def put(self, path: Path, content: bytes) -> None:
        """Write *content* encrypted to *path*."""
        _write(path, encrypt(content, self.recipients()))

    def faults(self, path: Path, content: bytes) -> tuple[str, ...]:
        """Return what would be wrong with *content* in the file at *path*, in words that may quote it."""
        name = path.absolute().relative_to(self.root.absolute()).as_posix().removesuffix(ENDING)
        if name == "secrets.yaml":
            return _faults_in_secrets(content)
        if not name.endswith(".j2"):
            return ()
        from gitupd.config.templates import CheckedTemplate, read_template  # noqa: PLC0415 - Jinja is for templates

        template = read_template(name, content)
        return () if isinstance(template, CheckedTemplate) else (str(template),)

    def change(self, recipients: Iterable[str], opener: Opener) -> tuple[list[Path], list[Path]]:
        """Encrypt to *recipients* from now on, also all that *opener* opens; return that, and what it does not."""
        listed = tuple(dict.fromkeys(recipients))
        encrypt(b"", listed)  # that they are some
        plain: dict[Path, bytes] = {}
        closed: list[Path] = []
        for path in self.files():
            try:
                plain[path] = opener(_read(path))
            except Unopened:
                closed.append(path)
        _write(self.root / RECIPIENTS, (_HEAD + "".join(f"{each}\n" for each in listed)).encode())
        for path, content in plain.items():
            self.put(path, content)
        return list(plain), closed


def _faults_in_secrets(content: bytes) -> tuple[str, ...]:
    from gitupd.config.documents import read_document  # noqa: PLC0415 - jsonschema is for documents

    return tuple(map(str, read_document("secrets.yaml", "secrets", content)[1]))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SiteError(f"{path} can't be read: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    try:
        with replacing(path) as file:
            file.write(content)
        path.chmod(0o644)  # what is encrypted is for everybody who may read the configuration
    except OSError as error:
        raise SiteError(f"{path} can't be written: {error.strerror}") from error
