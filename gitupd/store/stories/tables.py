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

recordings = Table(
    "recordings",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("who", String(100), nullable=False),
    Column("gone", Integer, nullable=False),  # requests that made room for later ones
)
"""Devices whose requests are recorded, or were until a moment that has passed."""

recorded_requests = Table(
    "recorded_requests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("serial", String(12), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("size", Integer, nullable=False),  # of what is kept, in bytes
    Column("said", Text, nullable=False),  # all the rest, as JSON: it is shown, and nothing looks for any of it
    sqlite_autoincrement=True,
)
"""Their requests and what these were answered with, so many of each device, and for a day (``recordings.py``)."""

Index("ix_recorded_requests_serial_id", recorded_requests.c.serial, recorded_requests.c.id)
