"""Backups that the PHP server kept become the beginning of the history."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitupd.core.caller import parse_serial
from gitupd.service.clock import now
from gitupd.service.creating import import_site

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """<?xml version="1.0"?>
<config>
<master info=""/>
<backup dir="backup"/>
<status dir="status"/>
</config>
"""
KNOWN, GUESSED = parse_serial("00-01-02-30-00-af"), parse_serial("00-90-33-30-00-b0")


def installation(folder: Path) -> Path:
    (folder / "config").mkdir(parents=True)
    (folder / "scripts").mkdir()
    (folder / "status").mkdir()
    (folder / "config/user-config.xml").write_text(CONFIGURATION)
    (folder / "status/00-01-02-30-00-AF.xml").write_text('<state seen="1"><device hwid="IP222-30-00-af"/></state>')
    (folder / "status/00-01-02-30-00-b9.xml").write_text("<state")
    for hardware_id, number, text in (
        ("IP222-30-00-af", 3, "config change CMD0 /name third\r\nconfig x"),
        ("IP222-30-00-af", 1, "config change CMD0 /name first\r\nconfig x"),
        ("IP222-30-00-af", 2, "config change CMD0 /name first\r\nconfig x\r\nvars create UPDATE/CHECK p 1"),
        ("IP111-30-00-b0", 2, "config change CMD0 /name other"),
        ("IP111-30-00-b0", 4, "<html>"),
        ("strange", 1, "config a"),
    ):
        place = folder / "backup" / hardware_id
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{hardware_id}.{number}.txt"
        file.write_text(text, newline="")
        os.utime(file, (1_700_000_000 + number * 86_400,) * 2)
    (folder / "backup/IP222-30-00-af/IP222-30-00-af.9.txt").symlink_to("/etc/passwd")
    return folder


def test_all_of_many_backups_are_taken_over(tmp_path: Path) -> None:
    place = installation(tmp_path / "php") / "backup/IP111-30-00-b0"
    for number in range(5, 135):
        (place / f"IP111-30-00-b0.{number}.txt").write_text(f"config change CMD0 /name {number}")
        os.utime(place / f"IP111-30-00-b0.{number}.txt", (1_710_000_000 + number,) * 2)
    site, _, _ = import_site(tmp_path / "php", tmp_path / "site", who="test", now=now())
    found = site.backup_index.of(GUESSED, 200)
    assert [site.backups.content(version.blob).rsplit(b" ", 1)[1] for version in found][::-1] == [
        b"other",
        *(b"%d" % number for number in range(5, 135)),
    ]
    assert site.backup_index.count() == 133
    site.close()


def test_backups_are_taken_over_with_their_dates(tmp_path: Path) -> None:
    site, _, notes = import_site(installation(tmp_path / "php"), tmp_path / "site", who="test", now=now())
    found = site.backup_index.of(KNOWN)
    assert [version.received for version in found] == [
        datetime.fromtimestamp(1_700_000_000 + day * 86_400, UTC) for day in (3, 1)
    ], "the second says the same as the first"
    assert site.backups.content(found[0].blob) == b"config change CMD0 /name third\r\nconfig x"
    assert found[0].facts == {
        "hardware_id": "IP222-30-00-af",
        "type": "IP222",
        "authenticated": "imported",
        "topics": "administration",
    }
    assert len(site.backup_index.of(GUESSED)) == 1
    assert site.backup_index.count() == 3
    assert site.backup_inbox.count() == 0
    said = "\n".join(str(note) for note in notes)
    assert "backup/strange/strange.1.txt: warning: left out: it is not known which serial number this device" in said
    assert "backup: warning: the serial numbers of devices with backups (1) are taken to begin with 00-90-33" in said
    assert "IP222-30-00-af.9.txt: warning: left out: it is a link to a place outside the installation" in said
    site.close()
