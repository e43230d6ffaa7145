"""The tables of what is known of repositories that a site follows."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text

from gitupd.store.tables import UtcDateTime, metadata

upstreams = Table(
    "upstreams",
    metadata,
    Column("url", Text, primary_key=True),
    Column("branch", Text, primary_key=True),
    Column("asked_at", UtcDateTime),
    Column("fetched_at", UtcDateTime),
    Column("failing_since", UtcDateTime),
    Column("refused_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("refusal", Text, nullable=False),
    Column("accepted_by", Text, nullable=False),
    Column("head", String(40)),
    Column("refused", String(40)),
    Column("refused_onto", String(40)),
    Column("accepted", String(40)),
    Column("taken", String(40)),
)
"""How it stands with a branch of a repository elsewhere (core/upstream/standing.py says what is what)."""

commit_statuses = Table(
    "commit_statuses",
    metadata,
    Column("commit", String(40), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""What the host of the upstream was told of commits, or could not be told."""
