"""Backups: the inbox, what was kept last of each device, the index of the history, and restores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_backups()
    _create_restores()


def _create_backups() -> None:
    op.create_table(
        "backup_inbox",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("received", UtcDateTime, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "backup_heads",
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("received", UtcDateTime, nullable=False),
        sa.Column("seen", UtcDateTime, nullable=False),
        sa.Column("doubtful", sa.String(64)),
    )
    op.create_table(
        "backup_versions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("received", UtcDateTime, nullable=False),
        sa.Column("commit", sa.String(40), nullable=False),
        sa.Column("blob", sa.String(40), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.UniqueConstraint("commit", name="uq_backup_versions_commit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backup_versions_serial", "backup_versions", ["serial"])
    op.create_index("ix_backup_versions_received", "backup_versions", ["received"])


def _create_restores() -> None:
    op.create_table(
        "restores",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("commit", sa.String(40), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("expected", sa.String(64), nullable=False),
        sa.Column("asked", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("sent", UtcDateTime),
        sa.Column("fetched", UtcDateTime),
        sa.Column("done", UtcDateTime),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.UniqueConstraint("token", name="uq_restores_token"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_restores_serial", "restores", ["serial"])
    still_open = sa.text("done IS NULL")
    op.create_index(
        "ix_restores_open", "restores", ["serial"], unique=True, sqlite_where=still_open, postgresql_where=still_open
    )
