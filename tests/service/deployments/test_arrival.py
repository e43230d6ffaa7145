"""When the commit that waits arrived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.service.deployments.arrival import ARRIVED, arrival, note_arrival

if TYPE_CHECKING:
    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize("content", [b"", b"\xff", b"1 2", b"x" * 100, b"%s 2024-05-06T12:00:00"])
def test_a_note_of_the_arrival_that_is_damaged_is_made_anew(sample: Sample, content: bytes) -> None:
    (sample.site.path / ARRIVED).write_bytes(content.replace(b"%s", sample.first.encode()))
    assert arrival(sample.site.path, sample.first) is None
    assert note_arrival(sample.site.path, sample.first, NOON) == NOON
    assert note_arrival(sample.site.path, sample.first, NOON + timedelta(days=1)) == NOON
