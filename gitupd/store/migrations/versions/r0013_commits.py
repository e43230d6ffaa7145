"""Commits that were seen, approvals of them, and the freeze of deployments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; which commits were seen before, nobody remembers."""
    op.create_table(
        "seen_commits",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("commit", sa.String(40), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("branch", "subject", "author", "committer", "pusher")
        ),
        sa.Column("came_with", sa.String(40), nullable=False),
        sa.Column("arrived", UtcDateTime, nullable=False),
        sa.Column("since", UtcDateTime),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("plan", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("id", name="pk_seen_commits"),
        sa.UniqueConstraint("commit", name="uq_seen_commits_commit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_seen_commits_state", "seen_commits", ["state"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("commit", sa.String(40), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_approvals_commit", "approvals", ["commit"])
    op.create_table(
        "freezes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_freezes"),
    )
