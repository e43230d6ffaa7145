"""What is wrong with backups is told by those who are asked."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from support.damaging import damaged
from support.keeping import commit_of, running_keeper, settled, told
from support.offices import LINES, SERIAL, Office, dump
from support.waiting import until

from gitupd.service.backups.troubles import Troubles

if TYPE_CHECKING:
    from pathlib import Path


def test_damage_is_told_by_those_who_are_asked(office: Office) -> None:
    tip = commit_of(office)
    blob = office.history().version(SERIAL).blob
    assert told(office) == ([], [])
    with damaged(office.site.backups.path, tip):
        office.upload(dump(*LINES, "config a"))
        with running_keeper(office):
            until(lambda: told(office)[0])
        ((trouble,), warnings) = told(office)
        assert "can't be written" in trouble
        assert warnings == []
        assert told(office, later=timedelta(hours=2)) == ([trouble], []), "and not also what comes of it"
    with ExitStack() as mended:
        mended.enter_context(damaged(office.site.backups.path, blob))
        with running_keeper(office):
            settled(office)
            until(lambda: told(office)[1])
            assert told(office) == ([], [f"the version {tip} of device {SERIAL} can't be read"])
            mended.close()
            until(lambda: told(office) == ([], []))


def test_that_nobody_commits_is_told_after_a_while(office: Office) -> None:
    office.upload(dump(*LINES))
    assert told(office) == ([], [])
    ((trouble,), _) = told(office, later=timedelta(minutes=6))
    assert trouble.startswith("1 backup waits for the history, the first since ")


def test_a_mirror_that_lags_behind_for_an_hour_is_a_warning(office: Office) -> None:
    setting = office.site.path / "gitupd.toml"
    setting.write_text('backup_mirror = "/nowhere"\n')
    commit_of(office)
    assert told(office, later=timedelta(minutes=59)) == ([], [])
    _, (warning,) = told(office, later=timedelta(minutes=61))
    assert warning.startswith("the mirror of the backup history lacks 1 version, the first of ")


def test_what_is_wrong_is_left_for_others_to_read(tmp_path: Path) -> None:
    troubles = Troubles(tmp_path)
    troubles.note("away", None)
    troubles.note("away", "odd")
    assert Troubles(tmp_path).read() == ("away", "odd")
    troubles.note("elsewhere", None)
    troubles.note(None, None)
    assert Troubles(tmp_path).read() == (None, None)
    assert list(tmp_path.iterdir()) == []
