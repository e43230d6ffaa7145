"""The latest backups as searches find them: what was uploaded last, without what is hidden, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.offices import LINES, SERIAL, Office, dump, opened

from gitupd.core.backups.crowds import numbers_in, unpacked_crowd
from gitupd.core.backups.text_in_line import TextInLine
from gitupd.core.caller import Serial, parse_serial
from gitupd.service.backups.reading import TextReading
from gitupd.service.backups.recovery import rebuild
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower

if TYPE_CHECKING:
    from pathlib import Path

OTHER = parse_serial("00-90-33-00-00-01")


def found(office: Office, text: str, *, whole: bool = False) -> dict[str, set[Serial]]:
    """Return the lines that hold *text*, each with the devices that have it."""
    members = office.site.backup_texts.members()
    lines = office.site.backup_texts.lines(TextInLine(text, whole))
    return {
        line.text: {Serial(members[number]) for number in numbers_in(unpacked_crowd(line.holders))} for line in lines
    }


def read(office: Office, follower: Follower | None = None) -> None:
    reading = TextReading(office.site, follower or office.follower)
    while reading.step():
        pass


def test_lines_are_those_of_the_latest_version(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        office.upload(dump(*LINES, "config change GK /addr 10.1.0.1", "", "  "))
        office.upload(dump(*LINES, "config change GK /addr 10.1.0.10"), OTHER)
        office.commit()
        assert office.site.backup_texts.unread() == 2
        read(office)
        assert office.site.backup_texts.unread() == 0
        assert found(office, LINES[7]) == {
            LINES[7]: {SERIAL, OTHER},
            **{line: {SERIAL, OTHER} for line in LINES if line.startswith(LINES[7])},
        }
        assert found(office, "10.1.0.1") == {
            "config change GK /addr 10.1.0.1": {SERIAL},
            "config change GK /addr 10.1.0.10": {OTHER},
        }
        assert found(office, "10.1.0.1", whole=True) == {"config change GK /addr 10.1.0.1": {SERIAL}}
        office.upload(dump(*LINES[1:], "config change GK /addr 10.1.0.10"))
        office.commit()
        read(office)
        assert found(office, "GK /ADDR") == {"config change GK /addr 10.1.0.10": {SERIAL, OTHER}}
        assert found(office, LINES[0], whole=True) == {LINES[0]: {OTHER}}


def test_what_is_hidden_is_not_there(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        office.upload(dump(*LINES, "config change GK /addr 10.1.0.1 /gk-pwd hunter2"))
        office.commit()
        read(office)
        assert found(office, "hunter2") == {}
        assert found(office, "GK") == {"config change GK /addr 10.1.0.1 /gk-pwd ***": {SERIAL}}


def test_what_is_called_secret_later_is_hidden_from_then_on(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        office.upload(dump(*LINES, "config change GK /addr 10.1.0.1 /nickname hunter2"))
        office.commit()
        follower = Follower(office.site)
        follower.follow()
        reading = TextReading(office.site, follower)
        while reading.step():
            pass
        assert found(office, "hunter2")
        with office.site.open_config() as repository:
            files = dict(repository.files(office.live.deployment.commit))
        files["policies/backup.yaml"] = b"enabled: true\nhide: ['/nickname (\\S+)']\n"
        commit = office.site.config.commit_files(files, "Hide it", "Ada <ada@example.org>")
        deploy(office.site, commit, who="tess", now=now())
        follower.follow()
        while reading.step():
            pass
        assert found(office, "hunter2") == {}
        assert found(office, "GK") == {"config change GK /addr 10.1.0.1 /nickname ***": {SERIAL}}


def test_an_index_that_is_made_anew_is_read_anew(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        office.upload(dump(*LINES, "config change GK /addr 10.1.0.1"))
        office.commit()
        read(office)
        rebuild(office.site)
        assert found(office, "GK") == {}
        read(office)
        assert found(office, "GK") == {"config change GK /addr 10.1.0.1": {SERIAL}}


def test_a_version_that_is_lost_says_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        office.upload(dump(*LINES, "config change GK /addr 10.1.0.1"))
        office.commit()
        office.upload(dump(*LINES, "config change GK /addr 10.1.0.1"), OTHER)
        office.commit()
        version = office.site.backup_index.of(OTHER)[0]
        office.site.backup_index.clear()
        office.site.backup_index.add([replace(version, blob="1" * 40)])
        read(office)
        assert found(office, "GK") == {}
        assert office.site.backup_texts.unread() == 0
