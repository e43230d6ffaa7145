"""Values of which there are more than parameters; in SQLite and PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from gitupd.store.backups.text_tables import text_devices
from gitupd.store.listed import is_among

if TYPE_CHECKING:
    from gitupd.store.database import Database

MORE_THAN_PARAMETERS = 70_000
SERIALS = {number: f"{number:012x}" for number in (3, 5, 69_999, 70_001)}


def test_a_column_has_one_of_many_values(database: Database) -> None:
    columns = text_devices.c
    with database.connection() as connection:
        of_none = {"version": 1, "veil": "", "lines": b""}
        connection.execute(
            insert(text_devices),
            [{"number": number, "serial": serial, **of_none} for number, serial in SERIALS.items()],
        )
        for values, found in ((range(MORE_THAN_PARAMETERS), [3, 5, 69_999]), ((5, 5), [5]), ((), [])):
            by_number = select(columns.number).where(is_among(columns.number, list(values)))
            assert sorted(connection.scalars(by_number)) == found
            by_text = select(columns.number).where(is_among(columns.serial, [f"{each:012x}" for each in values]))
            assert sorted(connection.scalars(by_text)) == found
