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
    from pathlib import Path

    from gitupd.core.policy import Backup
    from gitupd.importer.backups import BackupFile
    from gitupd.service.site import Site

_AT_ONCE = 100


def import_backups(site: Site, files: Sequence[BackupFile], policy: Backup) -> list[tuple[Path, str]]:
    """Commit *files*, the oldest first, dated by their times; return those that hold no configuration, and why.

    What is the same as the version before it becomes no other one.
    """
    commits, volatile = BackupCommits(site), Volatile(policy.ignore)
    left_out: list[tuple[Path, str]] = []
    for first in range(0, len(files), _AT_ONCE):
        taken: list[Incoming] = []
        for file in files[first : first + _AT_ONCE]:
            content = file.path.read_bytes()
            if (fault := fault_in(content)) is None:
                taken.append(_incoming(file, content, volatile))
            else:
                left_out.append((file.path, fault))
        site.backup_inbox.save(taken)
        while commits.commit(policy):
            pass
    return left_out


def _incoming(file: BackupFile, content: bytes, volatile: Volatile) -> Incoming:
    digest = fingerprint(counting(lines_of(content), volatile))
    model = file.hardware_id.partition("-")[0]
    facts = {"hardware_id": file.hardware_id, "type": model, "authenticated": "imported"}
    at = datetime.fromtimestamp(file.at, UTC)
    return Incoming(secrets.token_hex(16), Serial(file.serial), at, digest, len(content), facts, packed(content))
