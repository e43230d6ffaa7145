"""Commands on backups: the history, questions to it, and restores."""

from __future__ import annotations

import click

from gitupd.cli.lazy import Entry, LazyGroup

COMMANDS = {
    "log": Entry(
        "gitupd.cli.backups.history:log", "List the versions of a device, or of all devices, the newest first."
    ),
    "show": Entry(
        "gitupd.cli.backups.history:show",
        "Print a version: the latest, or REV: a commit, ~2 for the second before, or a time (2026-05-01T12:00).",
    ),
    "diff": Entry(
        "gitupd.cli.backups.history:diff",
        "Print what version B of a device changed against version A: the latest two by default.",
    ),
    "export": Entry(
        "gitupd.cli.backups.history:export",
        "Write the configuration of every device into FOLDER, one file each: SN.txt.",
    ),
    "verify": Entry(
        "gitupd.cli.backups.history:verify", "Check the history: every object, and that the index fits it."
    ),
    "pack": Entry(
        "gitupd.cli.backups.history:pack",
        "Pack the whole history anew, as small as it gets, and so that clones cost little.",
    ),
    "begin-anew": Entry(
        "gitupd.cli.backups.history:begin_anew",
        "Begin an empty history, because the old one is lost and there is no copy.",
    ),
    "search": Entry(
        "gitupd.cli.backups.questions:search",
        "Find the devices whose latest configuration holds TEXT; letter case does not matter.",
    ),
    "since": Entry(
        "gitupd.cli.backups.questions:since",
        "Print since when each line of a version is there: the commit that brought it, and when that came.",
    ),
    "overdue": Entry(
        "gitupd.cli.backups.questions:overdue", "List devices that have not uploaded a backup for some days, or never."
    ),
    "drift": Entry(
        "gitupd.cli.backups.questions:drift",
        "List devices that executed what is deployed, and whose latest backup is not as that wants it.",
    ),
    "restore": Entry(
        "gitupd.cli.backups.restores:restore",
        "Put a device back to an earlier version of its configuration, when it polls next.",
    ),
    "restores": Entry(
        "gitupd.cli.backups.restores:restores",
        "List the restores of all devices, and what became of them, the newest first.",
    ),
    "cancel": Entry("gitupd.cli.backups.restores:cancel", "Take back the restore that a device has not fetched yet."),
}


@click.group("backups", cls=LazyGroup, entries=COMMANDS)
def backups() -> None:
    """Read the configurations that devices uploaded, and put devices back to them."""
