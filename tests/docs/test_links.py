from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from docs.pages import ROOT, pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
MENTIONED = re.compile(r"docs/[a-z/-]+/[a-z0-9-]+\.md")


def anchors(page: Path) -> set[str]:
    """Return the anchors that Git hosts give to the headings of *page*."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def broken(page: Path) -> Iterator[str]:
    for link in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_every_page_can_be_reached_from_the_map() -> None:
    found, pending = set(), [ROOT / "docs/index.md", ROOT / "README.md"]
    while pending:
        page = pending.pop()
        if page in found or page.suffix != ".md" or not page.is_file():
            continue
        found.add(page)
        links = LINK.findall(CODE.sub("", page.read_text("utf-8")))
        pending += [(page.parent / link.partition("#")[0]).resolve() for link in links if "://" not in link]
    assert set(pages()) - found == set()


def test_pages_that_the_program_mentions_exist() -> None:
    sources = [*ROOT.glob("gitupd/**/*.py"), *ROOT.glob("repo-template/**/*.yaml")]
    mentioned = {name for source in sources for name in MENTIONED.findall(source.read_text("utf-8"))}
    assert {name for name in mentioned if not (ROOT / name).is_file()} == set()
    assert mentioned
