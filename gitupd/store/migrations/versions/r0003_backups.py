"""Backups: the inbox, what was kept last of each device, and the index of the history."""

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
