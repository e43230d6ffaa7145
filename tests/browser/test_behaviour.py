"""What pages do: filter, sort, page, refresh, let in and out; most of it without any script, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from support.visitors import unveiled

from browser.pages import PAGES
from browser.scene import CALLERS, EMULATED_FIRST, FORGETTABLE, MISSING, PEOPLE, SECRET, TWIN, poll
from browser.visiting import WIDE, visitor
from gitupd.core.people.person import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from support.serving import Server

    from browser.scene import Scene
    from browser.visiting import Visitor


def rows(page: Page) -> list[str]:
    """Return the serial numbers that the list of devices shows, in its order."""
    return page.locator("main td a.sn").all_inner_texts()


def test_a_search_filters_the_list_and_is_in_the_address(either: Visitor) -> None:
    page = either.open("/devices")
    everything = rows(page)
    page.get_by_role("searchbox").fill("missing")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"[?&]q=missing\b"))
    gone = rows(page)
    assert gone[-MISSING:] == [f"00-90-33-22-00-{number:02x}" for number in range(MISSING)]
    expect(page.get_by_role("searchbox")).to_have_value("missing")
    page.reload()
    assert rows(page) == gone
    page.go_back()
    assert rows(page) == everything
    page.go_forward()
    assert rows(page) == gone
    assert either.watch.settle() == []


def test_the_list_is_sorted_by_its_headings(either: Visitor) -> None:
    page = either.open("/devices?q=name:Desk*&size=100")
    heads = page.get_by_role("columnheader")
    by_serial = rows(page)
    assert by_serial == sorted(by_serial)
    heads.get_by_role("link", name="Serial number").click()
    page.wait_for_url(re.compile("desc=1"))
    assert rows(page) == by_serial[::-1]
    heads.get_by_role("link", name="Address").click()
    page.wait_for_url(re.compile("sort=address"))
    assert rows(page) != by_serial[::-1]
    assert sorted(rows(page)) == by_serial
    expect(page.get_by_role("columnheader", name="Address")).to_have_attribute("aria-sort", "ascending")
    assert "q=name" in page.url


def test_pages_of_the_list_follow_each_other(either: Visitor) -> None:
    page = either.open("/devices")
    first = rows(page)
    page.get_by_role("link", name="Next").click()
    page.wait_for_url(re.compile("page=2"))
    second = rows(page)
    assert (len(first), bool(second)) == (50, True)
    assert first[-1] < second[0]
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url(re.compile(r"/devices(\?page=1)?$"))
    assert rows(page) == first


def test_devices_are_forgotten_once_that_was_confirmed(either: Visitor) -> None:
    """Without scripts, and with them, each forgets a device of its own."""
    doomed = FORGETTABLE[int(either.scripts)]
    page = either.open("/devices?q=name:%22Forget+me%22")
    before = rows(page)
    page.get_by_label(f"Choose {doomed}").check()
    page.get_by_role("button", name="Forget").click()
    expect(page.locator(".answer")).to_contain_text("Forget 1 device?")
    expect(page.locator("main")).to_contain_text(str(doomed))
    page.get_by_role("link", name="Cancel").click()
    assert rows(page) == before
    page.get_by_label(f"Choose {doomed}").check()
    page.get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="Forget 1 device").click()
    expect(page.get_by_role("status").first).to_contain_text("1 device forgotten")
    assert rows(page) == [each for each in before if each != str(doomed)]
    assert either.watch.settle() == []


def test_rows_are_chosen_by_range_and_opened_by_a_click(administrator: Visitor) -> None:
    page = administrator.open("/devices")
    boxes = page.locator("[data-row]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("[data-chosen]")).to_have_text("4 chosen")
    assert [boxes.nth(number).is_checked() for number in range(6)] == [False, True, True, True, True, False]
    expect(page.get_by_role("button", name="Compare")).to_be_in_viewport()
    boxes.nth(2).click(modifiers=["Shift"])  # from the fourth back to the second: they are not chosen any more
    assert [boxes.nth(number).is_checked() for number in range(6)] == [False, True, False, False, False, False]
    serial = rows(page)[3]
    page.locator("tbody tr").nth(3).locator("td[data-label='Last seen']").click()
    page.wait_for_url(f"**/devices/{serial}")
    assert administrator.watch.settle() == []


def test_keys_and_values_are_completed_by_keyboard(administrator: Visitor) -> None:
    page = administrator.open("/devices")
    box, offers = page.get_by_role("searchbox"), page.get_by_role("option")
    box.press_sequentially("present typ")
    expect(offers.first).to_have_text(re.compile("^type:"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("present type:")
    expect(offers.first).to_have_text(re.compile(r"^type:\S+\d+ devices?$"))
    box.press_sequentially("ip2")
    expect(offers.first).to_have_text(re.compile("^type:IP2"))
    page.keyboard.press("Escape")
    expect(offers).to_have_count(0)
    expect(box).to_have_value("present type:ip2")
    page.keyboard.press("ArrowDown")
    expect(offers.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile(r"^present type:IP2\S+ $"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=present"))
    assert administrator.watch.settle() == []


def test_a_preview_is_asked_for_by_its_form(either: Visitor) -> None:
    page = either.open("/preview")
    page.get_by_label("Type", exact=True).fill("IP222")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("type=IP222"))
    expect(page.get_by_role("region", name="Script")).to_contain_text("config change NTP0 /addr pool.ntp.org")
    assert either.watch.settle() == []


# Live refresh


def test_a_refresh_shows_news_and_disturbs_nobody(administrator: Visitor, server: Server) -> None:
    administrator.resize(WIDE)
    page = administrator.open("/devices?q=type:IP222")
    held = page.locator(f"#d{TWIN.digits}")
    before = rows(page)
    held.get_by_role("checkbox").check()
    search = page.get_by_role("searchbox")
    search.fill("half-typed")
    search.evaluate("(field) => field.setSelectionRange(2, 6)")
    held.evaluate("(row) => row.scrollIntoView({block: 'center'})")
    top = held.bounding_box()
    news = [str(each) for each in CALLERS[:2]]
    for each in CALLERS[:2]:
        poll(server, each)
    expect(page.locator(f"#d{CALLERS[0].digits}")).to_be_attached()
    expect(page.locator(f"#d{CALLERS[1].digits}")).to_be_attached()
    assert rows(page) == sorted([*before, *news])
    assert rows(page)[0] == news[0], "a row above what is looked at was to push it down"
    assert held.bounding_box() == pytest.approx(top, abs=2), "what is looked at stays where it is"
    expect(held.get_by_role("checkbox")).to_be_checked()
    expect(search).to_be_focused()
    expect(search).to_have_value("half-typed")
    assert search.evaluate("(field) => [field.selectionStart, field.selectionEnd]") == [2, 6]
    assert administrator.watch.settle() == []


def test_a_refresh_keeps_what_is_selected_and_open(administrator: Visitor, server: Server) -> None:
    page = administrator.open("/devices?q=type:IP222")
    page.locator("details.help summary").click()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#answer'))")
    selected = page.evaluate("getSelection().toString()")
    seen = page.locator(f"#d{CALLERS[2].digits}")
    poll(server, CALLERS[2], ip="10.30.9.1")
    expect(seen).to_be_attached()
    expect(page.locator("details.help")).to_have_attribute("open", "")
    # The numbers in the sentence may have changed, yet the selection is where it was.
    assert re.sub(r"[\d,]+", "#", page.evaluate("getSelection().toString()")) == re.sub(r"[\d,]+", "#", selected)


def test_a_list_without_a_device_shows_the_first_that_calls(administrator: Visitor, server: Server) -> None:
    page = administrator.open(f"/devices?q={CALLERS[3]}")
    assert rows(page) == []
    poll(server, CALLERS[3])
    expect(page.locator("main td a.sn")).to_have_text([str(CALLERS[3])])


def test_a_device_that_polls_changes_its_page(administrator: Visitor, server: Server) -> None:
    poll(server, CALLERS[4], PROT="130000")
    page = administrator.open("/devices?q=type:IP222")
    page.get_by_role("link", name=str(CALLERS[4])).click()
    expect(page.locator("main")).to_contain_text("130000")
    poll(server, CALLERS[4], PROT="131111")
    expect(page.locator("main")).to_contain_text("131111")
    assert administrator.watch.settle() == []


# Who may in


def test_who_is_not_logged_in_comes_to_the_page_after_it(browser: Browser, server: Server) -> None:
    someone = visitor(browser, server.base)
    page = someone.open("/devices?q=missing")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("Name").fill(PEOPLE[Role.VIEWER].name)
    page.get_by_label("Password", exact=True).fill("wrong")
    someone.watch.settle()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(re.compile("wrong|not right|does not", re.IGNORECASE))
    page.get_by_label("Password", exact=True).fill(PEOPLE[Role.VIEWER].password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/devices\?q=missing"))
    expect(page.get_by_role("navigation", name="Pages").first).not_to_contain_text("People")
    page.get_by_role("button", name="Log out").first.click()
    page.wait_for_url(re.compile("/login"))
    someone.open("/devices")
    expect(page).to_have_url(re.compile("/login"))
    someone.context.close()


@pytest.mark.parametrize("path", ["/people", "/audit"])
def test_what_is_not_for_somebody_says_so(viewer: Visitor, path: str) -> None:
    page = viewer.open(path, status=403)
    expect(page.locator("h1")).to_have_text("Not for you")


def test_a_viewer_sees_no_deeds(viewer: Visitor, administrator: Visitor) -> None:
    seen = []
    for person in (viewer, administrator):
        forget = person.open("/devices").get_by_role("button", name="Forget").count()
        deploy = person.open("/deployments").locator("main").get_by_role("link", name=re.compile("^Deploy")).count()
        seen.append((forget > 0, deploy > 0))
    assert seen == [(False, False), (True, True)]


def test_a_viewer_sees_no_secrets(viewer: Visitor, administrator: Visitor, scene: Scene) -> None:
    """Whatever the page, and in what programs read, too; each place where somebody else sees them shows that."""
    places = [each.address(scene) for each in PAGES if not each.anonymous]
    places += [
        "/configuration/file/snippets/update-phone-berlin.txt",
        f"/commits/{scene.second}",
        f"/devices/{EMULATED_FIRST}/state.xml",
        f"/backups/{EMULATED_FIRST}/latest/raw",
        f"/backups/{EMULATED_FIRST}/{scene.backups(EMULATED_FIRST)[1]}",
        f"/backups/{EMULATED_FIRST}/{scene.backups(EMULATED_FIRST)[1]}/raw",
        f"/api/v1/devices/{EMULATED_FIRST}/script",
        "/api/v1/preview?type=IP222&env=berlin&phase=update",
    ]
    asked = [place if place.startswith("/api/") else unveiled(place) for place in places]
    told = [place for place in asked if SECRET in read(administrator, place)]
    assert len(told) >= 6, told
    assert [place for place in (*places, *asked) if SECRET in read(viewer, place)] == []
    page = viewer.open("/preview?type=IP222&env=berlin&phase=update")
    expect(page.locator("main")).to_contain_text("/gk-addr 10.30.0.1 /pw ***")


def read(visitor: Visitor, path: str) -> str:
    """Return what *path* answers, read as the visitor's browser would, without showing it."""
    return visitor.context.request.get(f"{visitor.base}{path}").text()
