"""The map in CONTRIBUTING: what it names is there, and no folder is left out."""

from __future__ import annotations

import re

from docs.pages import ROOT

PACKAGE = ROOT / "gitupd"
MAP = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Where things are")[2].partition("\n## ")[0]


def test_what_the_map_names_exists() -> None:
    named = re.findall(r"`((?:core|config|store|service|web|cli)/[\w/]+\.\w+|settings\.py)`", MAP)
    assert [name for name in named if not (PACKAGE / name).is_file()] == []
    assert named


def test_the_map_leaves_no_folder_out() -> None:
    there = {f"{path.relative_to(ROOT)}/" for path in PACKAGE.rglob("*") if path.is_dir()}
    there = {path for path in there if "__pycache__" not in path and "/versions/" not in path}
    assert {path for path in there if f"`{path}`" not in MAP} == set()
