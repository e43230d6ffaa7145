"""The tables of what the latest backups say, as everybody may see it; they can be made anew from the history."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from gitupd.store.tables import metadata

text_lines = Table(
    "text_lines",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("folded", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("devices", Integer, nullable=False),  # how many have it
    Column("holders", LargeBinary, nullable=False),  # their numbers, as a packed crowd
)
"""Each line that some latest backup has, once; ``id`` is made of its text."""

text_devices = Table(
    "text_devices",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("serial", String(12), nullable=False, unique=True),
    Column("version", Integer, nullable=False),  # of backup_versions
    Column("veil", String(64), nullable=False),  # what was secret when its lines were read
    Column("lines", LargeBinary, nullable=False),  # their ids, 8 bytes each
    sqlite_autoincrement=True,
)
"""The devices whose latest backup was read; their numbers are those in crowds."""

text_state = Table(
    "text_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("through", Integer, nullable=False),  # the last of backup_versions that was looked at
    Column("changes", Integer, nullable=False),
)
"""One row: how far the history was read, and how often anything here was changed."""
