"""Pages as documents, for tests that look at where something stands on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import html

if TYPE_CHECKING:
    from support.visitors import Visitor


def page(visitor: Visitor, path: str, status: int = 200) -> html.HtmlElement:
    """Return the page at *path*, which is answered with that *status*."""
    response = visitor.get(path)
    assert response.status_code == status, response.text[:2000]
    return html.fromstring(response.text)


def words(element: html.HtmlElement) -> str:
    """Return the text of an element, with one blank wherever there are some."""
    return " ".join(element.text_content().split())
