"""What Alembic runs to migrate: over the connection that ``Database.migrate`` hands in."""

from __future__ import annotations

from alembic import context

from gitupd.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
