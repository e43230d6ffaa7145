"""The time zone of a site."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import SiteError
from gitupd.settings import Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_what_the_settings_say_or_that_of_the_machine(tmp_path: Path) -> None:
    summer = datetime(2026, 6, 1, tzinfo=UTC)
    (tmp_path / "gitupd.toml").write_text('time_zone = "Europe/Berlin"\n', "utf-8")
    assert summer.astimezone(read_settings(tmp_path, {}).zone).hour == 2
    assert summer.astimezone(Settings().zone).utcoffset() == summer.astimezone().utcoffset()


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe"])
def test_what_is_none_keeps_the_server_from_starting(tmp_path: Path, name: str) -> None:
    with pytest.raises(SiteError, match="is no time zone, such as Europe/Berlin"):
        read_settings(tmp_path, {"GITUPD_TIME_ZONE": name})
