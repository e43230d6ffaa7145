"""Searching the latest versions: every line that a reader may see, no other, and in a time that tells nothing."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from offices import SERIAL, opened

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
                hits, complete = office.history().search(text)
                assert ([(hit.number, hit.text) for hit in hits], complete) == (wanted, True)


def test_what_is_hidden_costs_no_more_time_than_what_is_not_there(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        office.upload(b"".join(b"config change A%06d /pw hunter\n" % number for number in range(300_000)))
        office.commit()
        history = office.history(secrets=False)
        for text in ("hunter", "nowhere"):
            started = time.process_time()
            assert history.search(text) == ([], True)
            assert time.process_time() - started < 10, "each line takes as long as the next one"
        started = time.monotonic()
        history.search("x")
        assert time.monotonic() - started >= 0.1
