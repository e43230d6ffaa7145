"""A place apart for what comes from elsewhere: nothing of it is ours until somebody has looked at it.

It is a bare repository that borrows the objects of ours, and is thrown away afterwards. Only if what came may be taken
over, its packs are moved; it is what Git itself does with a push, and the reason why whatever comes, and whenever
somebody is killed, leaves nothing behind in ours.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from gitupd.errors import UnreadableRepository
from gitupd.store.durable import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.snapshot import CommitId
    from gitupd.core.upstream.address import UpstreamAddress

_FOLDER = "incoming-"
_HAVE = "refs/have"


class Quarantine:
    """A place for one fetch: a bare repository that borrows the objects of another one."""

    def __init__(self, path: Path, repository: Path | None) -> None:
        """Make it at *path*, an empty folder, for objects that *repository* lacks; None for none at all."""
        self.path, self._repository = path, repository
        for folder in ("objects/pack", "objects/info", "refs"):
            (path / folder).mkdir(parents=True)
        (path / "HEAD").write_text("ref: refs/heads/none\n", "ascii")
        (path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n", "ascii")
        if repository is not None:
            (path / "objects/info/alternates").write_text(f"{repository.resolve() / 'objects'}\n", "utf-8")

    @property
    def objects(self) -> Path:
        """The folder of what came."""
        return self.path / "objects"

    def have(self, *commits: CommitId | None) -> None:
        """Let whoever is asked know that *commits*, which the repository has, need not be sent; None is left out."""
        (self.path / _HAVE).mkdir(parents=True, exist_ok=True)
        for commit in filter(None, commits):
            (self.path / _HAVE / commit).write_text(f"{commit}\n", "ascii")

    def trusting(self, address: UpstreamAddress) -> Path:
        """Return settings of an account that trusts a folder at *address*, whoever owns it, and has no others."""
        path = self.path / "account"
        path.write_text("[safe]\n\tdirectory = *\n" if address.scheme == "file" else "", "ascii")
        return path

    def take_over(self) -> None:
        """Move all that came to the repository; raises UnreadableRepository.

        An index comes last: without it, a pack is not there for anybody.
        """
        assert self._repository is not None  # noqa: S101 - nothing is fetched without one
        target = self._repository / "objects" / "pack"
        files = sorted((self.objects / "pack").glob("pack-*"), key=lambda file: file.suffix == ".idx")
        try:
            target.mkdir(exist_ok=True)
            for file in files:
                file.replace(target / file.name)
            if files:
                sync_folder(target)
        except OSError as error:
            raise UnreadableRepository(f"what was fetched can't be put into {target}: {error}") from error


@contextmanager
def quarantine(folder: Path, repository: Path | None = None) -> Iterator[Quarantine]:
    """Give the block a place below *folder* for what is fetched, which is gone at its end.

    Raises UnreadableRepository if there can't be any.
    """
    try:
        place = Path(mkdtemp(dir=folder, prefix=_FOLDER))
    except OSError as error:
        raise UnreadableRepository(f"nothing can be fetched into {folder}: {error}") from error
    try:
        yield Quarantine(place, repository)
    except OSError as error:
        raise UnreadableRepository(f"nothing can be fetched into {folder}: {error}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def sweep(folder: Path) -> int:
    """Remove what killed processes have left below *folder*, where nobody fetches now; return how many places."""
    left = list(folder.glob(f"{_FOLDER}*"))
    for place in left:
        shutil.rmtree(place, ignore_errors=True)
    return len(left)
