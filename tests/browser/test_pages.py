"""Every page, wide and narrow, light and dark: how it looks, what it says, what it does behind the scenes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from browser.inspecting import (
    inspect_access,
    inspect_outline,
    inspect_overlaps,
    inspect_size,
    inspect_text,
    inspect_width,
)
from browser.pages import NO_PAGES, PAGES
from browser.scene import FLAG
from browser.visiting import NARROW, WIDE
from browser.watching import executed
from gitupd.service.clock import now
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.health import Health
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Sightings
from gitupd.service.site import Site
from gitupd.web.app import create_app
from gitupd.web.context import Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from browser.pages import Scheme, Shown, Tour
    from browser.scene import Scene
    from browser.visiting import Visitor

_SIZES = {"wide": WIDE, "narrow": NARROW}
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_CHECKED: dict[str, Scheme] = {"wide": "light", "narrow": "dark"}
"""With which colours accessibility is looked at in which width: a width has no colours of its own."""
_MOST_USED = frozenset(
    {
        "devices",
        "device",
        "device-signing",
        "deployments",
        "deploy",
        "deployment",
        "backups",
        "backup",
        "restore",
        "audit",
        "commits",
        "searches",
    }
)
IN_GERMAN = [shown for shown in PAGES if shown.name in _MOST_USED]
_UNFOLD = """window.unfolded = [...document.querySelectorAll("details:not([open], .narrow)")]
    .filter((each) => each.checkVisibility());
