"""How options differ that devices have otherwise than wanted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget what was found, which the keeper finds out anew within minutes: it lacks how options differ."""
    op.execute(sa.text("DELETE FROM held"))
