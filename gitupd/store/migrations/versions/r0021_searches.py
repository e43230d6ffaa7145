"""Searches for devices that people have saved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("sort", sa.String(16), nullable=False),
        sa.Column("descending", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.UniqueConstraint("owner", "key", name="uq_saved_searches_owner"),
        sqlite_autoincrement=True,
    )
