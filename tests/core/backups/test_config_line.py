from __future__ import annotations

import pytest

from gitupd.core.backups.config_line import ConfigLine, parse_config_line


@pytest.mark.parametrize(
    ("text", "module", "options"),
    [
        ("config change A /x 1 /y 2", "A", {"/x": ("1",), "/y": ("2",)}),
        ("config change PHONE SIG /prot SIP", "PHONE SIG", {"/prot": ("SIP",)}),
        ("config change A /list 1 /flag /list 2 /end", "A", {"/list": ("1", "2"), "/flag": ("",), "/end": ("",)}),
        ("config change A /empty  /z 1", "A", {"/empty": ("",), "/z": ("1",)}),
        ("config change A", "A", {}),
        ("config change  A  /x  1 stray", "A", {"/x": ("1",)}),
    ],
)
def test_a_line_is_taken_apart(text: str, module: str, options: dict[str, tuple[str, ...]]) -> None:
    assert parse_config_line(text) == ConfigLine("change", module, options)


def test_verbs_are_told_apart() -> None:
    lines = [parse_config_line(f"config {verb} A /x") for verb in ("add", "change", "rem")]
    assert [line and line.verb for line in lines] == ["add", "change", "rem"]


@pytest.mark.parametrize("text", ["config write", "config add", "config change /x 1", "vars create A p 1", ""])
def test_other_lines_are_none(text: str) -> None:
    assert parse_config_line(text) is None
