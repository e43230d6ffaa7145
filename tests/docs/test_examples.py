from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from docs.console import Shell, agrees, examples
from docs.pages import ROOT, pages

if TYPE_CHECKING:
    from pathlib import Path

SHOWING = [page for page in pages() if "```console" in page.read_text("utf-8")]
TOOLS = ("bash", "curl", "git")


def differences(page: Path, folder: Path) -> list[str]:
    """Run what *page* shows in *folder*, up to the first command that prints something else."""
    with Shell(folder) as shell:
        for example in examples(page.read_text("utf-8")):
            said = shell.run(example.command)
            if not agrees(said, example.output):
                return [f"{page.relative_to(ROOT)}:{example.line}: $ {example.command}\nprints:\n{said}"]
    return []


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}")
@pytest.mark.parametrize("page", SHOWING, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_really_happens(page: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = differences(page, tmp_path_factory.mktemp(page.stem))
    assert not found, "\n".join(found)


def test_the_pages_that_newcomers_read_first_show_something() -> None:
    assert {ROOT / "README.md", ROOT / "docs/tutorial/first-site.md"} <= set(SHOWING)


@pytest.mark.parametrize(
    ("said", "shown", "same"),
    [
        ("a\n", "a", True),
        ("a\nb\n", "a", False),
        ("", "a", False),
        ("deployed 0123456789ab at 2026-01-02 03:04:05\n", "deployed ba9876543210 at 2025-05-06 07:08:09", True),
        ("one\ntwo\nthree\n", "one\n...\nthree", True),
        ("one\nthree\n", "one\n...\nthree", True),
        ("took 3 ms\n", "took ... ms", True),
        ("took 3 s\n", "took ... ms", False),
    ],
)
def test_what_counts_as_the_same(said: str, shown: str, *, same: bool) -> None:
    assert agrees(said, shown) is same
