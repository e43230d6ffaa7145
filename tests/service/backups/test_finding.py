"""Who holds a text in the latest configuration: who does not, and whose a line is that one device alone has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.offices import LINES, SERIAL, Office, dump, opened

from gitupd.core.caller import Serial, parse_serial
from gitupd.service.backups.finding import HoldersFound, find_all_holders, find_holders
from gitupd.service.backups.reading import TextReading
from gitupd.service.backups.search import TextQuery

if TYPE_CHECKING:
    from pathlib import Path

OTHER, THIRD = parse_serial("00-90-33-00-00-01"), parse_serial("00-90-33-00-00-02")
NEVER = parse_serial("00-90-33-00-00-03")
BOTH, ALONE = "config change GK /addr 10.1.0.1", "config change GK /addr 10.1.0.10"


def fill(office: Office) -> None:
    """Have three devices upload: two have one line, the second one another besides, and the third neither."""
    for serial, lines in ((SERIAL, [BOTH]), (OTHER, [BOTH, ALONE]), (THIRD, [])):
        office.upload(dump(*LINES, *lines), serial)
    office.commit()
    reading = TextReading(office.site, office.follower)
    while reading.step():
        pass


def told(found: HoldersFound) -> dict[str, object]:
    """Return all that is told of what was found."""
    assert found.count == len(found.holders)
    ids = {line.id: line.text for line in found.lines}
    return {
        "holders": found.holders,
        "lacking": found.lacking,
        "lines": {line.text: found.of(line) for line in found.lines},
        "alone": {ids[line]: serial for line, serial in found.alone(found.lines).items()},
        "by device": found.by_device(),
    }


def test_who_holds_a_text_and_who_does_not(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        fill(office)
        expected = {
            "holders": [OTHER, SERIAL],
            "lacking": [THIRD],
            "lines": {BOTH: [OTHER, SERIAL], ALONE: [OTHER]},
            "alone": {ALONE: OTHER},
            "by device": sorted([(SERIAL, BOTH), (OTHER, BOTH), (OTHER, ALONE)]),
        }
        query = TextQuery("gk /ADDR 10.1.0.1")
        assert told(find_holders(office.site, query)) == expected
        assert told(find_all_holders(office.history(), query)) == expected


def test_only_some_devices_are_looked_at(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        fill(office)
        some: frozenset[Serial] = frozenset({SERIAL, THIRD, NEVER})
        query = TextQuery("gk /addr", among=some)
        expected = {
            "holders": [SERIAL],
            "lacking": [THIRD],
            "lines": {BOTH: [SERIAL]},
            "alone": {BOTH: SERIAL},
            "by device": [(SERIAL, BOTH)],
        }
        assert told(find_holders(office.site, query)) == expected
        assert told(find_all_holders(office.history(), query)) == expected
        assert office.history().search(query, 10)[0][0].serial == str(SERIAL)


def test_a_text_that_nobody_has(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        fill(office)
        found = find_holders(office.site, TextQuery("no such text"))
        assert (found.count, found.holders, found.alone(found.lines)) == (0, [], {})
        assert found.lacking == [OTHER, THIRD, SERIAL]
