"""Everything can be reached, seen and done by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.pages import PAGES
from browser.scene import EMULATED_FIRST
from browser.visiting import NARROW, WIDE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.pages import Shown, Tour
    from browser.visiting import Visitor

_REACHABLE = """() => {
    return [...document.querySelectorAll(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
    )].filter((each) => !each.disabled && each.tabIndex >= 0 && each.checkVisibility({visibilityProperty: true}))
      .filter((each) => each.type !== "radio" || each.checked)
      .map((each) => ({number: window.numbers.get(each), html: each.outerHTML.slice(0, 140)}));
}"""

_REMEMBER_LOOKS = """() => {
    window.looks = (element) => {
        const style = getComputedStyle(element);
        return [style.outlineStyle === "none" ? "" : style.outline, style.boxShadow, style.borderColor,
                style.backgroundColor, style.textDecorationLine].join("|");
    };
    const all = [...document.querySelectorAll("*")];
    window.plain = new Map(all.map((each) => [each, window.looks(each)]));
    window.numbers = new Map(all.map((each, number) => [each, number]));
}"""
_FOCUSED = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const number = window.numbers.get(element);
    const box = element.getBoundingClientRect();
    const seen = window.looks(element) !== window.plain.get(element) && box.width > 1 && box.height > 1;
    return {number, html: element.outerHTML.slice(0, 140), seen};
}"""


def tab_through(page: Page) -> list[dict[str, object]]:
    """Press Tab until the focus leaves the page; return each element that had it, and whether it looked different."""
    # Tab goes on from whatever had the focus last; log-in has it in a field from the start.
    page.evaluate("document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute('tabindex')")
    page.evaluate(_REMEMBER_LOOKS)
    met: list[dict[str, object]] = []
    for _ in range(1000):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused is None or (met and focused["number"] == met[0]["number"]):
            return met
        met.append(focused)
    raise AssertionError("the focus never leaves the page")


VISITS = [(shown, WIDE) for shown in PAGES if shown.by_keyboard]
VISITS += [(shown, NARROW) for shown in PAGES if shown.name in {"devices-missing", "device", "deployments", "backup"}]


@pytest.mark.parametrize(("shown", "size"), VISITS, ids=[f"{shown.name}-{size[0]}" for shown, size in VISITS])
def test_tab_reaches_everything_in_order_and_is_seen(shown: Shown, size: tuple[int, int], tour: Tour) -> None:
    page = tour.open(shown, size)
    page.wait_for_selector("text=This page renews itself", state="detached")  # a plan has come, and its buttons with it
    met = tab_through(page)
    # A field for a date has several stops, the last is its button's.
    seen = {each["number"] for each in met if each["seen"]}
    assert [each["html"] for each in met if each["number"] not in seen] == []
    numbers = [each["number"] for each in met]
    # By their numbers, since what they say may differ meanwhile: "42 min ago" becomes "43 min ago".
    assert [each["html"] for each in page.evaluate(_REACHABLE) if each["number"] not in numbers] == []
    assert numbers == sorted(numbers), "the order differs from that of the page"


def test_a_link_skips_the_navigation(administrator: Visitor) -> None:
    administrator.resize(WIDE)
    page = administrator.open("/deployments")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_slash_leads_to_the_search_unless_one_is_typing(administrator: Visitor) -> None:
    administrator.resize(WIDE)
    page = administrator.open("/deployments")
    search = page.get_by_role("combobox", name="Search everywhere")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    page.keyboard.type("a/b")
    expect(search).to_have_value("a/b")


def test_the_search_at_the_top_shows_what_it_finds_and_leads_there_by_keyboard(administrator: Visitor) -> None:
    administrator.resize(WIDE)
    page = administrator.open("/deployments")
    page.keyboard.press("Control+k")
    search, found = page.get_by_role("combobox", name="Search everywhere"), page.get_by_role("listbox")
    expect(search).to_be_focused()
    page.keyboard.type("reception")
    option = found.get_by_role("group", name="Devices").get_by_role("option", name=f"Reception {EMULATED_FIRST}")
    expect(option).to_be_visible()
    page.keyboard.press("Escape")
    expect(found).to_be_hidden()
    page.keyboard.press("ArrowDown")
    while option.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/devices/{EMULATED_FIRST}")
    assert administrator.watch.settle() == []


def test_without_a_choice_the_search_leads_to_its_page(either: Visitor) -> None:
    page = either.open("/deployments")
    page.locator("#everywhere").fill("reception")
    page.locator("#everywhere").press("Enter")
    page.wait_for_url("**/search?q=reception")
    expect(page.locator("main").get_by_role("link", name="Reception").first).to_be_visible()


def test_the_menu_opens_by_keyboard_where_there_is_little_room(administrator: Visitor) -> None:
    administrator.resize(NARROW)
    page = administrator.open("/devices")
    link = page.get_by_role("link", name="Deployments")
    expect(link).to_have_count(0)
    page.get_by_text("Menu", exact=True).focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    page.keyboard.press("Tab")
    while not link.evaluate("(each) => each === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deployments")
    expect(page.locator("main h1")).to_be_visible()
