"""What happened to devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty: what changed before, nobody has written down. The audit of a device is found at once."""
    op.create_table(
        "device_events",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("was", sa.Text()),
        sa.Column("now", sa.Text()),
        sa.Column("commit", sa.String(40)),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_device_events_at", "device_events", ["at"])
    op.create_index("ix_device_events_serial_at", "device_events", ["serial", "at"])
    op.create_index("ix_audit_subject", "audit", ["subject"])
