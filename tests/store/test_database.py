"""Migrations, and times, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import StatementError

from gitupd import store
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.store.database import Database
from gitupd.store.deployments import Deployments
from gitupd.store.tables import metadata

SUMMER = timezone(timedelta(hours=2))
A, B, C = (CommitId(letter * 40) for letter in "abc")


# Migrations


def test_migrations_make_the_tables_that_the_program_knows(database: Database, database_url: str) -> None:
    for each in pkgutil.walk_packages(store.__path__, "gitupd.store."):  # families have their own
        if not each.name.startswith("gitupd.store.migrations."):
            importlib.import_module(each.name)
    database.migrate()  # a second time does nothing
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(database: Database, database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SiteError, match=r"from a newer gitupd \(revision 9999\); install that version"):
        database.migrate()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite:////nowhere/gitupd.db",
        "nosuchkind://u:secret@x/y",
        "postgresql+psycopg://u:secret@127.0.0.1:1/x",
        "postgresql+psycopg://127.0.0.1:1/x?password=secret",
        "u:secret@host/x",
    ],
)
def test_a_database_that_can_not_be_used(url: str) -> None:
    with pytest.raises(SiteError, match="can't be used") as caught:
        Database(url).migrate()
    assert "secret" not in str(caught.value)


# Times


def _by_ada(at: datetime) -> Event:
    return Event(at, "ada", Kind.DEPLOY)


def test_times_come_back_aware_and_as_they_were_meant(database: Database) -> None:
    Deployments(database).add(A, _by_ada(datetime(2024, 7, 1, 14, 30, 1, 500_000, SUMMER)), kind="deploy")
    live = Deployments(database).live()
    assert live is not None
    assert live.at == datetime(2024, 7, 1, 12, 30, 1, 500_000, UTC)
    assert live.at.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises((SiteError, StatementError), match="a time without a zone"):
        Deployments(database).add(A, _by_ada(datetime(2024, 7, 1, 12)), kind="deploy")
    assert Deployments(database).live() is None
