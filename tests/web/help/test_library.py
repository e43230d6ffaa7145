"""The documentation as help: all of it is there, its links lead on, and nothing in it is taken for HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from docs.pages import ROOT

from gitupd.web import layout
from gitupd.web.help.dividing import divided
from gitupd.web.help.library import Library, library

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = sorted(
    path.relative_to(ROOT / "docs").as_posix().removesuffix(".md") for path in (ROOT / "docs").rglob("*.md")
)


def parts(name: str) -> Iterator[str]:
    document = library().documents[name]
    for number in range(1, document.parts + 1):
        yield library().page(name, number)


def test_every_document_is_there_and_on_a_shelf() -> None:
    assert sorted(library().documents) == DOCUMENTS
    assert {name for shelf in library().shelves for name, _ in shelf.documents} == {*DOCUMENTS} - {"index"}
    assert library().shelf_of("how-to/backups") == "How-to guides"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_help_that_is_there(name: str) -> None:
    books = library()
    for html in parts(name):
        for link in re.findall(r'href="([^"]*)"', html):
            if link.startswith(("https://", "http://", "mailto:")):
                continue
            found = re.fullmatch(r"/help(?:/([\w./-]+))?(?:\?part=(\d+))?(?:#s-(.+))?", link)
            assert found, link
            if found[1] in books.files:
                continue
            document = books.documents[found[1] or "index"]
            assert not found[3] or f'id="s-{found[3]}"' in books.page(document.name, int(found[2] or 1)), link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_but_tags_of_markdown_is_on_a_page(name: str) -> None:
    known = {"a", "p", "ul", "ol", "li", "code", "pre", "em", "strong", "h2", "h3", "h4", "hr", "br"}
    known |= {"table", "thead", "tbody", "tr", "th", "td", "blockquote"}
    for html in parts(name):
        assert len(html) < 200_000
        assert set(re.findall(r"<([a-z0-9]+)", html)) <= known
        assert not re.search(r"<[^>]*\s(style|on\w+)=", html)
        assert "&lt;!--" not in html


def test_what_looks_like_html_is_text() -> None:
    evil = "# T\n\n<script>alert(1)</script>\n\na <b onclick=x>b</b> [x](javascript:alert(1)) [y](../../etc/passwd)\n"
    html = Library({"index": divided("index", "# M\n"), "x": divided("x", evil)}, {}).page("x", 1)
    assert "<script" not in html
    assert "<b" not in html
    assert "href" not in html
    assert "&lt;script&gt;" in html


def test_a_search_finds_headings_first_and_quotes_what_is_there() -> None:
    first = library().search("freeze", 5)[0]
    assert "freeze" in f"{first.heading} {first.title}".lower()
    found = library().search("gatekeeper H.323", 20)
    assert any(each.document == "reference/glossary" for each in found)
    assert all("gatekeeper" in each.quote.lower() or "h.323" in each.quote.lower() for each in found)
    assert library().search("  ", 5) == library().search("hippopotamus", 5) == []
    assert len(library().search("a", 20)) == 20
    for each in library().search("commit", 20):
        path, _, anchor = each.url.partition("#s-")
        name, _, part = path.removeprefix("/help/").partition("?part=")
        assert not anchor or f'id="s-{anchor}"' in library().page(name, int(part or 1))


def test_every_room_has_help_that_there_is() -> None:
    assert set(layout._HELP.values()) <= {*DOCUMENTS}
    rooms = {endpoint.partition(".")[0] for _, endpoint, _ in layout._PAGES}
    assert rooms <= layout._HELP.keys()
