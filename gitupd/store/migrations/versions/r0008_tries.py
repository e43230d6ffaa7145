"""How often a device was told the same step of its roll-out in succession."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; whoever is on the way is counted anew."""
    op.add_column("rollouts", sa.Column("told", sa.String(16), nullable=False, server_default=sa.text("''")))
    op.add_column("rollouts", sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")))
