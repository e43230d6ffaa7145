"""Names in a configuration, read as far as they are needed: a document that is damaged has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.cli.completion.places import folder_meant, repository_in, site_meant
from gitupd.settings import FILE_NAME
from gitupd.store.glances.repository import file_at_head
from gitupd.store.places import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    import click

_LARGEST = 2**16
_RECIPIENTS = "age-recipients.txt"


def configured_phases(ctx: click.Context) -> list[str]:
    """Return the names of phases in the configuration that a command is about."""
    return _names(ctx, "phases")


def configured_environments(ctx: click.Context) -> list[str]:
    """Return the names of environments in the configuration that a command is about."""
    return _names(ctx, "environments")


def recipients_listed(ctx: click.Context) -> list[str]:
    """Return to whom files of a work tree are encrypted."""
    lines = (line.strip() for line in _beginning(folder_meant(ctx) / _RECIPIENTS).decode(errors="replace").split("\n"))
    return [line for line in lines if line and line[0] != "#"]


def _names(ctx: click.Context, document: str) -> list[str]:
    """Return the keys below the key *document* of the document of that name."""
    import yaml  # noqa: PLC0415 - few ask for it

    folder = folder_meant(ctx)
    folder = folder if (folder / f"{document}.yaml").is_file() or repository_in(folder) else site_meant(ctx)
    try:
        read = yaml.safe_load(_document(folder, f"{document}.yaml"))
    except (OSError, yaml.YAMLError, RecursionError, ValueError):
        return []
    listed = read.get(document) if isinstance(read, dict) else None
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, dict) else []


def _document(folder: Path, name: str) -> bytes:
    """Return the document at *folder*: as it lies there, else as HEAD of the repository has it."""
    if (folder / FILE_NAME).is_file():
        return file_at_head(folder / CONFIG, name)
    if (folder / name).is_file():
        return _beginning(folder / name)
    repository = repository_in(folder)
    return b"" if repository is None else file_at_head(repository, name)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST)
