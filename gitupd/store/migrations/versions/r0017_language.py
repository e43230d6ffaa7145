"""The language that somebody reads pages in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty: pages are in the language that browsers ask for."""
    op.add_column("users", sa.Column("language", sa.String(8)))