for (const each of window.unfolded) each.open = true"""
_FOLD = "for (const each of window.unfolded) each.open = false"


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_page(shown: Shown, tour: Tour, screenshots: Path | None, axe: str) -> None:
    tour.open(shown, WIDE)
    visitor = tour.visitor(shown)
    faults = inspect(shown.name, visitor, screenshots, axe)
    assert not faults, f"{shown.path}\n" + "\n".join(faults)


@pytest.mark.parametrize("shown", IN_GERMAN, ids=lambda shown: shown.name)
def test_page_in_german(shown: Shown, german: Visitor, scene: Scene, axe: str) -> None:
    """Its words are longer: nothing is squeezed, pushed out, or without a name."""
    german.resize(WIDE)
    page = german.open(shown.address(scene), status=shown.status)
    faults = inspect_outline(page, "de")
    for width, size in _SIZES.items():
        german.resize(size)
        with opened(page):
            page.emulate_media(color_scheme=_CHECKED[width])
            severe, _ = inspect_access(page, axe)
            faults += [f"{width}: {fault}" for fault in (*inspect_width(page), *inspect_overlaps(page), *severe)]
    assert faults + german.watch.settle() == []


@pytest.mark.parametrize("deed", ["Touch", "Forget", "Accept", "Refuse"])
def test_page_that_asks_before_it_happens(
    deed: str, administrator: Visitor, screenshots: Path | None, axe: str
) -> None:
    administrator.resize(WIDE)
    page = administrator.open(f"/devices?q={'warned' if deed in ('Touch', 'Forget') else 'unknown'}")
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("button", name=deed, exact=True).click()
    page.get_by_role("link", name="Cancel").wait_for()
    faults = inspect(deed.lower(), administrator, screenshots, axe)
    assert not faults, "\n".join(faults)


def inspect(name: str, visitor: Visitor, screenshots: Path | None, axe: str) -> list[str]:
    """Look at the page at hand in both sizes and both sets of colours, and take pictures of it where they belong."""
    page = visitor.page
    # Help shows how templates are written.
    faults = [*inspect_outline(page), *([] if name.startswith("help") else inspect_text(page))]
    for width, size in _SIZES.items():
        visitor.resize(size)
        faults += inspect_size(page) if size == WIDE else []
        for scheme in _SCHEMES if screenshots else ():
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png", full_page=True)
        with opened(page):
            page.emulate_media(color_scheme=_CHECKED[width])
            severe, slight = inspect_access(page, axe)
            looks = (*inspect_width(page), *inspect_overlaps(page), *severe)
            faults += [f"{width}, {_CHECKED[width]}: {fault}" for fault in looks]
            print(*(f"{name}, {width}, {_CHECKED[width]}: {each}" for each in slight), sep="\n")
    faults += ["executed hostile text"] if executed(page) else []
    return faults + visitor.watch.settle()


@contextmanager
def opened(page: Page) -> Iterator[None]:
    """Show what can be unfolded while the block runs."""
    page.evaluate(_UNFOLD)
    yield
    page.evaluate(_FOLD)


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_the_menu_of_a_narrow_page(scheme: Scheme, administrator: Visitor, axe: str) -> None:
    """It lies over the page when it is open, so all else is looked at while it is not."""
    page = administrator.open("/account")
    administrator.resize(NARROW)
    page.emulate_media(color_scheme=scheme)
    page.locator("details.narrow summary").click()
    page.locator("details.narrow nav").wait_for()
    severe, _ = inspect_access(page, axe, "details.narrow")
    assert [*severe, *inspect_width(page)] == []


def test_on_paper_there_is_what_is_to_be_read_in_black_on_white(administrator: Visitor) -> None:
    administrator.resize(WIDE)
    page = administrator.open("/devices")
    page.emulate_media(media="print", color_scheme="dark")
    shown = [page.locator(each).first.is_visible() for each in ("header.top", ".pager", ".finder", "main button")]
    table = page.locator("main table.list").first
    colours = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
    heads = table.locator("thead").evaluate("(head) => getComputedStyle(head).display")
    page.emulate_media(media="screen", color_scheme="light")
    assert shown == [False] * 4
    assert (colours, heads) == (["rgb(0, 0, 0)", "rgb(255, 255, 255)"], "table-header-group")


def test_no_page_is_left_out(scene: Scene) -> None:
    site = Site(scene.site.path)
    follower = Follower(site)
    health = Health(site, follower, Sightings(site.inventory), now())
    app = create_app(Served(site, follower, health, Snapshots(site), Computing(site.settings)))
    answered = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    site.close()
    pages = {endpoint for endpoint in answered - NO_PAGES if not endpoint.startswith("api.")}
    assert pages == {shown.endpoint for shown in PAGES if shown.endpoint}


def test_inspections_find_what_is_wrong(administrator: Visitor, axe: str) -> None:
    """What is looked for on every page is found where it is."""
    page = administrator.open("/account")
    administrator.resize(NARROW)
    page.evaluate("""document.querySelector("main").innerHTML = `
        <h1>One</h1><h1>Two</h1><p>2026-01-15T09:30:00+00:00 None &amp;lt; &lt;info name="x"/></p>
        <input><div id="wide">far</div><p id="squeezed">All of this text stands in a column of a few letters</p>`""")
    page.evaluate("wide.style.width = '5000px', squeezed.style.width = '3em', squeezed.style.wordBreak = 'break-all'")
    page.evaluate("document.title = ''")
    text = inspect_text(page)
    assert [each.partition(":")[0] for each in text] == [
        "shows a raw time",
        "shows raw XML",
        "shows text escaped twice",
        "shows a value of Python",
    ]
    assert [each[:10] for each in inspect_outline(page)] == ["has not on", "has the ti"]
    width = inspect_width(page)
    assert [each.partition(":")[0] for each in width] == ["is wider than the window", "squeezes its text"]
    assert 'id="wide"' in width[0]
    severe, _ = inspect_access(page, axe)
    assert any("(label)" in each for each in severe)
    page.evaluate(f"window.{FLAG} = 1")
    assert executed(page)


def test_a_watch_hears_what_goes_wrong(anonymous: Visitor) -> None:
    page = anonymous.open("/login")
    page.evaluate("fetch('/static/no-such-thing')")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">red</p>')")
    page.evaluate("alert('ouch')")
    page.evaluate("setTimeout(() => { throw new Error('oops') })")
    page.evaluate("console.warn('careful')")
    page.goto("data:text/html,<img src='http://127.0.0.2:1/x.png'>")
    page.wait_for_function("document.images[0].complete")
    heard = "\n".join(anonymous.watch.settle())
    for each in (
        "status 404: GET",
        "console: error: CSP: style-src-attr inline",
        "dialog: ouch",
        "script: oops",
        "console: warning: careful",
        "request to elsewhere: http://127.0.0.2:1/x.png",
        "request failed: GET http://127.0.0.2:1/x.png",
    ):
        assert each in heard, heard
    assert anonymous.watch.settle() == []
