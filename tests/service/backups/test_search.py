"""Searching the latest versions: every line that a reader may see, no other, and in a time that tells nothing."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from support.offices import LINES, SERIAL, dump, opened
from support.pace import slowness

from gitupd.core.caller import parse_serial
from gitupd.service.backups.search import TextQuery

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_are_found_however_they_end(tmp_path: Path) -> None:
    chance = random.Random(1)
    with opened(tmp_path / "site") as office:
        for _ in range(40):
            letters = [chance.choice("abAB /\r\n") for _ in range(200)]
            content = "config change A /pw secret\r\n" + "".join(letters) + "\nx"
            office.upload(content.encode())
            office.commit()
            kept = office.site.backups.content(office.site.backup_index.of(SERIAL)[0].blob).decode()
            lines = kept.encode().splitlines()
            for text in ("a", "AB", "b a", "a/"):
                wanted = [
                    (n, line.decode()) for n, line in enumerate(lines, 1) if text.encode().lower() in line.lower()
                ]
                hits, complete = office.history().search(TextQuery(text))
                assert ([(hit.number, hit.text) for hit in hits], complete) == (wanted, True)


@pytest.mark.slow
def test_what_is_hidden_costs_no_more_time_than_what_is_not_there(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        office.upload(b"".join(b"config change A%06d /pw hunter\n" % number for number in range(100_000)))
        office.commit()
        history = office.history(secrets=False)
        for text in ("hunter", "nowhere"):
            started = time.process_time()
            assert history.search(TextQuery(text)) == ([], True)
            assert time.process_time() - started < 10 * slowness(), "each line takes as long as the next one"
        started = time.monotonic()
        history.search(TextQuery("x"))
        assert time.monotonic() - started >= 0.1


def test_some_devices_are_looked_at_and_others_lack_a_text(tmp_path: Path) -> None:
    other, third = parse_serial("00-90-33-00-00-01"), parse_serial("00-90-33-00-00-02")
    with opened(tmp_path / "site") as office:
        office.upload(dump(*LINES, "config change PHONE /gk 10.1.0.1 /pw hunter2"))
        office.upload(dump(*LINES, "config change PHONE /gk 10.1.0.10"), other)
        office.upload(dump(*LINES), third)
        office.commit()
        history = office.history()
        assert {hit.serial for hit in history.search(TextQuery("10.1.0.1"))[0]} == {str(SERIAL), str(other)}
        assert {hit.serial for hit in history.search(TextQuery("10.1.0.1", whole=True))[0]} == {str(SERIAL)}
        assert [hit.serial for hit in history.search(TextQuery("10.1", among=frozenset({other})))[0]] == [str(other)]
        assert history.lacking(TextQuery("10.1.0.1"))[0] == [third]
        assert history.lacking(TextQuery("10.1.0.1", whole=True))[0] == [other, third]
        assert history.lacking(TextQuery("10.1.0.1", among=frozenset({SERIAL, third})))[0] == [third]
        found = history.search_through(TextQuery("10.1.0.1", whole=True, among=frozenset({SERIAL, other})))
        assert [held.serial for held in found.held] == [SERIAL]
        assert history.lacking(TextQuery("hunter2"))[0] == [other, third]
        assert office.history(secrets=False).lacking(TextQuery("hunter2"))[0] == [other, third, SERIAL]
        assert office.history(secrets=False).lacking(TextQuery("nowhere"))[0] == [other, third, SERIAL]
