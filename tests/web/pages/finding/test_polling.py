"""The page of addresses that have devices poll at once, as browsers get it from a real server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.documents import page, words
from support.fleets import fill
from support.visitors import Visitor, add_person, logged_in

from gitupd.core.caller import parse_serial
from gitupd.core.device import Device
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.web.pages.finding.polling import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import html
    from support.serving import Server

    from gitupd.service.site import Site

POLL = "/devices/poll"
AT = "!mod%20cmd%20UP1%20poll"
PLAIN, SIX, TWIN, OTHER_TWIN = (f"00-90-33-77-00-0{digit}" for digit in range(1, 5))
BY_NAME, SILENT, GONE = "00-90-33-77-00-05", "00-90-33-77-00-06", "00-90-33-77-00-07"
MARKUP = "<b>desk</b>"
COUNT = 230


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    at = now()
    site, _ = create_site(tmp_path_factory.mktemp("polling") / "site", who="test", now=at - timedelta(days=2))
    fill(site, COUNT, at)
    addresses = {PLAIN: "10.9.0.1", SIX: "2001:db8::7", TWIN: "10.9.0.9", OTHER_TWIN: "10.9.0.9", BY_NAME: "a.example"}
    named = [
        Device(parse_serial(each), given_name=MARKUP, address=addresses.get(each), first_seen=at, last_seen=at)
        for each in (*addresses, SILENT)
    ]
    site.inventory.save_sightings(named)
    add_person(site, "vera", Role.VIEWER)
    yield site
    site.close()


@pytest.fixture(scope="module")
def vera(shown: Server) -> Iterator[Visitor]:
    with logged_in(shown, "vera") as visitor:
        yield visitor


def answer(document: html.HtmlElement) -> str:
    return words(document.xpath("//div[@id='answer']")[0])


def choose(visitor: Visitor, **fields: str | list[str]) -> str:
    """Choose devices in the list as the form does, and return where that leads to."""
    (form,) = page(visitor, "/devices").xpath("//form[@data-choice]")
    (button,) = form.xpath(".//button[.='Have them poll']")
    response = visitor.submit(button.get("formaction"), fields, page="/devices")
    assert response.status_code == 303, response.text[:2000]
    return response.headers["Location"]


def test_chosen_devices_have_an_address_each_to_be_opened_or_copied(vera: Visitor) -> None:
    path = choose(vera, sn=[PLAIN, SIX, PLAIN])
    assert path == "/devices/poll?sn=009033770001,009033770002"
    document = page(vera, path)
    assert "2 devices poll at once, each when somebody opens its address" in answer(document)
    wanted = [f"https://10.9.0.1/{AT}", f"https://[2001:db8::7]/{AT}"]
    links = document.xpath("//table//a[@rel='noreferrer']")
    assert [each.get("href") for each in links] == wanted
    assert [each.getparent().get("data-copy") for each in links] == wanted
    assert document.xpath("//div[@class='copied']/pre/@data-copy") == ["\n".join(wanted)]
    assert words(document.xpath("//tbody/tr")[0]).startswith(f"{MARKUP} {PLAIN} https://10.9.0.1/")
    assert not document.xpath("//h2[.='Without an address']")


def test_those_without_an_address_are_listed_with_the_reason(vera: Visitor) -> None:
    document = page(vera, choose(vera, sn=[PLAIN, BY_NAME, SILENT, GONE]))
    assert "1 device polls at once" in answer(document)
    assert "Of 3 more no address is known that can be opened." in answer(document)
    (sheet,) = document.xpath("//h2[.='Without an address']/following::table")
    assert [words(row) for row in sheet.xpath(".//tbody/tr")] == [
        f"{MARKUP} {BY_NAME} It calls from a.example, which is no IP address that can be opened.",
        f"{MARKUP} {SILENT} It never said from where it calls.",
        f"\N{EN DASH} {GONE} It is not known here; perhaps somebody has forgotten it.",
    ]
    none = page(vera, f"{POLL}?sn={SILENT}")
    assert answer(none) == "Of none of these devices an address is known that can be opened."
    assert not none.xpath("//div[@class='copied']")


def test_devices_that_call_from_one_address_are_marked(vera: Visitor) -> None:
    document = page(vera, f"{POLL}?sn={TWIN},{OTHER_TWIN},{PLAIN}")
    marked = [
        row
        for row in document.xpath("//tbody/tr")
        if "others here call from it, too: it may open another device" in words(row)
    ]
    assert [row.get("id") for row in marked] == ["d009033770003", "d009033770004"]
    assert document.xpath("//div[@class='copied']/pre")[0].text.count("10.9.0.9") == 1


def test_all_that_a_search_finds_are_listed_up_to_a_bound_which_is_said(vera: Visitor) -> None:
    path = choose(vera, all="1", q="present", sn=[PLAIN])
    assert path == "/devices/poll?q=present"
    document = page(vera, path)
    assert len(document.xpath("//table[contains(@class, 'polled')]/tbody/tr")) <= MOST
    everything = page(vera, choose(vera, all="1", q=""))
    rows = everything.xpath("//tbody/tr")
    assert len(rows) == MOST
    assert f"These are the first {MOST} of {COUNT + 6} devices that were found" in answer(everything)
    few = page(vera, f"{POLL}?q=10.9.0.")
    assert len(few.xpath("//tbody/tr")) == 3
    assert "first" not in answer(few)
    assert few.xpath("//h1/a/@href") == ["/devices?q=10.9.0."]


def test_more_than_fit_are_said_and_keep_the_address_short(vera: Visitor) -> None:
    many = [f"00-90-33-55-{number // 256:02x}-{number % 256:02x}" for number in range(400)]
    path = choose(vera, sn=many)
    assert len(path) < 3000
    document = page(vera, path)
    assert f"These are the first {MOST} of those that were chosen" in answer(document)
    assert len(document.xpath("//tbody/tr")) == MOST
    assert len(page(vera, f"{POLL}?sn={','.join(many[:MOST])}").xpath("//tbody/tr")) == MOST


def test_nothing_chosen_leads_back_to_the_list(vera: Visitor) -> None:
    assert choose(vera, q="missing") == "/devices?q=missing"
    said = page(vera, "/devices?q=missing").xpath("//p[@role='status']")
    assert "Choose the devices that are to poll; you chose none." in [words(each) for each in said]
    assert vera.get(POLL).headers["Location"] == "/devices"
    assert vera.get(f"{POLL}?sn=,,").headers["Location"] == "/devices"


def test_what_is_no_serial_number_or_search_is_told(vera: Visitor) -> None:
    page(vera, f"{POLL}?sn=nonsense", status=400)
    assert "nokey" in words(page(vera, f"{POLL}?q=nokey:x", status=400))


def test_the_page_of_a_device_has_the_same_address(vera: Visitor) -> None:
    (told,) = page(vera, f"/devices/{PLAIN}").xpath("//section[@aria-labelledby='poll']//pre")
    assert told.text == f"https://10.9.0.1/{AT}"
    assert not page(vera, f"/devices/{SILENT}").xpath("//section[@aria-labelledby='poll']//pre")
