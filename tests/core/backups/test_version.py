"""Where the versions of a device lie."""

from __future__ import annotations

from gitupd.core.backups.version import path_of
from gitupd.core.caller import parse_serial


def test_the_last_two_digits_of_a_serial_number_are_folders() -> None:
    assert path_of(parse_serial("0090333000af")) == "devices/a/f/00-90-33-30-00-af.txt"
    assert path_of(parse_serial("00:90:33:30:00:B7")) == "devices/b/7/00-90-33-30-00-b7.txt"
