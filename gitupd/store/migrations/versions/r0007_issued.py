"""Certificates that are issued, and of each request whether it was rejected, and from where it came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and add the columns; where requests came from that wait already, nobody knows."""
    op.create_table(
        "issued",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("issuer", sa.String(64), nullable=False),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("request", sa.String(64), nullable=False, unique=True),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("not_before", UtcDateTime, nullable=False),
        sa.Column("not_after", UtcDateTime, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("signer", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("revoked", UtcDateTime),
        sa.Column("revoked_by", sa.Text, nullable=False),
        sa.Column("revoked_reason", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    for column in ("number", "issuer", "serial", "not_after", "at", "revoked"):
        op.create_index(f"ix_issued_{column}", "issued", [column])
    for name, kind in (("rejected", sa.Text()), ("request_address", sa.Text()), ("request_proof", sa.String(16))):
        op.add_column("rollouts", sa.Column(name, kind, nullable=False, server_default=sa.text("''")))
    op.add_column("rollouts", sa.Column("revoked", UtcDateTime))
