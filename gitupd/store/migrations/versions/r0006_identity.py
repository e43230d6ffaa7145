"""Identity: the key of each device's certificate, the one before, and what its last poll proved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gitupd.store.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; devices that called before have proved nothing until they call again."""
    op.add_column("devices", sa.Column("key", sa.String(64)))
    op.add_column("devices", sa.Column("previous_key", sa.String(64)))
    op.add_column("devices", sa.Column("key_changed", UtcDateTime))
    op.add_column("devices", sa.Column("key_returned", UtcDateTime))
    op.add_column("devices", sa.Column("hardware_returned", UtcDateTime))
    op.add_column("requests", sa.Column("identity", sa.JSON(none_as_null=True)))
