"""What there is to tell of backups as plain facts, the same for programs on the command line and over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gitupd.service.backups.difference import Fold
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from gitupd.core.backups.overdue import OverdueDevice
    from gitupd.core.backups.restore import Restore
    from gitupd.core.backups.version import BackupVersion
    from gitupd.service.backups.difference import DiffRow, VersionLine
    from gitupd.store.convergence.drifts import DriftedDevice, DriftFigures

_LONGEST_LINE = 4_000


def version_facts(version: BackupVersion) -> dict[str, Any]:
    """Return what is known of a version, without its lines."""
    return {
        "serial": str(version.serial),
        "received": plain(version.received),
        "commit": version.commit,
        "bytes": version.length,
        "lines": version.lines,
        "added": version.delta.added,
        "removed": version.delta.removed,
        **version.facts,
    }


def row_facts(row: DiffRow | Fold) -> dict[str, Any]:
    """Return a row of a difference: a line on either side, or how many are left out.

    ``kind`` is ``same`` or ``changed``; ``folded`` are equal lines that are left out, and ``cut`` is all that remains.
    """
    if isinstance(row, Fold):
        return {"kind": "cut" if row.changed else "folded", "count": row.count, "old": None, "new": None}
    kind = "changed" if row.changed else "same"
    return {
        "kind": kind,
        "count": 1,
        "old": row.left and line_facts(row.left),
        "new": row.right and line_facts(row.right),
    }


def line_facts(line: VersionLine) -> dict[str, Any]:
    """Return a line of a version, shortened if it is very long; ``secret`` tells that part of its text is replaced."""
    text = line.text if len(line.text) <= _LONGEST_LINE else f"{line.text[:_LONGEST_LINE]}…"
    return {"number": line.number, "text": text, "secret": line.secret}


def restore_facts(restore: Restore) -> dict[str, Any]:
    """Return how far a restore has come; who has its token gets the configuration, so that is not told."""
    return {
        "id": restore.id,
        "serial": str(restore.serial),
        "commit": restore.commit,
        "who": restore.who,
        "state": restore.state,
        **{name: plain(getattr(restore, name)) for name in ("asked", "sent", "fetched", "done")},
        "detail": restore.detail,
    }


def overdue_facts(device: OverdueDevice) -> dict[str, Any]:
    """Return a device that is overdue with a backup, and why."""
    return {
        "serial": str(device.serial),
        "name": device.name,
        "type": device.model,
        "uploaded": plain(device.uploaded) if device.uploaded else None,
        "last_seen": plain(device.last_seen) if device.last_seen else None,
        "because": device.because,
    }


def drift_facts(drifted: DriftedDevice, version: str | None) -> dict[str, Any]:
    """Return which options of a device are not as its script wants them, without their values.

    *version* is the commit of its latest backup, None while that is on its way into the history.
    """
    return {
        "serial": str(drifted.serial),
        "name": drifted.name,
        "type": drifted.model,
        "uploaded": plain(drifted.seen),
        "version": version,
        "options": [{"module": module, "option": option, "how": how} for module, option, how in drifted.off],
    }


def drift_figures_facts(figures: DriftFigures) -> dict[str, int]:
    """Return how many devices are as their scripts want them, how many are not, and of how many that is not known."""
    return {**asdict(figures), "untold": figures.untold}
