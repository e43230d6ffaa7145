"""The first tables: deployments, blocked commits, master devices, devices and their messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _deployments()
    _devices()


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("commit", sa.String(40), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("replaced", sa.String(40)),
        sa.Column("after", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("after", name="uq_deployments_after"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "blocked_commits",
        sa.Column("commit", sa.String(40), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "masters",
        sa.Column("url", sa.Text, primary_key=True),
        sa.Column("firmware", sa.Text),
        sa.Column("bootcode", sa.Text),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )


def _devices() -> None:
    texts = ("hardware_id", "model", "address", "own_address", "phase", "firmware", "bootcode", "check")
    times = ("firmware_requested", "bootcode_requested", "sent_at", "confirmed_at")
    op.create_table(
        "devices",
        sa.Column("serial", sa.String(12), primary_key=True),
        *(sa.Column(name, sa.Text) for name in (*texts, "firmware_wanted", "bootcode_wanted")),
        *(sa.Column(name, sa.JSON) for name in ("environments", "classes", "snippets")),
        *(sa.Column(name, UtcDateTime) for name in times),
        *(sa.Column(name, sa.String(40)) for name in ("sent", "confirmed")),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("first_seen", UtcDateTime, nullable=False),
        sa.Column("last_seen", UtcDateTime, nullable=False),
    )
    op.create_index("ix_devices_last_seen", "devices", ["last_seen"])
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_messages_serial", "messages", ["serial"])
    op.create_index("ix_messages_at", "messages", ["at"])
