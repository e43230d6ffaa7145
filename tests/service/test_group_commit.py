from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import SiteError
from gitupd.service.group_commit import GroupCommit

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_a_trouble_is_over_a_while_after_the_last_failure_though_nothing_more_is_to_be_written() -> None:
    def fail(_: Sequence[str]) -> Sequence[None]:
        raise SiteError("the disk is full")

    items: GroupCommit[str, None] = GroupCommit("items", fail, troubled=0.5)
    items.start()
    with pytest.raises(SiteError):
        items.put("one").result(10)
    assert items.trouble == "the disk is full"
    time.sleep(0.6)
    assert items.trouble is None
    items.stop()
