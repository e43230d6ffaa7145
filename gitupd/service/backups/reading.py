"""Reading latest backups line by line into the database, so that whoever searches them need not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.config.builtin import BUILTIN
from gitupd.config.patterns import compiled
from gitupd.core.backups.change import lines_of
from gitupd.core.concealing import Veil
from gitupd.core.policy import Backup
from gitupd.errors import GitupdError, UnreadableRepository
from gitupd.service.background import Recurring, Trouble, give_way
from gitupd.service.backups.history import BackupHistory
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.store.backups.texts import ReadBackup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitupd.core.backups.version import BackupVersion, ListedVersion
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.service.deployments.live import Follower
    from gitupd.service.site import Site

_IDLE_SECONDS = 0.5
_TROUBLED_SECONDS = 10.0
_AT_ONCE = 100
_BUILTIN = tuple(map(compiled, BUILTIN.secret_patterns))


class TextReading:
    """Reads what devices have uploaded from a thread, some at a time, as whoever may see least may see it."""

    def __init__(self, site: Site, follower: Follower, idle: float = _IDLE_SECONDS) -> None:
        """Read for *site*, as what *follower* knows to be live calls things secret; look for more every *idle* s."""
        self._site, self._follower = site, follower
        self._snapshots = Snapshots(site)
        self._live: Snapshot | None = None
        self._veil, self._veil_digest = Veil(_BUILTIN), Veil(_BUILTIN).digest
        self._past: dict[frozenset[CommitId], Veil] = {}
        self._is_stale = True
        trouble = Trouble("the latest backups can't be read for searches")
        self._reading = Recurring("reading backups", idle, self._work, trouble, retry=lambda _: _TROUBLED_SECONDS)

    def start(self) -> None:
        """Start in the background."""
        self._reading.start()

    def stop(self) -> None:
        """Finish what is under way, and stop."""
        self._reading.stop()

    def _work(self) -> bool:
        give_way()
        return self.step()

    def step(self) -> bool:
        """Read some versions that nobody has read; return whether there may be more. Raises GitupdError."""
        self._look_at_what_is_secret()
        texts = self._site.backup_texts
        versions, through = texts.due(_AT_ONCE)
        if versions:
            texts.keep(list(self._read(versions)), through)
            return True
        stale = texts.stale(self._veil_digest, _AT_ONCE) if self._is_stale else []
        if stale:
            texts.keep(list(self._read(stale)))
        self._is_stale = bool(stale)
        return self._is_stale

    def _look_at_what_is_secret(self) -> None:
        live = self._follower.live.snapshot if self._follower.live else None
        if live is self._live:
            return
        self._live = live
        self._veil = Veil.over([live]) if live else Veil(_BUILTIN)
        self._past.clear()
        if self._veil.digest != self._veil_digest:
            self._veil_digest, self._is_stale = self._veil.digest, True

    def _read(self, listed: Sequence[ListedVersion]) -> Iterator[ReadBackup]:
        policy = self._live.policy.backup if self._live else Backup()
        history = BackupHistory(self._site, policy, secrets=False, veil=self._veil, past=self._veil_of)
        listed = sorted(listed, key=_when)
        for each, content in zip(listed, _contents(history, [each.version for each in listed]), strict=True):
            lines = (line.decode(errors="replace") for line in lines_of(content))
            yield ReadBackup(each.version.serial, each.number, self._veil_digest, frozenset(filter(str.strip, lines)))

    def _veil_of(self, commits: frozenset[CommitId]) -> Veil:
        """Return what hides secrets in a version that came while some *commits* were delivered."""
        if commits not in self._past:
            self._past[commits] = self._veil_over(commits)
        return self._past[commits]

    def _veil_over(self, commits: frozenset[CommitId]) -> Veil:
        snapshots = []
        for commit in sorted(commits):
            try:
                snapshots.append(self._snapshots.of(commit))
            except GitupdError:  # nobody knows any more what it called secret
                return replace(self._veil, shut=True)
        return Veil.over([*snapshots, *([self._live] if self._live else [])]) if snapshots else self._veil


def _when(listed: ListedVersion) -> list[str]:
    """Return by what versions come together of which the same is secret: lines that they have in common are known."""
    return [listed.version.facts.get(fact) or "" for fact in ("delivered", "deployed")]


def _contents(history: BackupHistory, versions: Sequence[BackupVersion]) -> list[bytes]:
    """Return *versions* as they may be seen, empty ones for those that can't be read."""
    try:
        return list(history.raws(versions))
    except UnreadableRepository:
        return [_content(history, version) for version in versions]


def _content(history: BackupHistory, version: BackupVersion) -> bytes:
    try:
        return history.raw(version)
    except UnreadableRepository:
        return b""
