"""The inventory's names, identities and last requests; answers to queries; people, tokens, sessions and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXTS = ("previous_hardware_id", "given_name", "own_name", "previous_address", "proxy", "phase_before")
_TIMES = ("hardware_changed", "address_changed", "address_returned")


def upgrade() -> None:
    """Add columns and tables; what was there stays as it is."""
    for name in _TEXTS:
        op.add_column("devices", sa.Column(name, sa.Text))
    for name in _TIMES:
        op.add_column("devices", sa.Column(name, UtcDateTime))
    op.add_column("devices", sa.Column("unknown_environments", sa.JSON))
    _devices()
    _people()
    _audit()


def _devices() -> None:
    op.create_table(
        "requests",
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("sent_arguments", sa.JSON),
        sa.Column("sent_endpoint", sa.Text),
    )
    op.create_table(
        "answers",
        sa.Column("serial", sa.String(12), primary_key=True),
        sa.Column("query", sa.String(64), primary_key=True),
        sa.Column("received", UtcDateTime, nullable=False),
        sa.Column("xml", sa.Text, nullable=False),
    )


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created", UtcDateTime, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("created", UtcDateTime, nullable=False),
        sa.Column("used", UtcDateTime, nullable=False),
        sa.Column("address", sa.Text),
    )
    op.create_index("ix_sessions_user", "sessions", ["user"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created", UtcDateTime, nullable=False),
        sa.Column("expires", UtcDateTime),
        sa.Column("used", UtcDateTime),
        sa.UniqueConstraint("key_hash", name="uq_tokens_key_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tokens_user", "tokens", ["user"])


def _audit() -> None:
    op.create_table(
        "login_failures",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
    )
    for name in ("at", "user", "address"):
        op.create_index(f"ix_login_failures_{name}", "login_failures", [name])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
