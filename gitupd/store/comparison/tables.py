"""The table of plans."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, LargeBinary, String, Table, Text

from gitupd.store.tables import UtcDateTime, metadata

plans = Table(
    "plans",
    metadata,
    Column("base", String(40), primary_key=True),
    Column("head", String(40), primary_key=True),
    Column("asked", UtcDateTime, nullable=False, index=True),  # when somebody last wanted it
    Column("begun", UtcDateTime),  # None while nobody is at work on it
    Column("done", Integer, nullable=False),  # devices that were compared, of
    Column("total", Integer, nullable=False),  # so many
    Column("checked", UtcDateTime),  # until when it was true; None: it was never made
    Column("made", UtcDateTime),
    Column("mark", String(64)),  # of the fleet that it is of
    Column("facts", JSON(none_as_null=True)),
    Column("length", Integer, nullable=False),  # of the body, in bytes
    Column("body", LargeBinary),  # all groups, compressed
    Column("error", Text, nullable=False),  # why it can't be made; empty if it can
)
"""The last plan for each pair of commits that somebody wanted, or the wish for one."""
