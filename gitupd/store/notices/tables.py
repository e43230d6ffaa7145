"""The tables of notices."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from gitupd.store.tables import UtcDateTime, metadata

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("recipient", String(40), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("cause", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("at_most", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("due", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("done", UtcDateTime),  # None: it is on its way
    Column("sent", UtcDateTime),  # None with a time in done: it was given up
    UniqueConstraint("recipient", "channel", "cause"),
    Index("ix_notices_done", "done"),
    sqlite_autoincrement=True,
)
"""What somebody was told of, or is to be, by each of the ways: one row for a cause, so that it is told once."""

notice_marks = Table(
    "notice_marks",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
"""How far was looked for something to tell."""
