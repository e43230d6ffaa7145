"""Help at a real server: documents, parts of long ones, files, and what a search finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.visitors import answer, shown

if TYPE_CHECKING:
    from support.visitors import Visitor


def test_every_page_leads_to_the_help_on_it(viewer: Visitor) -> None:
    for page, help_page in (("/devices", "/help/how-to/look-after-a-fleet"), ("/no/such/page", "/help")):
        assert f'<a href="{help_page}">Help</a>' in viewer.get(page).text
        assert viewer.get(help_page).status_code == 200


def test_the_map_a_document_and_a_part_of_it(viewer: Visitor) -> None:
    page = viewer.get("/help").text
    assert '<a href="/help/how-to/backups">Keep and read backups</a>' in page
    page = viewer.get("/help/reference/search").text
    assert answer(page).startswith("Search for devices")
    assert '<a href="/help/how-to/admit-unknown-devices">admission</a>' in page
    first, third = viewer.get("/help/reference/cli").text, viewer.get("/help/reference/cli?part=3").text
    assert "Part 1 of" in answer(first)
    assert "Part 3 of" in answer(third)
    assert '<a rel="next" href="/help/reference/cli?part=4">' in third
    assert '<a rel="prev" href="/help/reference/cli?part=2">' in third


def test_a_search_finds_passages(viewer: Visitor) -> None:
    page = viewer.get("/help?q=brake").text
    assert "with “brake”" in answer(page)
    assert "The brake" in shown(page)
    assert answer(viewer.get("/help?q=<b>hippo").text) == "Nothing in the help has “<b>hippo”."
    assert answer(viewer.get(f"/help?q={'a' * 5000}").text).startswith("Nothing in the help has")


def test_files_of_the_documentation_can_be_read(viewer: Visitor) -> None:
    assert "proxy_pass" in viewer.get("/help/how-to/nginx.conf").text


@pytest.mark.parametrize(
    "path",
    ["/help/index", "/help/no/such", "/help/../../etc/passwd", "/help/%2e%2e/README", "/help/reference/search?part=9"],
)
def test_other_addresses_are_no_help(viewer: Visitor, path: str) -> None:
    assert viewer.get(path).status_code == 404
