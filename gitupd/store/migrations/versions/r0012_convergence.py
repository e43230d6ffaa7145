"""How far deployments have come, and whether what they want is in force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COUNTS = ("counted", "asked", "delivered", "confirmed", "unchanged", "silent", "later", "in_force", "drifted")


def upgrade() -> None:
    """Make the tables, empty: who counts in the deployment that is live is taken down when a server starts."""
    op.create_table(
        "targets",
        sa.Column("deployment", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("touched", UtcDateTime),
    )
    op.create_index("ix_targets_serial", "targets", ["serial"])
    op.create_table(
        "convergences",
        sa.Column("deployment", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("by_sent", sa.Boolean(), nullable=False),
        sa.Column("backups", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Float()) for name in ("half", "most", "nearly_all")),
        sa.Column("ended", UtcDateTime),
        *(sa.Column(name, sa.Integer()) for name in _COUNTS),
    )
    op.create_table(
        "held",
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("commit", sa.String(40), nullable=False),
        sa.Column("sent_at", UtcDateTime),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("found", sa.String(16), nullable=False),
        sa.Column("off", sa.JSON(), nullable=False),
    )
