"""What becomes of uploads that go into the history together."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from gitupd.core.backups.change import Delta, Volatile, fingerprint
from gitupd.core.caller import Serial, parse_serial
from gitupd.core.snapshot import CommitId
from gitupd.service.backups.batch import Batch, Predecessor, Unpacked
from gitupd.store.backups.inbox import Incoming
from gitupd.store.backups.repository import Committed

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DESK, OTHER = parse_serial("00-90-33-00-00-0d"), parse_serial("00-90-33-00-00-0e")
ONE, TWO = b"config a\r\n", b"config a\r\nconfig b\r\n"


def unpacked(content: bytes, serial: Serial = DESK, *, as_file: bool = False) -> Unpacked:
    mark = fingerprint([content])
    incoming = Incoming(f"{serial}{mark}", serial, NOON, mark, len(content), {}, None)
    return Unpacked(incoming, io.BytesIO(content) if as_file else content)


def predecessor(content: bytes | None, of: bytes = ONE) -> Predecessor:
    return Predecessor(fingerprint([of]), content)


def indexed(batch: Batch) -> list[tuple[Serial, Delta, str | None]]:
    """Let Git commit *batch*, and return what the index says."""
    committed = [Committed(CommitId(f"{number:040x}"), "0" * 40) for number, _ in enumerate(batch.versions())]
    return [(version.serial, version.delta, version.facts.get("note")) for version in batch.indexed(committed)]


def test_versions_are_compared_with_the_one_before_and_with_each_other() -> None:
    uploads = [unpacked(TWO), unpacked(ONE, OTHER), unpacked(ONE), unpacked(TWO, OTHER, as_file=True)]
    batch = Batch(uploads, {DESK: predecessor(ONE)}, {}, Volatile(()))
    assert indexed(batch) == [
        (DESK, Delta(1, 0), None),
        (OTHER, Delta(1, 0), None),
        (DESK, Delta(0, 1), None),
        (OTHER, Delta(1, 0), None),
    ]


def test_what_is_there_already_is_left_out() -> None:
    batch = Batch([unpacked(ONE), unpacked(TWO), unpacked(TWO)], {DESK: predecessor(ONE)}, {}, Volatile(()))
    assert len(batch) == 1
    assert not Batch([unpacked(ONE)], {DESK: predecessor(ONE)}, {}, Volatile(()))


def test_a_version_before_that_can_not_be_read_is_noted() -> None:
    batch = Batch([unpacked(TWO)], {DESK: predecessor(None)}, {}, Volatile(()))
    assert indexed(batch) == [(DESK, Delta(0, 0), "the version before can't be read")]
