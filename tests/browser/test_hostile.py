"""Whatever devices, authors of commits and addresses say is shown as text, and is nowhere executed or followed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from browser.scene import HOSTILE, MARKUP, QUOTED
from browser.watching import executed

if TYPE_CHECKING:
    from browser.pages import Tour
    from browser.visiting import Visitor

_ELEMENTS_FROM_TEXT = "main :is(img, script:not([src]), [onerror], [onload], b[x])"
_DANGEROUS = """[...document.querySelectorAll("[href], [action], [formaction], [src]")]
    .flatMap((each) => [each.href, each.action, each.formAction, each.src])
    .filter((address) => typeof address === "string" && address && !/^(https?|data:image)/.test(address))"""

SAYING = {
    "the list of devices": "/devices?q=warned",
    "a device": f"/devices/{HOSTILE}",
    "its configuration": "/configuration/file/devices.yaml",
    "deployments": "/deployments",
    "a commit": "/commits/{deployed}",
    "a version of a backup": f"/backups/{HOSTILE}/latest",
    "what changed in a backup": f"/backups/{HOSTILE}",
}
ASKING = {
    "a search": (200, "/devices?q={text}"),
    "an order": (200, "/devices?sort={text}&desc={text}&size={text}&page={text}"),
    "a preview": (200, "/preview?type=IP222&env={text}&phase={text}&name={text}"),
    "a preview that is refused": (400, "/preview?type={text}&sn={text}&rev={text}"),
    "a filter of the audit": (200, "/audit?who={text}&kind={text}&q={text}"),
    "a way back": (200, "/login?next={text}"),
    "backups": (200, "/backups?q={text}&day={text}&show={text}&before={text}"),
    "a text in backups": (200, "/backups/search?q={text}&scope={text}"),
    "a commit": (404, "/commits/{text}"),
    "a file": (404, "/configuration/file/{text}"),
    "nothing": (404, "/no/such/{text}"),
}


def assert_harmless(visitor: Visitor) -> None:
    """Hostile text made no element, no address that does anything, and was not executed."""
    page = visitor.page
    assert page.locator(_ELEMENTS_FROM_TEXT).all_inner_texts() == []
    assert page.evaluate(_DANGEROUS) == []
    assert not executed(page)
    assert visitor.watch.settle() == []


@pytest.mark.parametrize("path", SAYING.values(), ids=SAYING)
def test_what_is_remembered_is_shown_as_text(path: str, administrator: Visitor, tour: Tour) -> None:
    page = administrator.open(path.format(deployed=tour.scene.deployed))
    assert MARKUP in page.inner_text("main")
    assert_harmless(administrator)


@pytest.mark.parametrize("text", [MARKUP, QUOTED, "javascript:window.hacked=1"], ids=["markup", "quoted", "address"])
@pytest.mark.parametrize(("status", "path"), ASKING.values(), ids=ASKING)
def test_what_is_asked_for_is_harmless(status: int, path: str, text: str, administrator: Visitor) -> None:
    administrator.open(path.format(text=quote(text, safe="")), status=status)
    assert_harmless(administrator)
