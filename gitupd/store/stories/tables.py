"""The table of what happened to devices, beside the others."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from gitupd.store.tables import UtcDateTime, metadata

device_events = Table(
    "device_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("serial", String(12), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("was", Text),
    Column("now", Text),
    Column("commit", String(40)),
    sqlite_autoincrement=True,
)
"""What changed of each device that is let in: so much of one, and for so long (``events.py``)."""

Index("ix_device_events_serial_at", device_events.c.serial, device_events.c.at)
