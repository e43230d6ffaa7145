"""What stands at the top of every page: which site it is, who is logged in and as what, and the version."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from support.serving import Server, serving
from support.visitors import Visitor, add_person, logged_in, shown

from gitupd import __version__
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.settings import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Köln <test> & “more”"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site that its settings give a name and a colour, with somebody in each of two roles."""
    site, _ = create_site(tmp_path_factory.mktemp("named") / "site", who="test", now=now())
    add_person(site, "vera", Role.VIEWER)
    (site.path / FILE_NAME).write_text(f"[site]\nname = '{NAME}'\ncolour = 'red'\n", "utf-8")
    with serving(site.path) as running:
        running.ready()
        yield running
    site.close()


def head(page: str) -> str:
    found = re.search(r'<header class="top.*?</header>', page, re.DOTALL)
    assert found, page[:2000]
    return found[0]


def test_each_page_says_which_site_it_is(server: Server) -> None:
    with logged_in(server, "vera") as vera, Visitor(server) as stranger:
        for page in (vera.get("/devices").text, vera.get("/no/such/page").text, stranger.get("/login").text):
            assert head(page).startswith('<header class="top red">')
            assert NAME in shown(head(page))
            title = re.search("<title>(.*)</title>", page)
            assert title
            assert html.unescape(title[1]).endswith(f" · {NAME} · gitupd")
            assert "<test>" not in page


def test_who_is_logged_in_sees_name_role_and_version_and_a_stranger_does_not(server: Server) -> None:
    with logged_in(server, "vera") as vera, Visitor(server) as stranger:
        assert f"gitupd {__version__}" in shown(head(vera.get("/devices").text))
        assert "vera viewer Log out" in shown(head(vera.get("/devices").text))
        assert __version__ not in stranger.get("/login").text


def test_a_site_without_a_name_is_called_gitupd(viewer: Visitor) -> None:
    page = viewer.get("/devices").text
    assert '<header class="top green">' in page
    assert "<title>Devices · gitupd</title>" in page
    assert 'class="place"' not in page
