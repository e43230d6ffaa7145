"""Alembic's migrations of the database, run by ``Database.migrate``."""
