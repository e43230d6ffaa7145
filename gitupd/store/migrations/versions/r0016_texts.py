"""What the latest backups say, line by line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, empty: the keeper reads the latest backups into them."""
    op.create_table(
        "text_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("devices", sa.Integer(), nullable=False),
        sa.Column("holders", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "text_devices",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("veil", sa.String(64), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("serial"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "text_state",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("through", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
    )
