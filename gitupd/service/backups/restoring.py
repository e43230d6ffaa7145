"""Putting a device back to an earlier version of its configuration: asked for, served once, and looked at after."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.backups.change import Volatile, counting, fingerprint, lines_of
from gitupd.core.backups.restore import RestoreState, left_behind, replayable, result
from gitupd.core.concealing import HIDDEN, hidden
from gitupd.core.people.audit import Event, Kind
from gitupd.core.words import counted
from gitupd.errors import GitupdError, SiteError
from gitupd.store.restores import Wish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.backups.restore import Restore, Result
    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.patterns import TextPattern
    from gitupd.core.people.person import Actor
    from gitupd.core.policy import Backup
    from gitupd.service.backups.history import BackupHistory
    from gitupd.service.site import Site
    from gitupd.store.backups.inbox import Head

PATIENCE = timedelta(days=7)
"""How long after it was asked for a restore is given up."""

_MOMENT = timedelta(microseconds=1)
_LOOKED_BACK = 20
_LISTED_LINES = 3
_LISTED_LETTERS = 120
_LONGEST_LOOKED_THROUGH = 32_768
"""Bytes of a line that are looked through for secrets; a longer one is hidden as a whole."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """The lines of the latest version that a restore leaves as they are: ``count`` of them, and the first ``lines``."""

    lines: tuple[str, ...]
    count: int


class SiteRestores:
    """The restores of a site, as operators, devices and the keeper use them."""

    def __init__(self, site: Site) -> None:
        """Restore devices of *site*."""
        self._site = site

    def left_behind(
        self, present: BackupVersion, target: BackupVersion, policy: Backup, history: BackupHistory, most: int
    ) -> LeftBehind:
        """Return what putting a device back from *present* to *target* leaves as it is, at *most* so many lines of it.

        They are as *history* shows them to whoever looks.
        """
        lines = self._lines(present)
        left = frozenset(left_behind(self._lines(target), lines, Volatile(policy.ignore)))
        staying = [(number, line) for number, line in enumerate(lines, 1) if line in left]
        return LeftBehind(tuple(line.text for line in history.veiled_lines(present, staying[:most])), len(staying))

    def ask(self, target: BackupVersion, actor: Actor, now: datetime, policy: Backup) -> Restore:
        """Have a device go back to its version *target* when it polls next, on behalf of *actor*.

        The right of *actor* was looked at. Another restore of the device that is open is closed.
        """
        serial = target.serial
        expected = fingerprint(counting(self._lines(target), Volatile(policy.ignore)))
        wish = Wish(serial, target.commit, secrets.token_urlsafe(24), expected, now, actor.name)
        version = f"to {target.commit[:12]}, which was received {target.received:%Y-%m-%d %H:%M} UTC"
        return self._site.restores.ask(wish, Event(now, actor.name, Kind.RESTORE, str(serial), version, actor.address))

    def cancel(self, serial: Serial, actor: Actor, now: datetime) -> None:
        """Take the open restore of a device back, on behalf of *actor*.

        Raises SiteError if there is none, or the device has fetched it already.
        """
        event = Event(now, actor.name, Kind.RESTORE_CANCEL, str(serial), address=actor.address)
        if self._site.restores.cancel(serial, event):
            return
        if any(restore.done is None for restore in self.of(serial)):
            raise SiteError(f"device {serial} has fetched it already; ask for another version to take it back")
        raise SiteError(f"no restore of device {serial} is open; see: gitupd backups restores")

    def of(self, serial: Serial) -> list[Restore]:
        """Return the restores of a device, the newest first."""
        return self._site.restores.of(serial)

    def open(self) -> list[Restore]:
        """Return the restores of all devices that are not done, the oldest first."""
        return self._site.restores.open()

    def awaited(self, token: str) -> Serial | None:
        """Return the device that is to fetch what this *token* is for, None if none is any more."""
        restore = self._site.restores.unfetched(token)
        return None if restore is None else restore.serial

    def serve(self, token: str, now: datetime, policy: Backup) -> bytes | None:
        """Return what the device with this *token* is to execute, None unless it is the first to ask.

        That it was fetched is on disk before this returns. Raises GitupdError if the version can't be read, and leaves
        the restore open then.
        """
        restore = self._site.restores.unfetched(token)
        if restore is None:
            return None
        text = replayable(self._lines(self._version(restore)), Volatile(policy.ignore))
        return text if self._site.restores.fetch(restore.id, now) else None

    def check(self, now: datetime, policy: Backup, *, expire: bool = True) -> int:
        """Close the restores whose outcome is known, and with *expire* old ones; return how many.

        Raises the last GitupdError that kept one from being looked at, once it has looked at all.
        """
        restores = self.open()
        heads = self._site.backup_inbox.heads(restore.serial for restore in restores if restore.fetched is not None)
        closed, trouble = 0, None
        for restore in restores:
            try:
                outcome = self._outcome(restore, heads.get(restore.serial), policy)
            except GitupdError as error:
                outcome, trouble = None, error
            if outcome is None and expire and now - restore.asked > PATIENCE:
                outcome = RestoreState.EXPIRED, _why_given_up(restore)
            if outcome is not None:
                closed += self._site.restores.close(restore.id, now, *outcome)
        if trouble is not None:
            raise trouble
        return closed

    def _outcome(self, restore: Restore, head: Head | None, policy: Backup) -> tuple[RestoreState, str] | None:
        """Return what came of *restore*, None while the device has uploaded nothing since it was fetched.

        Usually that is its very next upload. It may be one of several if nobody looked for a while; one of them that
        is as it should be is enough.
        """
        if restore.fetched is None or head is None or head.seen <= restore.fetched:
            return None
        if head.fingerprint == restore.expected:
            return RestoreState.RESTORED, ""
        results = [self._result(restore, version, policy) for version in self._since(restore, head)]
        if not results:
            return None  # it is on its way from the inbox into the history
        good = next((replay for replay in results if replay.is_restored), None)
        return (
            (RestoreState.RESTORED, _left(good)) if good else (RestoreState.DIFFERS, _differences(results[0], policy))
        )

    def _since(self, restore: Restore, head: Head) -> Sequence[BackupVersion]:
        """Return the versions that the device had after it fetched *restore*, the oldest first."""
        versions = self._site.backup_index.of(restore.serial, _LOOKED_BACK)
        later = [version for version in versions if restore.fetched and version.received > restore.fetched]
        if not later and versions and versions[0].fingerprint == head.fingerprint:
            return versions[:1]  # it has uploaded once more what it had before
        return later[::-1]

    def _result(self, restore: Restore, after: BackupVersion, policy: Backup) -> Result:
        assert restore.fetched is not None  # noqa: S101 - only what was fetched has a result
        before = self._site.backup_index.of(restore.serial, 1, restore.fetched + _MOMENT)
        earlier = self._lines(before[0]) if before else []
        target = self._lines(self._version(restore))
        return result(target, earlier, self._lines(after), Volatile(policy.ignore))

    def _version(self, restore: Restore) -> BackupVersion:
        version = self._site.backup_index.version(restore.commit)
        if version is None:
            raise SiteError(f"version {restore.commit[:12]} is not in the backup history any more")
        return version

    def _lines(self, version: BackupVersion) -> list[bytes]:
        return list(lines_of(self._site.backups.content(version.blob)))


def _why_given_up(restore: Restore) -> str:
    days = f"within {PATIENCE.days} days"
    if restore.fetched is not None:
        return f"it was fetched, but no backup that could tell came {days}"
    return f"it was sent, but never fetched {days}" if restore.sent is not None else f"the device never came {days}"


def _left(good: Result) -> str:
    return f"{counted(len(good.left), 'line')} left as expected, which it can't undo" if good.left else ""


def _differences(replay: Result, policy: Backup) -> str:
    """Return which lines differ, the first few of them in full."""
    count = max(len(replay.missing), len(replay.unexpected))
    parts = [f"{count} line{' differs' if count == 1 else 's differ'}"]
    for title, lines in (("missing", replay.missing), ("unexpected", replay.unexpected)):
        texts = [_excerpt(line, policy.hide) for line in lines[:_LISTED_LINES]]
        texts += ["…"] if len(lines) > len(texts) else []
        parts += [f"{title}: {' | '.join(texts)}"] if texts else []
    return "; ".join(parts)


def _excerpt(line: bytes, hide: Sequence[TextPattern]) -> str:
    text = hidden(line.decode(errors="replace"), hide) if len(line) <= _LONGEST_LOOKED_THROUGH else HIDDEN
    return text if len(text) <= _LISTED_LETTERS else f"{text[: _LISTED_LETTERS - 1]}…"
