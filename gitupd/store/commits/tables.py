"""The tables of deployments, of commits that were seen, of what people said of them, and of the freeze that holds."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table, Text

from gitupd.store.tables import UtcDateTime, metadata

deployments = Table(
    "deployments",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("commit", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("replaced", String(40)),
    Column("after", Integer, nullable=False, unique=True),
    Column("reason", Text, nullable=False, default=""),
    sqlite_autoincrement=True,
)

blocked_commits = Table(
    "blocked_commits",
    metadata,
    Column("commit", String(40), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
)

seen_commits = Table(
    "seen_commits",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("commit", String(40), nullable=False, unique=True),
    Column("branch", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("committer", Text, nullable=False),
    Column("pusher", Text, nullable=False),  # empty: nobody knows
    Column("came_with", String(40), nullable=False),
    Column("arrived", UtcDateTime, nullable=False),
    Column("since", UtcDateTime),  # from when its grace counts; None: from the next look
    Column("state", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("checks", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("plan", JSON(none_as_null=True)),
    sqlite_autoincrement=True,
)
"""The latest commits of followed branches, in the order in which they arrived."""

approvals = Table(
    "approvals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("commit", String(40), nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Who has approved which commit."""

freezes = Table(
    "freezes",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1: there is one freeze, or none
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", UtcDateTime),
)
"""The freeze that holds, or held last."""
