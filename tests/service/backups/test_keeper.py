"""The keeper of backups goes on, whatever happens."""

from __future__ import annotations

from itertools import count

from support.keeping import all_is_well, commit_of, running_keeper, settled, told
from support.offices import LINES, Office, dump
from support.waiting import until

from gitupd.service.backups.upkeep import MOST_PACKS
from gitupd.store.ages import Ages


def test_the_keeper_removes_what_was_cut_off_and_packs_what_there_is_much_of(office: Office) -> None:
    for number in range(MOST_PACKS + 1):
        commit_of(office, f"config {number}")
    cut_off = office.site.inbox_folder / "incoming-1"
    cut_off.touch()
    hours = count()
    with running_keeper(office, Ages(lambda: 4000.0 * next(hours))):
        until(lambda: not cut_off.exists() and office.site.backups.pack_count() < MOST_PACKS)
    all_is_well(office)


def test_the_keeper_goes_on_whatever_happens(office: Office) -> None:
    office.upload(dump(*LINES))

    def facts(written: str) -> None:
        with office.site.database.connection() as connection:
            connection.exec_driver_sql("UPDATE backup_inbox SET facts = ?", (written,))

    facts("{nonsense")
    with running_keeper(office):
        until(lambda: told(office)[0])
        assert told(office) == (["backups can't be committed; the log says why"], [])
        facts("{}")
        settled(office)
        until(lambda: told(office) == ([], []))
    all_is_well(office)
