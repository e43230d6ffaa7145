"""The tables of how far deployments have come: beside the others, for devices and deployments are what they add to."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Integer, String, Table

from gitupd.store.tables import UtcDateTime, metadata

targets = Table(
    "targets",
    metadata,
    Column("deployment", Integer, primary_key=True, autoincrement=False),
    Column("serial", String(12), primary_key=True, index=True),
    Column("touched", UtcDateTime),  # when somebody last let it count as seen before it had asked
)
"""The devices that count in the deployment that is live; in those before, only devices that never confirmed them."""

convergences = Table(
    "convergences",
    metadata,
    Column("deployment", Integer, primary_key=True, autoincrement=False),
    Column("by_sent", Boolean, nullable=False),  # a commit counts as executed once it was sent
    Column("backups", Boolean, nullable=False),
    Column("half", Float),  # seconds from the deployment on until 50, 90 and 99 % had confirmed
    Column("most", Float),
    Column("nearly_all", Float),
    Column("ended", UtcDateTime),  # NULL: it is live, and what follows is not known yet
    Column("counted", Integer),
    Column("asked", Integer),
    Column("delivered", Integer),
    Column("confirmed", Integer),
    Column("unchanged", Integer),
    Column("silent", Integer),
    Column("later", Integer),
    Column("in_force", Integer),
    Column("drifted", Integer),
)
"""Each deployment in numbers, as it stood when the next one came, so that it keeps them when devices go."""

held = Table(
    "held",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("commit", String(40), nullable=False),
    Column("sent_at", UtcDateTime),
    Column("fingerprint", String(64), nullable=False),
    Column("found", String(16), nullable=False),
    Column("off", JSON, nullable=False),  # [module, option, how] each
)
"""How the latest backup of each device was held against its script of the commit that it has confirmed."""
