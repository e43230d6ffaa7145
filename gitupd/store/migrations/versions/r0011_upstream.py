"""How it stands with repositories that a site follows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "upstreams",
        sa.Column("url", sa.Text(), primary_key=True),
        sa.Column("branch", sa.Text(), primary_key=True),
        *(sa.Column(name, UtcDateTime) for name in ("asked_at", "fetched_at", "failing_since", "refused_at")),
        sa.Column("failures", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("error", "refusal", "accepted_by")),
        *(sa.Column(name, sa.String(40)) for name in ("head", "refused", "refused_onto", "accepted", "taken")),
    )
