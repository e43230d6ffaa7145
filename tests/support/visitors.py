"""People who visit a server as a browser does: with cookies, and with the CSRF token of the page before."""

from __future__ import annotations

import html
import re
import ssl
from typing import TYPE_CHECKING, Self

import httpx

from gitupd.core.people.person import Actor, Role
from gitupd.service.clock import now
from gitupd.service.people.access import Access

if TYPE_CHECKING:
    from gitupd.service.site import Site
    from support.serving import Server

PASSWORD = "correct horse battery"
RECENTLY = r"(?:just now|\d+ min ago)"
"""How pages say when something was that a test has done, however long it has taken since."""
_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Is asked nothing, as these servers have no TLS; without it, httpx would read all authorities for each client."""
ROOT = Actor("test@host", Role.ADMINISTRATOR, None)


def add_person(site: Site, name: str, role: Role = Role.ADMINISTRATOR, password: str = PASSWORD) -> None:
    """Let somebody log in to *site*."""
    Access(site).add(ROOT, name, role, password, now())


def add_key(site: Site, name: str, role: Role | None = None, days: int | None = None) -> str:
    """Return the key of a new token of somebody."""
    return Access(site).add_token(ROOT, name, "test", now(), role=role, days=days)[1]


def shown(page: str) -> str:
    """Return the text of a page as one reads it."""
    body = re.sub(r"<(script|style|title|datalist)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", body)).split())


def answer(page: str) -> str:
    """Return the sentences at the top of a page."""
    found = re.search(r'<div class="answer".*?</div>', page, re.DOTALL)
    assert found, page[:2000]
    return shown(found[0])


class Visitor(httpx.Client):
    """A browser that follows no redirect by itself."""

    def __init__(self, server: Server) -> None:
        super().__init__(base_url=server.base, timeout=120, headers={"Accept": "text/html"}, verify=_NOBODY)

    def __enter__(self) -> Self:
        """Give the block this browser, which may have made requests already; httpx itself would refuse that."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def csrf(self, page: str = "/login") -> str:
        """Return the CSRF token of a page."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert found, page
        return found[1]

    def submit(self, path: str, fields: dict[str, str] | None = None, *, page: str = "/login") -> httpx.Response:
        """Post a form that stands on *page*."""
        return self.post(path, data={**(fields or {}), "csrf_token": self.csrf(page)})

    def log_in(self, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        return self.submit("/login", {"name": name, "password": password, **more})


def unveiled(path: str) -> str:
    """Return the address of the page at *path* with the secrets that one may see."""
    return f"{path}{'&' if '?' in path else '?'}secrets=show"


def logged_in(server: Server, name: str, password: str = PASSWORD) -> Visitor:
    """Return the browser of somebody who has logged in; close it, best by a with statement."""
    visitor = Visitor(server)
    assert visitor.log_in(name, password).status_code == 303
    return visitor
