"""The map in CONTRIBUTING: a row for each folder, and each row a folder."""

from __future__ import annotations

import re

from docs.pages import ROOT, pages

PACKAGE = ROOT / "gitupd"
MAP = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Where things are")[2].partition("\n## ")[0]
ROWS = dict(re.findall(r"^\| `(gitupd/[\w/]*)` \| (.+) \|$", MAP, re.MULTILINE))


def test_the_map_has_a_row_for_each_folder_and_no_other() -> None:
    folders = {f"{path.relative_to(ROOT)}/" for path in (PACKAGE, *PACKAGE.rglob("*")) if path.is_dir()}
    assert {path for path in folders if "__pycache__" not in path} == set(ROWS)


def test_what_a_row_names_is_in_its_folder() -> None:
    """Words in quotes are modules or files of the folder, or packages that it may use."""
    layers = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    missing = []
    for folder, row in ROWS.items():
        for name in re.findall(r"`([\w./]+)`", row):
            places = (ROOT / folder / name, ROOT / folder / f"{name}.py", PACKAGE / name)
            if name not in layers and not any(place.is_file() for place in places):
                missing.append((folder, name))
    assert missing == []


_PATH = re.compile(
    r"(?<![\w/.-])(?:gitupd/)?((?:cli|config|core|emulator|importer|service|store|web)/[a-z0-9_/]++(?:\.\w++)?)(?![\w-]|\.\w)"
)


def test_no_document_and_no_comment_names_a_module_that_is_gone() -> None:
    texts = [*(path for path in pages() if path.name != "CHANGELOG.md"), *PACKAGE.rglob("*.py")]
    named = {(path, name) for path in texts for name in _PATH.findall(path.read_text("utf-8"))}
    gone = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, name in sorted(named)
        if not any((PACKAGE / candidate).exists() for candidate in (name, f"{name}.py"))
    ]
    assert gone == []
    assert len({name for _, name in named}) > 50


def test_recordings_that_comments_point_to_are_there() -> None:
    there = {path.name.partition("_")[0] for path in (ROOT / "tests/conformance/recordings").glob("*.json")}
    pointed = [
        (path.name, number)
        for path in PACKAGE.rglob("*.py")
        for listed in re.findall(r"recordings? (\w+(?:, \w+)*)", path.read_text("utf-8"))
        for number in re.findall(r"\b[0-9fr]\d{2}[a-z]?\b", listed)
    ]
    assert pointed
    assert [(name, number) for name, number in pointed if number not in there] == []
