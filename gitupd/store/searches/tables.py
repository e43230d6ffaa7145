"""The table of searches for devices that people have saved."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, UniqueConstraint

from gitupd.store.tables import UtcDateTime, metadata

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("owner", String(64), nullable=False),  # a person; empty is everybody
    Column("key", Text, nullable=False),  # the name as it is compared
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("columns", Text, nullable=False),
    Column("sort", String(16), nullable=False),
    Column("descending", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    UniqueConstraint("owner", "key"),
    sqlite_autoincrement=True,
)
"""Searches by the names under which they were saved; of each owner, no two have the same."""
