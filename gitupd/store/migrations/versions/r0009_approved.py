"""Which requests are approved, and why others are not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; which names a device was told to ask for, nobody remembers of requests that wait already."""
    for name in ("verdict", "approved_by", "approved_why"):
        op.add_column("rollouts", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("rollouts", sa.Column("names", sa.JSON(none_as_null=True)))
    op.add_column("rollouts", sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")))
    for name in ("approved_at", "next_attempt"):
        op.add_column("rollouts", sa.Column(name, UtcDateTime))
