"""The backup history as whoever asks may see it, for pages and programs, and what the audit says of those who look."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from gitupd.config.builtin import BUILTIN
from gitupd.config.patterns import compiled
from gitupd.core.concealing import Veil
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.core.policy import Backup
from gitupd.errors import GitupdError
from gitupd.service.backups.history import BackupHistory
from gitupd.web.access import actor
from gitupd.web.context import served
from gitupd.web.revisions import snapshot_of, veil
from gitupd.web.showing import looked, sees_secrets
from gitupd.web.wording import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.snapshot import CommitId


def visible_history() -> BackupHistory:
    """Return the history of the site at hand as the one who asks may see it."""
    return BackupHistory(served().site, policy(), secrets=sees_secrets(), veil=veil(), past=_past_veil())


def _past_veil() -> Callable[[frozenset[CommitId]], Veil]:
    """Return what tells the veil for the time of some commits; each is asked for once per request.

    It is shut if one of them can't be read any more: nobody knows what that called secret.
    """

    @cache
    def past(commits: frozenset[CommitId]) -> Veil:
        snapshots = []
        for commit in sorted(commits):
            try:
                snapshots.append(snapshot_of(commit))
            except GitupdError:
                snapshots.append(None)
        return replace(veil(*snapshots), shut=None in snapshots)

    return past


def policy() -> Backup:
    """Return what the deployed configuration says of backups; what a new one says if nothing is deployed."""
    live = served().live
    if live is not None:
        return live.snapshot.policy.backup
    return Backup(ignore=tuple(map(compiled, BUILTIN.volatile_lines)))


def viewed(subject: str, detail: str) -> None:
    """Write into the audit that a configuration is being looked at; as long as a page refreshes itself, not again."""
    looked(Kind.BACKUP_VIEW, subject, detail)


def searched(text: str, where: str, lines: Iterable[str]) -> None:
    """Write into the audit what was searched for, of which some *lines* were found.

    Operators may look for secrets, and others read the audit. So of what they look for, it has only what others see.
    """
    if actor().role.allows(Role.OPERATOR):
        live = served().live
        others = Veil.over([live.snapshot]) if live else Veil(policy().hide)
        if not any(text.lower() in others.line(line).lower() for line in lines):
            viewed("", f"search in {where} for a text that is hidden, or nowhere")
            return
    viewed("", f"search for {text!r} in {where}")


def version_name(version: BackupVersion) -> str:
    """Return what the audit calls a version."""
    return f"version {short(version.commit)}"
