"""A session that ends while somebody fills in a form: nothing is done, they are told, and come back to the form."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from support.serving import Server, serving
from support.visitors import PASSWORD, ROOT, Visitor, add_person, logged_in, shown

from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.people.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

TOLD = "Nothing was done: your session had ended when the form arrived."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made, _ = create_site(tmp_path_factory.mktemp("sites") / "site", who="test", now=now())
    add_person(made, "ada")
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    with serving(site.path, workers=2) as running:
        running.ready()
        yield running


@pytest.fixture
def ada(server: Server, site: Site) -> Iterator[Visitor]:
    """Somebody with a form in front of her, whose session has just ended."""
    with logged_in(server, "ada") as visitor:
        assert visitor.get("/people").status_code == 200
        Access(site).set_password(ROOT, "ada", PASSWORD, now())
        yield visitor


def send(visitor: Visitor, server: Server, page: str, path: str = "/people") -> str:
    """Send the form of *page* to *path*, as browsers do; return where that leads."""
    fields = {"name": "kim", "role": str(Role.VIEWER), "csrf_token": "of the session that has ended"}
    response = visitor.post(path, data=fields, headers={"Referer": f"{server.base}{page}"})
    assert response.status_code == 303
    return response.headers["location"]


@pytest.mark.parametrize("page", ["/people", "/account?from=menu&x=%C3%BC"])
def test_logging_in_again_says_so_and_leads_to_the_form(site: Site, server: Server, ada: Visitor, page: str) -> None:
    where = urlsplit(send(ada, server, page))
    target = parse_qs(where.query)["next"][0]
    assert (where.path, target) == ("/login", page)
    log_in = ada.get(f"{where.path}?{where.query}").text
    assert f"{TOLD} Log in to come back to its page." in shown(log_in)
    wrong = ada.log_in("ada", "a wrong password", next=target)
    assert (wrong.status_code, TOLD in shown(wrong.text)) == (403, True)
    assert ada.log_in("ada", next=target).headers["location"] == page
    assert f"{TOLD} Here is its page again." in shown(ada.get(page).text)
    assert TOLD not in shown(ada.get(page).text), "it is said once"
    assert [user.name for user in site.people.users() if user.name == "kim"] == []


def test_who_logs_in_for_something_else_is_told_nothing(server: Server, ada: Visitor) -> None:
    send(ada, server, "/people")
    assert TOLD not in shown(ada.get("/login?next=/audit").text)
    assert ada.log_in("ada", next="/audit").headers["location"] == "/audit"
    assert TOLD not in shown(ada.get("/audit").text)


@pytest.mark.parametrize("page", ["/no/such/page", "/devices/touch/now", "//evil.example/x", "/login\\x"])
def test_a_page_that_is_none_is_not_come_back_to(server: Server, ada: Visitor, page: str) -> None:
    assert send(ada, server, page) == "/login"


def test_who_only_wanted_to_log_out_has_lost_nothing(server: Server, ada: Visitor) -> None:
    assert send(ada, server, "/people", "/logout") == "/login"
    assert TOLD not in shown(ada.get("/login").text)


@pytest.mark.parametrize("referrer", ["http://evil.example/people", "http://[", "", "/people"])
def test_other_sites_neither_end_a_session_nor_have_anything_said(server: Server, referrer: str) -> None:
    """Browsers leave the cookie of the session out of what other sites have them post, and take one that comes back."""
    with Visitor(server) as without_cookie:
        response = without_cookie.post("/people", data={"name": "kim"}, headers={"Referer": referrer})
        assert (response.status_code, response.headers["location"]) == (303, "/login")
        assert "set-cookie" not in response.headers
