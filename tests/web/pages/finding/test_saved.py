"""Saved searches on pages, as browsers get them from a real server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from lxml import html
from support.documents import page, words
from support.fleets import fill
from support.visitors import ROOT, Visitor, add_person, logged_in

from gitupd.core.people.person import Role
from gitupd.core.searches.saved import MOST_SAVED, ListView, SavedSearch
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.people.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server

    from gitupd.service.site import Site

LIST = "/devices/searches"
MARKUP = '<img src=x onerror="alert(1)">'
QUERY = (
    b"queries:\n  extra: {command: mod cmd CMD0 xml-info, applies: [all], show: [{title: Name, xpath: /info/@name}]}\n"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("saved") / "site", who="test", now=now() - timedelta(days=2))
    fill(site, 20, now())
    for name, role in (("vera", Role.VIEWER), ("otto", Role.OPERATOR), ("gone", Role.VIEWER)):
        add_person(site, name, role)
    yield site
    site.close()


@pytest.fixture
def vera(shown: Server) -> Iterator[Visitor]:
    with logged_in(shown, "vera") as visitor:
        yield visitor


@pytest.fixture
def otto(shown: Server) -> Iterator[Visitor]:
    with logged_in(shown, "otto") as visitor:
        yield visitor


@pytest.fixture(autouse=True)
def _nothing_saved(place: Site) -> None:
    for owner in ("vera", "otto", None):
        for each in place.saved_searches.of(owner):
            place.saved_searches.remove(each.id, None)


def flashed(visitor: Visitor, path: str = LIST) -> str:
    said = page(visitor, path).xpath("//p[@role='status' or @role='alert']")
    return " ".join(filter(None, map(words, said)))


def save(visitor: Visitor, name: str, **fields: str) -> str:
    """Save a search, and return where that leads to."""
    answer = visitor.submit(LIST, {"name": name, **fields}, page="/devices")
    assert answer.status_code == 303, answer.text[:2000]
    return answer.headers["Location"]


def above(visitor: Visitor, path: str = "/devices") -> dict[str, str]:
    """Return the saved searches above the list of devices, with their addresses."""
    links = page(visitor, path).xpath("//nav[@aria-label='Saved searches']/a")
    return {link.text: link.get("href") for link in links}


def in_menu(visitor: Visitor, path: str = "/devices") -> list[str]:
    return page(visitor, path).xpath("//details[contains(@class, 'saved')]//li/a/text()")


def number_of(place: Site, name: str, owner: str | None) -> int:
    found = place.saved_searches.named(owner, name)
    assert found, name
    return found.id


def test_what_is_shown_is_saved_by_the_form_of_the_page(vera: Visitor) -> None:
    path = "/devices?q=type:IP222&sort=name&desc=1&columns=sn,name&size=100"
    (form,) = page(vera, path).xpath("//details[contains(@class, 'saved')]//form")
    fields = {each.name: each.value for each in form.xpath(".//input[@type='hidden']")}
    assert not form.xpath(".//input[@name='shared']"), "vera is no operator"
    answer = vera.post(form.get("action"), data={**fields, "name": "Phones"})
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/devices?q=type:IP222&sort=name&desc=1&columns=sn,name",
    )
    assert flashed(vera, answer.headers["Location"]) == "Saved as “Phones”."
    assert above(vera) == {"Phones": answer.headers["Location"]}
    assert page(vera, path).xpath("//nav[@aria-label='Saved searches']/a[@aria-current]/text()") == ["Phones"]
    assert not page(vera, "/devices").xpath("//nav[@aria-label='Saved searches']/a[@aria-current]")


def test_own_ones_are_seen_by_nobody_else(vera: Visitor, otto: Visitor, place: Site) -> None:
    save(vera, "Mine", q="missing")
    save(otto, "For all", q="present", shared="1")
    assert list(above(vera)) == in_menu(vera) == ["Mine", "For all"]
    assert in_menu(otto) == ["For all"]
    assert "Mine" not in otto.get(LIST).text
    mine = number_of(place, "Mine", "vera")
    for deed in ("rename", "share", "remove"):
        answer = otto.submit(f"{LIST}/{mine}/{deed}", {"name": "x"}, page="/devices")
        assert answer.headers["Location"] == LIST
        assert flashed(otto) == "Nothing was done: that search is gone meanwhile."
    assert place.saved_searches.find(mine).name == "Mine"


def test_whoever_is_no_operator_shares_nothing_and_leaves_what_is_shared(
    vera: Visitor, otto: Visitor, place: Site
) -> None:
    save(otto, "For all", shared="1")
    save(vera, "Mine")
    shared, mine = number_of(place, "For all", None), number_of(place, "Mine", "vera")
    forms = [form.get("action") for form in page(vera, LIST).xpath("//form[contains(@action, 'searches')]")]
    assert forms == [f"{LIST}/{mine}/rename", f"{LIST}/{mine}/remove"]
    assert vera.submit(LIST, {"name": "x", "shared": "1"}, page="/devices").status_code == 403
    for path in (f"{mine}/share", f"{shared}/share", f"{shared}/rename", f"{shared}/remove"):
        assert vera.submit(f"{LIST}/{path}", {"name": "x"}, page="/devices").status_code == 403, path
    assert [each.name for each in place.saved_searches.of(None)] == ["For all"]


def test_one_of_that_name_is_replaced_once_that_is_agreed(vera: Visitor, place: Site) -> None:
    save(vera, "Mine", q="missing")
    assert save(vera, "Mine", q="missing"), "the same needs no question"
    answer = vera.submit(LIST, {"name": "mine", "q": "present", "columns": "sn,name"}, page="/devices")
    assert answer.status_code == 200
    asked = html.fromstring(answer.text)
    assert words(asked.xpath("//h1")[0])
    assert [words(each) for each in asked.xpath("//dl[@class='facts']//dd")] == [
        "missing",
        "present, columns sn, name",
    ]
    assert place.saved_searches.named("vera", "mine").view == ListView("missing")
    (form,) = asked.xpath("//form[.//input[@name='replace']]")
    agreed = {each.name: each.value for each in form.xpath(".//input")}
    assert vera.post(LIST, data=agreed).headers["Location"] == "/devices?q=present&columns=sn,name"
    assert [(each.name, each.view) for each in place.saved_searches.of("vera")] == [
        ("mine", ListView("present", "sn,name"))
    ]


def test_a_search_is_renamed_shared_and_removed(vera: Visitor, otto: Visitor, place: Site) -> None:
    save(otto, "One", q="missing")
    save(otto, "Two", q="present")
    one = number_of(place, "One", "otto")
    assert "Replace “Two”?" in otto.submit(f"{LIST}/{one}/rename", {"name": "two"}, page=LIST).text
    assert otto.submit(f"{LIST}/{one}/rename", {"name": "Uno"}, page=LIST).headers["Location"] == LIST
    assert flashed(otto) == "“One” is called “Uno” now."
    otto.submit(f"{LIST}/{one}/share", page=LIST)
    assert flashed(otto) == "“Uno” is there for everybody now."
    assert in_menu(vera) == ["Uno"]
    save(otto, "uno", q="warned")
    again = otto.submit(f"{LIST}/{number_of(place, 'uno', 'otto')}/share", page=LIST)
    assert "There is a search of that name for everybody, saved by otto." in words(html.fromstring(again.text))
    otto.submit(f"{LIST}/{one}/remove", page=LIST)
    assert flashed(otto) == "“Uno” is removed. Devices stay as they are."
    assert (in_menu(vera), in_menu(otto)) == ([], ["Two", "uno"])
    told = [(each.kind, each.subject) for each in place.audit.entries(2)]
    assert told == [("search-remove", "Uno"), ("search-share", "Uno")]
    assert otto.get(f"{LIST}/{one}/remove").headers["Location"] == LIST


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"name": " "}, "a saved search needs a name of 1 to 60 characters"),
        ({"name": "x" * 61}, "a saved search needs a name of 1 to 60 characters"),
        ({"name": "x", "q": "nokey:x"}, "nokey"),
        ({"name": "x", "sort": "colour"}, "devices are not sorted by 'colour'"),
    ],
)
def test_what_can_not_be_saved_is_told(vera: Visitor, place: Site, fields: dict[str, str], fault: str) -> None:
    answer = vera.submit(LIST, fields, page="/devices")
    assert answer.status_code == 303
    said = flashed(vera, answer.headers["Location"])
    assert said.startswith("Nothing was saved: ")
    assert fault in said
    assert place.saved_searches.of("vera") == []


def test_names_and_words_are_shown_as_they_are(vera: Visitor) -> None:
    save(vera, MARKUP, q='name:"<b>"')
    assert list(above(vera)) == in_menu(vera) == [MARKUP]
    row = page(vera, LIST).xpath("//tbody/tr")[0]
    assert words(row).startswith(f'{MARKUP} name:"<b>" those that a reader keeps serial')


def test_a_few_stand_above_the_list_and_all_are_in_the_menu(vera: Visitor, place: Site) -> None:
    for number in range(MOST_SAVED):
        search = SavedSearch(0, "vera", f"number {number:02}", ListView(), now(), "vera")
        place.saved_searches.save(search, None, replace=False)
    assert list(above(vera)) == [f"number {number:02}" for number in range(8)]
    assert len(in_menu(vera)) == MOST_SAVED
    assert "there are 50 saved searches of vera, and that is the most; remove one first" in flashed(
        vera, save(vera, "another")
    )
    assert len(page(vera, LIST).xpath("//tbody/tr")) == MOST_SAVED


def test_searches_go_with_their_person(shown: Server, place: Site) -> None:
    with logged_in(shown, "gone") as visitor:
        save(visitor, "Own")
    Access(place).remove(ROOT, "gone", now())
    add_person(place, "gone", Role.VIEWER)
    with logged_in(shown, "gone") as visitor:
        assert "You have saved no search for devices." in words(page(visitor, LIST))


def test_columns_that_are_none_any_more_are_left_out(vera: Visitor, shown: Server, place: Site) -> None:
    files = dict(place.config.files(place.deployments.live().commit))
    asking = place.config.commit_files({**files, "queries.yaml": QUERY}, "Ask", "Ada <ada@example.org>")
    deploy(place, asking, who="test", now=now(), force=True, reason="A test")
    shown.ready(asking)
    assert save(vera, "Answers", columns="sn,extra.name") == "/devices?columns=sn,extra.name"
    without = place.config.commit_files(files, "Ask nothing", "Ada <ada@example.org>")
    deploy(place, without, who="test", now=now(), force=True, reason="A test")
    shown.ready(without)
    assert above(vera) == {"Answers": "/devices?columns=sn"}
    assert page(vera, "/devices?columns=sn").xpath("//nav[@aria-label='Saved searches']/a/@aria-current") == ["true"]
