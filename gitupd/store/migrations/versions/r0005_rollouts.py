"""How far the roll-out of certificates has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "rollouts",
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("request", sa.LargeBinary),
        sa.Column("request_at", UtcDateTime),
        sa.Column("signed", sa.JSON, nullable=False),
        sa.Column("signed_at", UtcDateTime),
        sa.Column("signed_by", sa.Text, nullable=False),
        sa.Column("asked", UtcDateTime),
        sa.Column("requested", UtcDateTime),
        sa.Column("installed", UtcDateTime),
        sa.Column("installations", sa.Integer, nullable=False),
        sa.Column("look_again", sa.Boolean, nullable=False),
        sa.Column("start_over", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("stage_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("expires", UtcDateTime),
    )
    op.create_index("ix_rollouts_stage", "rollouts", ["stage"])
    op.create_index("ix_rollouts_expires", "rollouts", ["expires"])
