"""Plans of a change, which are kept for as long as they are true."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; what is in it can be made again at any time."""
    op.create_table(
        "plans",
        sa.Column("base", sa.String(40), primary_key=True),
        sa.Column("head", sa.String(40), primary_key=True),
        sa.Column("asked", UtcDateTime, nullable=False),
        sa.Column("begun", UtcDateTime),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("checked", UtcDateTime),
        sa.Column("made", UtcDateTime),
        sa.Column("mark", sa.String(64)),
        sa.Column("facts", sa.JSON(none_as_null=True)),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("error", sa.Text, nullable=False),
    )
    op.create_index("ix_plans_asked", "plans", ["asked"])
