"""Backups of an installation of the PHP server become the beginning of the history."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitupd.core.backups.change import Volatile, counting, fault_in, fingerprint, lines_of
from gitupd.core.caller import Serial
from gitupd.service.backups.commits import BackupCommits
from gitupd.store.backups.inbox import Incoming, packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.policy import Backup
    from gitupd.importer.backups import BackupFile
    from gitupd.service.site import Site

_AT_ONCE = 100


def import_backups(site: Site, files: Sequence[BackupFile], policy: Backup) -> None:
    """Commit *files*, the oldest first, dated by their times.

    A file that holds no configuration, or the same as the one before it, is left out.
    """
    commits, volatile = BackupCommits(site), Volatile(policy.ignore)
    for first in range(0, len(files), _AT_ONCE):
        taken = [_incoming(file, volatile) for file in files[first : first + _AT_ONCE]]
        site.backup_inbox.save(incoming for incoming in taken if incoming is not None)
        while commits.commit(policy):
            pass


def _incoming(file: BackupFile, volatile: Volatile) -> Incoming | None:
    content = file.path.read_bytes()
    if fault_in(content) is not None:
        return None
    digest = fingerprint(counting(lines_of(content), volatile))
    model = file.hardware_id.partition("-")[0]
    facts = {"hardware_id": file.hardware_id, "type": model, "authenticated": "imported"}
    at = datetime.fromtimestamp(file.at, UTC)
    return Incoming(secrets.token_hex(16), Serial(file.serial), at, digest, len(content), facts, packed(content))
