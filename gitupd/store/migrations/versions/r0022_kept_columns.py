"""The columns that somebody's list of devices has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty: lists have the usual columns."""
    op.add_column("users", sa.Column("device_columns", sa.Text()))
