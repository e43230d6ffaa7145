"""Columns of the list of devices that somebody keeps, as browsers get them from a real server."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.documents import page, words
from support.fleets import fill
from support.visitors import Visitor, add_person, logged_in

from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.listing.columns import OWN, USUAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import html
    from support.serving import Server

    from gitupd.service.site import Site

KEEP = "/devices/columns"
USUAL_TITLES = [
    "State",
    "Name",
    "Serial number",
    "Type",
    "Address",
    "Phase",
    "Environments",
    "Firmware",
    "Commit",
    "Last seen",
]
QUERY = (
    b"queries:\n  extra: {command: mod cmd CMD0 xml-info, applies: [all], show: [{title: Name, xpath: /info/@name}]}\n"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("columns") / "site", who="test", now=now() - timedelta(days=2))
    fill(site, 20, now())
    for name in ("vera", "otto"):
        add_person(site, name, Role.VIEWER)
    yield site
    site.close()


@pytest.fixture
def vera(shown: Server, place: Site) -> Iterator[Visitor]:
    place.people.keep_device_columns("vera", None)
    with logged_in(shown, "vera") as visitor:
        yield visitor


def titles(document: html.HtmlElement) -> list[str]:
    return [words(each).rstrip(" ↑↓") for each in document.xpath("//th[@scope='col']")[1:]]


def buttons(document: html.HtmlElement) -> list[str]:
    return [words(each) for each in document.xpath("//div[@class='finding']//button") if "olumns" in words(each)]


def keep(visitor: Visitor, columns: str, **asked: str) -> str:
    """Keep columns, and return where that leads to."""
    answer = visitor.submit(KEEP, {"columns": columns, **asked}, page="/devices")
    assert answer.status_code == 303, answer.text[:2000]
    return answer.headers["Location"]


def test_the_columns_at_hand_are_kept_by_the_button_beside_them(vera: Visitor, shown: Server, place: Site) -> None:
    entries = len(place.audit.entries(1000))
    assert buttons(page(vera, "/devices")) == []
    document = page(vera, "/devices?q=type:IP222&sort=name&desc=1&size=100&columns=name,seen")
    (form,) = document.xpath("//form[button[.='Keep these columns']]")
    fields = {each.name: each.value for each in form.xpath(".//input")}
    assert titles(page(vera, "/devices")) == USUAL_TITLES, "a look keeps nothing"
    answer = vera.post(form.get("action"), data=fields)
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/devices?q=type:IP222&sort=name&desc=1&size=100",
    )
    document = page(vera, answer.headers["Location"])
    assert "Kept: the list of devices has these columns from now on." in words(document)
    assert titles(document) == ["Name", "Last seen"]
    assert buttons(page(vera, "/devices?columns=name,seen")) == []
    with logged_in(shown, "vera") as elsewhere, logged_in(shown, "otto") as otto:
        assert titles(page(elsewhere, "/devices?q=type:IP222")) == ["Name", "Last seen"]
        assert titles(page(otto, "/devices")) == USUAL_TITLES
    kinds = {each.kind for each in place.audit.entries(1000)[:-entries]}
    assert kinds <= {"login"}, "it concerns nobody else"


def test_an_address_that_names_columns_shows_them_whoever_opens_it(vera: Visitor, shown: Server) -> None:
    keep(vera, "name,seen")
    with logged_in(shown, "otto") as otto:
        for columns, expected in (("sn,phase", ["Serial number", "Phase"]), (USUAL, USUAL_TITLES)):
            for visitor in (vera, otto):
                document = page(visitor, f"/devices?columns={columns}")
                assert titles(document) == expected, columns
                sheet = document.xpath("//table[contains(@class, 'devices')]")[0]
                assert ("usual" in sheet.get("class")) is (columns == USUAL)


def test_the_usual_columns_that_are_ticked_are_written_as_such(vera: Visitor) -> None:
    keep(vera, "name,seen")
    every = page(vera, f"/devices?columns={USUAL}").xpath("//input[@name='columns' and @checked]/@value")
    answer = vera.get("/devices", params={"columns": every, "q": "missing"})
    assert answer.headers["Location"] == "/devices?columns=usual&q=missing"
    assert page(vera, "/devices?columns=usual&q=missing").xpath("//form[@role='search']/input[@name='columns']/@value")


@pytest.mark.parametrize("columns", ["usual", ""])
def test_the_usual_columns_forget_what_is_kept(vera: Visitor, place: Site, columns: str) -> None:
    keep(vera, "name,seen")
    document = page(vera, "/devices?q=present")
    (button,) = document.xpath("//button[.='Have the usual ones again']")
    (form,) = document.xpath(f"//form[@id='{button.get('form')}']")
    fields = {each.name: each.value for each in form.xpath(".//input")}
    assert (fields["columns"], fields["q"]) == ("usual", "present")
    assert keep(vera, columns, q="present") == "/devices?q=present"
    document = page(vera, "/devices?q=present")
    assert titles(document) == USUAL_TITLES
    assert not document.xpath("//button[.='Have the usual ones again']")
    assert place.people.user("vera").device_columns is None


def test_kept_columns_are_forgotten_on_account(vera: Visitor) -> None:
    assert "You keep these columns" not in vera.get("/account").text
    keep(vera, "name,seen")
    assert "You keep these columns for the list of devices: Name, Last seen." in words(page(vera, "/account"))
    assert vera.submit("/account/columns", page="/account").headers["Location"] == "/account"
    document = page(vera, "/account")
    assert "The list of devices has the usual columns again." in words(document)
    assert "You keep these columns" not in words(document)


def test_a_table_for_spreadsheets_has_the_columns_of_the_page(vera: Visitor) -> None:
    def headings(path: str) -> list[str]:
        (link,) = page(vera, path).xpath("//a[@class='csv']/@href")
        return next(csv.reader(io.StringIO(vera.get(link).content.decode("utf-8-sig"))))

    assert len(headings("/devices")) > len(USUAL_TITLES), "nobody has chosen any, so there is nearly all"
    keep(vera, "phase,seen")
    assert headings("/devices") == ["serial number", "phase", "last seen (UTC)"]
    assert headings("/devices?columns=name,seen") == ["name", "last seen (UTC)"]
    assert len(headings("/devices?columns=usual")) == len(USUAL_TITLES)
    assert len(next(csv.reader(io.StringIO(vera.get("/devices.csv?columns=usual").text)))) == len(USUAL_TITLES)
    hidden = page(vera, "/devices").xpath("//form[@data-choice]/input[@name='columns']/@value")
    assert hidden == ["sn,phase,seen"], "as is the table of chosen devices"


def test_what_is_no_column_is_not_kept(vera: Visitor, place: Site) -> None:
    answer = vera.submit(KEEP, {"columns": "sn,colour"}, page="/devices")
    assert (answer.status_code, "colour" in answer.text) == (400, True)
    assert place.people.user("vera").device_columns is None


def test_a_saved_search_has_the_columns_of_its_reader_unless_it_names_some(vera: Visitor) -> None:
    for name, columns in (("None", ""), ("Usual", "usual"), ("Two", "sn,name")):
        vera.submit("/devices/searches", {"name": name, "columns": columns}, page="/devices")
    links = page(vera, "/devices").xpath("//nav[@aria-label='Saved searches']/a")
    assert {each.text: each.get("href") for each in links} == {
        "None": "/devices",
        "Two": "/devices?columns=sn,name",
        "Usual": "/devices?columns=usual",
    }
    rows = page(vera, "/devices/searches").xpath("//td[@data-label='Columns']")
    assert [words(each) for each in rows] == ["those that a reader keeps", "sn, name", "the usual ones"]
    at_hand = "//nav[@aria-label='Saved searches']/a[@aria-current]/text()"
    assert page(vera, "/devices?columns=usual").xpath(at_hand) == ["Usual"]
    keep(vera, "name,seen")
    assert page(vera, "/devices").xpath(at_hand) == ["None"]


def test_columns_of_queries_that_are_gone_are_left_out_and_come_back(vera: Visitor, shown: Server, place: Site) -> None:
    files = dict(place.config.files(place.deployments.live().commit))

    def deployed(content: dict[str, bytes]) -> None:
        commit = place.config.commit_files(content, "Ask", "Ada <ada@example.org>")
        deploy(place, commit, who="test", now=now(), force=True, reason="A test")
        shown.ready(commit)

    deployed({**files, "queries.yaml": QUERY})
    keep(vera, "name,extra.name")
    assert len(titles(page(vera, "/devices"))) == 2
    deployed(files)
    document = page(vera, "/devices")
    assert titles(document) == ["Name"]
    assert document.xpath("//a[@class='csv']/@href") == ["/devices.csv?columns=name"]
    keep(vera, "name")
    place.people.keep_device_columns("vera", "extra.name")
    assert titles(page(vera, "/devices")) == USUAL_TITLES, "none is left"
    assert vera.get("/account").status_code == 200
    deployed({**files, "queries.yaml": QUERY})
    assert titles(page(vera, "/devices")) == ["Serial number", titles(page(vera, "/devices?columns=extra.name"))[1]]
    deployed(files)


def test_no_column_is_called_as_the_usual_ones() -> None:
    assert USUAL not in {column.name for column in OWN}, "those of queries have a dot in their names"
