"""Admission: the verdict on each device, what people decided, and one-time codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; devices that called before have no verdict until they call again."""
    op.add_column("devices", sa.Column("admission", sa.String(16)))
    op.create_table(
        "admissions",
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
    )
    op.create_index("ix_admissions_change", "admissions", ["change"])
    changes = op.create_table(
        "admission_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.bulk_insert(changes, [{"id": 1, "number": 0}])
    op.create_table(
        "codes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("created", UtcDateTime, nullable=False),
        sa.Column("expires", UtcDateTime, nullable=False),
        sa.Column("used", UtcDateTime),
        sa.Column("serial", sa.String(12)),
        sa.Column("revoked", UtcDateTime),
        sa.UniqueConstraint("key_hash", name="uq_codes_key_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_codes_expires", "codes", ["expires"])
