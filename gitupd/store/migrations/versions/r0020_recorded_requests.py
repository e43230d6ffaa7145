"""Requests of devices that are watched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, empty: no device is watched yet."""
    op.create_table(
        "recordings",
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
    )
    op.create_table(
        "recorded_requests",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recorded_requests_at", "recorded_requests", ["at"])
    op.create_index("ix_recorded_requests_serial_id", "recorded_requests", ["serial", "id"])
