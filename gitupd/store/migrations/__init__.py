"""Migrations of the database, by Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from gitupd.errors import SiteError

if TYPE_CHECKING:
    from sqlalchemy import Connection


def upgrade(connection: Connection, present: str | None) -> None:
    """Bring the tables from the revision *present* (None = there are none) to the latest.

    Raises SiteError if *present* is of a newer gitupd.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    if present is not None and present not in {
        script.revision for script in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise SiteError(f"the database is from a newer gitupd (revision {present}); install that version")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
