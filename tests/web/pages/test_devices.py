"""The pages of devices, as browsers get them from a real server."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from lxml import etree, html
from support.documents import page, words
from support.fleets import fill
from support.serving import Server, serving
from support.visitors import RECENTLY, Visitor, add_person, logged_in, unveiled

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Request, Serial
from gitupd.core.device import Device, Message
from gitupd.core.endpoint import Endpoint
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role
from gitupd.core.search import Pair, parse_search
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.fleet import EnvironmentStandings, Point, Share
from gitupd.web.pages.charts import curve, place_bars, share_bars
from gitupd.web.pages.links import own_page, pair
from gitupd.web.pages.paging import asked
from gitupd.web.tables import defused
from gitupd.web.wording import ago

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

COUNT = 230
MARKUP = '<img src=x onerror="alert(1)">'
QUOTED = "\"'><script>alert(1)</script>{{ 7 * 191 }}"
FORMULA = '=HYPERLINK("http://evil.example","x")'
HOSTILE = Serial("0090336666ff")
PHONE = Serial("009033777777")
PEOPLE = {"vera": Role.VIEWER, "otto": Role.OPERATOR}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with devices of every state, one of them hostile, and a second commit that has a secret in it."""
    at = now()
    site, _ = create_site(tmp_path_factory.mktemp("pages") / "site", who="test", now=at - timedelta(days=2))
    first = site.deployments.live().commit
    files = dict(site.config.files(first))
    files["snippets/update-phone-all.txt"] = b"config add PHONE/REG /gk-addr 10.1.0.1 /pw hunter2secret\n"
    files["queries.yaml"] = b"queries:\n  admin: {applies: [all], show: [{title: Name, xpath: /info/@name}]}\n"
    second = site.config.commit_files(files, "A gatekeeper", "Ada <ada@example.org>")
    deploy(site, second, who="tess", now=at - timedelta(minutes=4))
    fill(site, COUNT, at)
    site.inventory.save_sightings([hostile(at), phone(at, first)])
    answer = QueryAnswer("admin", at, '<info name="&lt;b&gt;bold&lt;/b&gt;"/>')
    site.answers.save([AnsweredQuery(PHONE, answer)])
    for name, role in PEOPLE.items():
        add_person(site, name, role)
    yield site
    site.close()


def hostile(at: datetime) -> Device:
    """Return a device that says hostile things wherever a text is kept."""
    texts = {each.name: MARKUP for each in fields(Device) if each.type in ("str | None", "CommitId | None")}
    times = {each.name: at for each in fields(Device) if each.type == "datetime | None"}
    request = Request({"type": MARKUP, "sn": str(HOSTILE), "hwid": QUOTED, "ip": "x"}, Endpoint("http", "x", 80))
    return Device(
        HOSTILE,
        **{**texts, **times, "sent": "c" * 40, "confirmed": None, "own_name": FORMULA + MARKUP, "given_name": None},
        environments=(MARKUP, QUOTED),
        unknown_environments=(QUOTED, MARKUP),
        classes=(MARKUP,),
        snippets=(MARKUP,),
        request=replace(request, arguments={**request.arguments, "type": "IP222", "hwid": "x"}),
        messages=(Message(at, MARKUP), Message(at, QUOTED)),
    )


def phone(at: datetime, commit: str) -> Device:
    """Return a phone that got its last script from *commit*."""
    arguments = {"type": "IP222", "sn": str(PHONE), "hwid": "IP222-77-77-77", "ip": "10.7.7.7", "phase": "update"}
    request = Request(arguments, Endpoint("http", "upd.example", 8080))
    return Device(
        PHONE,
        model="IP222",
        own_name="Lobby",
        address="10.7.7.7",
        proxy="10.7.0.1",
        environments=("default",),
        phase="update",
        firmware="134250",
        firmware_wanted="137213",
        firmware_requested=at,
        first_seen=at - timedelta(days=3),
        last_seen=at,
        sent=commit,
        sent_at=at - timedelta(days=1),
        snippets=("snippets/all-all-all.txt",),
        confirmed=commit,
        confirmed_at=at - timedelta(days=1),
        request=request,
        sent_request=request,
    )


@pytest.fixture(scope="module")
def shown(place: Site) -> Iterator[Server]:
    with serving(place.path) as running:
        running.ready(place.deployments.live().commit)
        yield running


@pytest.fixture(scope="module")
def vera(shown: Server) -> Iterator[Visitor]:
    with logged_in(shown, "vera") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def otto(shown: Server) -> Iterator[Visitor]:
    with logged_in(shown, "otto") as visitor:
        yield visitor


def serials(document: html.HtmlElement) -> list[str]:
    return document.xpath("//tbody//a[@class='sn']/text()")


def found(document: html.HtmlElement) -> int:
    """Return how many devices the list says that it has, on all its pages."""
    text = words(document.xpath("//nav[@class='pager']/span")[0])
    return int(re.search(r"([\d,]+) devices?$", text)[1].replace(",", ""))


# The list


def test_every_number_of_the_answer_leads_to_as_many_devices(vera: Visitor) -> None:
    document = page(vera, "/devices")
    links = document.xpath("//div[@id='answer']//a[starts-with(@href, '/devices')]")
    assert len(links) == 6
    for link in links:
        assert found(page(vera, link.get("href"))) == int(link.text.replace(",", "")), link.get("href")
    answer = words(document.xpath("//div[@id='answer']")[0])
    assert re.fullmatch(
        r"227 of 232 devices are present, 5 are missing\. \d+ run [0-9a-f]{8} \(deployed \d+ min ago by tess\); "
        r"\d+ have yet to call\. 4 have warnings\.",
        answer,
    )


@pytest.mark.parametrize("query", ["", "?q=type:IP222", "?q=present&sort=name", "?q=env:default+missing"])
def test_every_bar_of_a_chart_narrows_the_search_to_as_many_devices(vera: Visitor, query: str) -> None:
    bars = page(vera, f"/devices{query}").xpath("//div[@class='chart']//li[a[not(@aria-current)]]")
    assert len(bars) >= 2
    for bar in bars:
        href = bar.xpath("a/@href")[0]
        assert found(page(vera, href)) == int(bar.xpath("b/text()")[0]), href
        asked, before = parse_qs(urlsplit(href).query), parse_qs(query.lstrip("?"))
        assert asked["q"][0].startswith(before.get("q", [""])[0])
        assert asked.get("sort") == before.get("sort")


def test_a_bar_that_is_looked_for_takes_that_away(vera: Visitor) -> None:
    document = page(vera, "/devices?q=present+type:ip222+env:homeoffice&page=1")
    chosen = {words(link): link.get("href") for link in document.xpath("//div[@class='chart']//a[@aria-current]")}
    assert {name: parse_qs(urlsplit(href).query)["q"] for name, href in chosen.items()} == {
        "homeoffice": ["present type:ip222"],
        "IP222": ["present env:homeoffice"],
    }


def test_a_chart_of_one_value_is_left_out(vera: Visitor) -> None:
    assert "Types" in page(vera, "/devices").xpath("//div[@class='chart']/h2/text()")
    assert "Types" not in page(vera, "/devices?q=IP6010+-name:Lobby").xpath("//div[@class='chart']/h2/text()")
    assert not page(vera, "/devices?q=nowhere-at-all").xpath("//*[@class='charts']")


@pytest.mark.parametrize("query", ["env:homeoffice", "type:IP222", "Desk -missing", "firmware:137213"])
def test_every_number_of_the_second_sentence_leads_to_as_many_devices(vera: Visitor, query: str) -> None:
    document = page(vera, f"/devices?q={query}")
    links = document.xpath("//div[@id='answer']/p[2]//a")
    assert len(links) >= 2
    for link in links:
        assert found(page(vera, link.get("href"))) == int(link.text.replace(",", "")), link.get("href")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("env:homeoffice", r"Of \d+ in homeoffice: \d+ are present, \d+ missing; \d+ run what is deployed, .*"),
        ("type:IP222", r"All \d+ found are present; \d+ run what is deployed, \d+ have yet to call; 1 has a warning\."),
        ("seen:1h IP232", r"All \d+ found are present; \d+ run what is deployed.*\."),
        ("seen:>1d IP232", r"All \d+ found are missing\."),
        (str(PHONE), r"The one found is present, and has yet to call\."),
    ],
)
def test_what_was_found_is_told_in_a_sentence(vera: Visitor, query: str, sentence: str) -> None:
    said = words(page(vera, f"/devices?q={query}").xpath("//div[@id='answer']/p[2]")[0])
    assert re.fullmatch(sentence, said), said


def test_a_search_for_a_state_needs_no_second_sentence(vera: Visitor) -> None:
    assert len(page(vera, "/devices?q=env:homeoffice+missing").xpath("//div[@id='answer']/p")) == 1


def test_a_word_of_the_search_can_be_taken_away(vera: Visitor) -> None:
    document = page(vera, "/devices?q=env:homeoffice+type:ip222+missing&sort=name&page=1")
    links = document.xpath("//span[@class='filters']/a")
    assert [words(link[0]) for link in links] == ["env:homeoffice", "type:ip222", "missing"]
    kept = parse_qs(urlsplit(links[1].get("href")).query)
    assert kept == {"q": ["env:homeoffice missing"], "sort": ["name"]}


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(vera: Visitor) -> None:
    document = page(vera, "/devices?q=type:ip222&size=100")
    (heading,) = document.xpath("//th/a[starts-with(., 'Address')]/@href")
    assert parse_qs(urlsplit(heading).query) == {"q": ["type:ip222"], "size": ["100"], "sort": ["address"]}
    document = page(vera, heading)
    assert document.xpath("//th[@aria-sort='ascending']/a")[0].text.startswith("Address")
    document = page(vera, document.xpath("//th[@aria-sort]/a/@href")[0])
    turned = document.xpath("//td[@data-label='Address']/a[1]/text()")
    assert turned == sorted(turned, reverse=True)


def test_columns_are_chosen_and_stay(vera: Visitor) -> None:
    document = page(vera, "/devices?columns=seen,name,admin.name&q=type:IP222&sort=name")
    titles = [words(each).rstrip(" ↑") for each in document.xpath("//th")]
    assert titles == ["", "Last seen", "Name", "Admin: Name"]
    (lobby,) = document.xpath("//tr[td[@data-label='Name']/a='Lobby']")
    assert words(lobby.xpath("td[@data-label='Admin: Name']")[0]) == "<b>bold</b>"
    assert document.xpath("//td[@data-label='Name']/a[@class='sn']"), "a device without a name is opened by its number"
    csv_of_these = document.xpath("//a[@class='csv']/@href")[0]
    assert csv_of_these == "/devices.csv?q=type:IP222&columns=seen,name,admin.name"
    row = next(csv.DictReader(io.StringIO(vera.get(csv_of_these).content.decode("utf-8-sig"))))
    assert list(row) == ["last seen (UTC)", "name", "Admin: Name"]
    kept = document.xpath("//form[@role='search']/input[@type='hidden']")
    assert {each.get("name"): each.get("value") for each in kept} == {"columns": "seen,name,admin.name", "sort": "name"}
    ticked = document.xpath("//input[@name='columns' and @checked]/@value")
    assert sorted(ticked) == ["admin.name", "name", "seen"]
    answer = vera.get("/devices?columns=seen&columns=name&q=type:IP222")
    assert answer.headers["Location"] == "/devices?columns=seen%2Cname&q=type%3AIP222"


def test_the_search_at_the_top_knows_answers_to_queries(vera: Visitor) -> None:
    kinds = vera.get("/search.json", params={"q": 'admin.name:"<b>bold</b>"'}).json()
    assert [lead["title"] for kind in kinds if kind["title"] == "Devices" for lead in kind["leads"]] == ["Lobby"]


def test_a_list_without_names_and_numbers_leads_to_devices_all_the_same(vera: Visitor) -> None:
    document = page(vera, f"/devices?columns=type,phase&q={PHONE}")
    assert document.xpath("//tbody/tr/td[2]/a/@href") == [f"/devices/{PHONE}"]


def test_what_is_no_column_is_told(vera: Visitor) -> None:
    document = page(vera, "/devices?columns=sn,colour", status=400)
    assert "'colour' is no column; columns are state, name, sn," in words(document)
    assert vera.get("/devices.csv?columns=colour").status_code == 400


def test_a_value_leads_to_the_devices_that_have_it(vera: Visitor) -> None:
    document = page(vera, "/devices?q=present&size=100&page=2")
    row = next(each for each in document.xpath("//tbody/tr") if "homeoffice" in words(each))
    links = {each.get("data-label"): each.xpath(".//a[starts-with(@href, '?')]") for each in row.xpath("td")}
    assert {label for label, found in links.items() if found} == {
        "State",
        "Type",
        "Address",
        "Phase",
        "Environments",
        "Firmware",
        "Commit",
    }
    for label in ("State", "Type", "Address", "Phase", "Environments", "Firmware", "Commit"):
        link = links[label][0]
        asked = parse_qs(urlsplit(link.get("href")).query)
        assert asked["size"] == ["100"]
        assert "page" not in asked
        within = page(vera, f"/devices{link.get('href')}")
        assert found(within) > 0
        assert {words(each) for each in within.xpath(f"//td[@data-label='{label}']")} >= {
            words(row.xpath(f"td[@data-label='{label}']")[0])
        }
        assert found(within) <= found(document)


def test_what_was_looked_for_already_is_no_link(vera: Visitor) -> None:
    document = page(vera, "/devices?q=type:IP222")
    assert not document.xpath("//td[@data-label='Type']/a")
    assert document.xpath("//td[@data-label='Phase']/a")


def test_what_tells_nothing_stands_back(vera: Visitor) -> None:
    document = page(vera, "/devices?q=env:homeoffice")
    assert set(document.xpath("//td[@data-label='Environments']//*[@class='quiet']/text()")) == {"intranet"}
    assert not document.xpath("//td[@data-label='Phase']//*[@class='quiet']")
    alike = page(vera, "/devices?q=phase:staging&sort=name")
    assert set(alike.xpath("//td[@data-label='Phase']/*[@class='quiet']/text()")) == {"staging"}


def test_a_long_search_makes_no_page_large(vera: Visitor) -> None:
    long = " ".join(f'-name:"nobody at all {number} of this office"' for number in range(12))
    response = vera.get("/devices", params={"q": long, "size": "200", "columns": "sn,type,phase,env,class,firmware"})
    assert len(serials(html.fromstring(response.text))) == 200
    assert len(response.content) < 300_000


def test_pages_follow_each_other_and_end(vera: Visitor) -> None:
    first, last = page(vera, "/devices"), page(vera, "/devices?page=5")
    assert len(serials(first)) == 50
    assert len(serials(last)) == COUNT + 2 - 200
    assert first.xpath("//a[@rel='next']/@href") == ["/devices?page=2"]
    assert not last.xpath("//a[@rel='next']")
    assert vera.get("/devices?page=77&q=").headers["Location"] == "/devices?page=5"


@pytest.mark.parametrize(
    "nonsense",
    ["page=0", "page=-1", "page=%C2%B2", "page=" + "9" * 5000, "size=3", "sort=check", "endpoint=x&_anchor=y"],
)
def test_nonsense_in_the_address_does_no_harm(vera: Visitor, nonsense: str) -> None:
    response = vera.get(f"/devices?{nonsense}")
    assert response.status_code in (200, 302)
    assert response.status_code == 200 or response.headers["Location"] == "/devices?page=5"


def test_an_empty_result_offers_all_devices(vera: Visitor) -> None:
    document = page(vera, "/devices?q=nowhere-at-all")
    assert "No device fits" in words(document)
    assert document.xpath("//section[@class='empty']//a/@href") == ["/devices"]


def test_an_empty_result_offers_searches_that_find_something(vera: Visitor) -> None:
    document = page(vera, "/devices?q=type:p22 present")
    offered = {link.text_content(): link.get("href") for link in document.xpath("//section[@class='empty']//li/a")}
    assert "type:*p22* present" in offered
    for text, href in offered.items():
        said = words(document.xpath(f"//li[a/code='{text}']")[0]).partition(": ")[2]
        assert said in words(page(vera, href).xpath("//*[@class='found']")[0])


def test_states_are_looked_for_within_what_was_found(vera: Visitor) -> None:
    document = page(vera, "/devices?q=IP222")
    chips = {words(chip): chip.get("href") for chip in document.xpath("//nav[@class='chips']/a")}
    href, count = next((href, text.split()[-1]) for text, href in chips.items() if "waiting" in text)
    within = page(vera, href)
    assert words(within.xpath("//*[@class='found']")[0]).split()[0] == count != "0"
    chips = {words(chip): chip.get("href") for chip in within.xpath("//nav[@class='chips']/a[@aria-current]")}
    assert [href for text, href in chips.items() if "waiting" in text] == ["/devices?q=IP222"]


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("admin.nam:x", "'admin.nam' is nothing to search by; keys are sn, hwid,"),
        ("typ:IP222", "'typ' is nothing to search by; keys are sn, hwid, name, type, address, phase, class, env,"),
        ("state:gone", "'gone' is nothing to search by as 'state'; write state:present or state:missing"),
        ("seen:soon", "'soon' is no time to search by; write seen:15m, seen:1h-1d, seen:>30d, or days"),
    ],
)
def test_what_can_find_nothing_is_told(vera: Visitor, typed: str, fault: str) -> None:
    document = page(vera, f"/devices?q={typed}")
    assert fault in words(document.xpath("//p[@role='alert']")[0])
    assert not serials(document)
    refused = vera.get("/devices.csv", params={"q": typed})
    assert refused.status_code == 400
    assert fault in words(html.fromstring(refused.text))


def test_devices_are_found_by_what_they_answered(vera: Visitor) -> None:
    assert serials(page(vera, "/devices?q=admin.name:*bold*+-missing")) == [str(PHONE)]
    assert str(PHONE) in vera.get("/devices.csv", params={"q": 'admin.name:"<b>bold</b>"'}).text
    assert "admin.name:ring*" in words(page(vera, "/devices").xpath("//details[@class='help']")[0])


def test_nothing_is_done_to_devices_of_a_search_that_can_find_none(otto: Visitor) -> None:
    answer = otto.submit("/devices/forget", {"all": "1", "q": "typ:IP222", "confirmed": "300"}, page="/devices")
    assert answer.status_code == 400
    assert "is nothing to search by" in answer.text
    assert otto.get(f"/devices/{PHONE}").status_code == 200


def test_two_hundred_rows_are_small(vera: Visitor) -> None:
    response = vera.get("/devices?size=200")
    assert len(serials(html.fromstring(response.text))) == 200
    assert len(response.content) < 300_000


def test_a_site_without_devices_shows_what_to_enter(own_site: Site) -> None:
    add_person(own_site, "vera", Role.VIEWER)
    with serving(own_site.path) as server, logged_in(server, "vera") as visitor:
        document = page(visitor, "/devices")
        assert words(document.xpath("//pre")[0]) == f"{server.base}/update.php"
        assert document.xpath("//section[@class='empty']//a/@href") == ["/add"]


# What devices say


@pytest.mark.parametrize(
    "path",
    [
        "/devices?sort=last_seen&desc=1",
        f"/devices?q={MARKUP}",
        f"/devices?q=name:{QUOTED}",
        f"/devices/{HOSTILE}",
        f"/devices/{HOSTILE}?script=last",
        f"/devices/{MARKUP.replace('/', '')}",
        f"/devices/{PHONE}",
    ],
)
def test_nothing_that_is_said_becomes_markup(otto: Visitor, path: str) -> None:
    text = otto.get(path).text
    document = html.fromstring(text)
    assert not document.xpath("//img | //script[not(@src)] | //*[@style] | //style | //b[.='bold'] | //object | //base")
    assert not [name for name in document.xpath("//@*") if name.attrname.startswith("on")]
    hrefs = document.xpath("//@href | //@action | //@formaction")
    assert {urlsplit(each).scheme for each in hrefs} <= {"", "http", "https"}
    assert "1337" not in text


def test_hostile_texts_are_shown_as_they_are(otto: Visitor) -> None:
    assert MARKUP in words(page(otto, "/devices?q=sn:" + str(HOSTILE)))
    shown = words(page(otto, f"/devices/{HOSTILE}"))
    for text in (MARKUP, QUOTED, FORMULA):
        assert text in shown


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("10.1.2.3", "https://10.1.2.3/"),
        ("fe80::1", "https://[fe80::1]/"),
        ("phone-12.example.org", None),
        ("javascript:alert(1)", None),
        ("10.1.2.3@evil.example", None),
        ("evil.example/path", None),
        ("host:8080", None),
        ("fe80::1%eth0", None),
        ("a b", None),
        ("x" * 300, None),
        ("", None),
        (None, None),
    ],
)
def test_only_plain_addresses_become_links(address: str | None, link: str | None) -> None:
    assert own_page(address, None) == link


@pytest.mark.parametrize(
    "value", ["137213", "ip29-2", "a b", 'say "hi"', "", None, "x:y", "(odd)", "é", "a,b", "1..2", "<1", "a*"]
)
def test_a_link_to_a_value_searches_for_it(value: str | None) -> None:
    (term,) = parse_search(pair("name", value)).terms
    if '"' in (value or ""):
        assert term == Pair("name", "say??hi?", wild=True)
    else:
        assert term == Pair("name", value or "")


# The table for spreadsheets


def table(visitor: Visitor, search: str = "") -> list[dict[str, str]]:
    response = visitor.get("/devices.csv", params={"q": search})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="devices.csv"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_the_table_has_all_that_a_search_finds(vera: Visitor) -> None:
    assert len(table(vera)) == COUNT + 2
    assert len(table(vera, "missing")) == 5
    (row,) = table(vera, str(PHONE))
    assert row["state"] == "waiting"
    assert row["name"] == "Lobby"
    assert row["firmware requested"] == "137213"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["last seen (UTC)"])


def test_lists_and_tables_are_in_the_language_of_who_asks(vera: Visitor) -> None:
    german = {"Accept-Language": "de-AT,de;q=0.9"}
    heads = html.fromstring(vera.get("/devices", headers=german).text).xpath("//table[1]//th//text()")
    assert {"Zustand", "Seriennummer", "Zuletzt gesehen"} <= {each.strip() for each in heads}
    lines = vera.get("/devices.csv", headers=german).content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Zustand;Name;Seriennummer;Typ;Hardware-ID;")
    assert lines[0].endswith("Zertifikat läuft ab (UTC)")
    for_programs = [vera.get("/api/v1/devices", headers={"Accept": "text/csv", **more}).text for more in ({}, german)]
    assert for_programs[0] == for_programs[1]


def test_no_cell_is_a_formula(vera: Visitor) -> None:
    (row,) = table(vera, str(HOSTILE))
    assert row["name"] == f"'{FORMULA}{MARKUP}"
    assert row["type"] == MARKUP
    for text in ("=1", "+1", "-1", "@x", "\tx", "\rx"):
        assert defused(text) == f"'{text}"
    assert defused("10.1.1.1") == "10.1.1.1"


# Touch and forget


def numbers_on(document: html.HtmlElement, name: str) -> list[str]:
    return document.xpath(f"//main//form//input[@name='{name}']/@value")


def test_a_viewer_can_neither_forget_nor_touch(vera: Visitor) -> None:
    document = page(vera, "/devices")
    assert [words(each) for each in document.xpath("//div[@class='deeds']/button[not(@hidden)]")] == [
        "Compare",
        "Have them poll",
        "CSV",
    ]
    assert not page(vera, f"/devices/{PHONE}").xpath("//button[.='Forget']")
    for deed in ("forget", "touch"):
        answer = vera.submit(f"/devices/{deed}", {"sn": str(PHONE), "confirmed": "1"}, page="/devices")
        assert answer.status_code == 403
    assert page(vera, f"/devices/{PHONE}") is not None


def test_without_the_token_of_a_form_nothing_is_done(otto: Visitor) -> None:
    answer = otto.post("/devices/forget", data={"sn": str(PHONE), "confirmed": "1"})
    assert answer.status_code == 400
    assert otto.get(f"/devices/{PHONE}").status_code == 200


def test_devices_are_forgotten_once_that_is_confirmed(own_site: Site) -> None:
    fill(own_site, 60, now())
    add_person(own_site, "otto", Role.OPERATOR)
    with serving(own_site.path) as server, logged_in(server, "otto") as otto:
        chosen = {"sn": ["00-90-33-00-00-01", "009033000002"], "q": "type:ip2*"}
        question = otto.submit("/devices/forget", chosen, page="/devices")
        asked_for = html.fromstring(question.text)
        assert words(asked_for.xpath("//div[@id='answer']")[0]) == "Forget 2 devices?"
        assert len(own_site.inventory.devices()) == 60
        agreed = {name: numbers_on(asked_for, name) for name in ("sn", "q", "confirmed")}
        done = otto.submit("/devices/forget", agreed, page="/devices")
        assert done.headers["Location"] == "/devices?q=type:ip2*"
        assert "2 devices forgotten" in words(page(otto, done.headers["Location"]).xpath("//p[@role='status']")[0])
        assert len(own_site.inventory.devices()) == 58
        (entry, *_) = own_site.audit.entries(1)
        assert (entry.who, entry.kind, entry.subject) == ("otto", "device-forget", "2 devices")


@pytest.mark.parametrize("confirmed", ["0", "", "-1", "one", None])
def test_a_single_device_is_asked_about_as_well(otto: Visitor, confirmed: str | None) -> None:
    form = {"sn": str(PHONE)} if confirmed is None else {"sn": str(PHONE), "confirmed": confirmed}
    assert "Forget 1 device?" in otto.submit("/devices/forget", form, page="/devices").text
    assert otto.get(f"/devices/{PHONE}").status_code == 200


def test_all_that_a_search_finds_are_asked_about_again_if_they_became_more(own_site: Site) -> None:
    fill(own_site, 60, now())
    add_person(own_site, "otto", Role.OPERATOR)
    with serving(own_site.path) as server, logged_in(server, "otto") as otto:
        everything = {"all": "1", "q": "type:IP222"}
        question = html.fromstring(otto.submit("/devices/forget", everything, page="/devices").text)
        assert words(question.xpath("//div[@id='answer']")[0]) == "Forget 10 devices?"
        fill(own_site, 70, now())
        again = otto.submit("/devices/forget", everything | {"confirmed": "10"}, page="/devices")
        assert "Forget 12 devices?" in again.text
        assert "Meanwhile more devices" in again.text
        assert len(own_site.inventory.devices()) == 70
        otto.submit("/devices/forget", everything | {"confirmed": "12"}, page="/devices")
        assert len(own_site.inventory.devices()) == 58


def test_one_device_is_touched_from_its_page(own_site: Site) -> None:
    at = now() - timedelta(days=20)
    serial = Serial("009033000001")
    own_site.inventory.save_sightings([Device(serial, first_seen=at, last_seen=at)])
    add_person(own_site, "otto", Role.OPERATOR)
    with serving(own_site.path) as server, logged_in(server, "otto") as otto:
        assert "is ▲missing" in words(page(otto, f"/devices/{serial}").xpath("//div[@id='answer']")[0])
        form = {"sn": str(serial), "device": str(serial), "confirmed": "1"}
        done = otto.submit("/devices/touch", form, page=f"/devices/{serial}")
        assert done.headers["Location"] == f"/devices/{serial}"
        assert "is ●present" in words(page(otto, f"/devices/{serial}").xpath("//div[@id='answer']")[0])
        gone = otto.submit("/devices/forget", form, page=f"/devices/{serial}")
        assert gone.headers["Location"] == "/devices"


def test_two_devices_are_compared(vera: Visitor) -> None:
    two = {"sn": ["00-90-33-00-00-03", str(PHONE)], "q": "present"}
    answer = vera.submit("/devices/compare", two, page="/devices")
    assert answer.headers["Location"] == f"/backups/00-90-33-00-00-03/against?with={PHONE}"
    assert "backup" in words(page(vera, answer.headers["Location"], status=404))
    for some, said in ((["00-90-33-00-00-03"] * 2, "you chose 1."), ([], "you chose none."), (["1", "2", "3"], "3.")):
        listed = [each if len(each) > 1 else f"00-90-33-00-00-0{each}" for each in some]
        answer = vera.submit("/devices/compare", {"sn": listed, "q": "present"}, page="/devices")
        assert answer.headers["Location"] == "/devices?q=present"
        flashed = words(page(vera, "/devices?q=present").xpath("//p[@role='status']")[0])
        assert flashed.startswith("Choose two devices to compare;")
        assert flashed.endswith(said)


def test_chosen_devices_are_a_table(vera: Visitor) -> None:
    chosen = {"sn": [str(PHONE), "00-90-33-00-00-03", "00-90-33-99-99-99"], "columns": "sn,admin.name"}
    answer = vera.submit("/devices/chosen.csv", chosen, page="/devices")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="devices.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [
        {"serial number": str(PHONE), "Admin: Name": "<b>bold</b>"},
        {"serial number": "00-90-33-00-00-03", "Admin: Name": ""},
    ]
    everything = {"all": "1", "q": "missing"}
    answer = vera.submit("/devices/chosen.csv", everything, page="/devices")
    assert len(list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))) == 5


def test_words_that_complete_a_search_find_something(vera: Visitor) -> None:
    told = vera.get("/devices/words.json").json()
    assert ["env", "environment"] in told["keys"]
    notes = dict(told["words"])
    assert notes["type:IP222"] == f"{found(page(vera, '/devices?q=type:IP222'))} devices"
    for word, note in notes.items():
        search = parse_search(word)
        assert not search.fault, word
        if note.endswith(("device", "devices")) and "<" not in word:
            assert found_or_none(vera, word) == int(note.split()[0].replace(",", "")), word


def found_or_none(visitor: Visitor, search: str) -> int:
    return sum(1 for _ in csv.DictReader(io.StringIO(visitor.get("/devices.csv", params={"q": search}).text)))


def test_nothing_chosen_is_said(otto: Visitor) -> None:
    answer = otto.submit("/devices/touch", {"q": "missing"}, page="/devices")
    assert answer.headers["Location"] == "/devices?q=missing"
    assert "No device was chosen" in words(page(otto, "/devices?q=missing").xpath("//p[@role='status']")[0])
    assert otto.get("/devices/touch").headers["Location"] == "/devices"
    assert otto.submit("/devices/touch", {"sn": "x"}, page="/devices").status_code == 400


# One device


def test_any_way_to_write_a_serial_number_leads_to_the_usual_one(vera: Visitor) -> None:
    for way in ("009033777777", "00:90:33:77:77:77"):
        answer = vera.get(f"/devices/{way}?script=now")
        assert (answer.status_code, answer.headers["Location"]) == (301, f"/devices/{PHONE}?script=now")
        assert vera.get(f"/devices/{way}/state.xml").headers["Location"] == f"/devices/{PHONE}/state.xml"


@pytest.mark.parametrize(("path", "text"), [("00-90-33-00-99-99", "has called yet"), ("reception", "no serial number")])
def test_an_unknown_device_is_a_page_that_says_what_to_do(vera: Visitor, path: str, text: str) -> None:
    document = page(vera, f"/devices/{path}", status=404)
    assert text in words(document)
    assert "/devices" in document.xpath("//main//a/@href")
    assert vera.get(f"/devices/{path}/state.xml").status_code == 404


def test_the_page_says_how_the_device_stands(vera: Visitor) -> None:
    document = page(vera, f"/devices/{PHONE}")
    answer = words(document.xpath("//div[@id='answer']")[0])
    assert re.match(
        rf"Lobby, an IP222, is ●present: it called {RECENTLY}\. It should run [0-9a-f]{{8}}; it has confirmed", answer
    )
    assert "It polls every" in answer
    assert document.xpath("//dd/a[.='10.7.7.7']/@href") == ["https://10.7.7.7/"]
    assert document.xpath("//dd/a[.='10.7.0.1']/@href") == ["https://10.7.0.1/"]
    happened = [words(each) for each in document.xpath("//ol[@class='timeline']/li/span")]
    assert happened[0] == "Called last"
    assert happened[-1] == "Known since then"
    assert "Was told to load firmware 137213" in happened
    assert "Answered the query Admin" in happened


def test_the_whole_story_is_a_page_by_topic(place: Site, vera: Visitor, otto: Visitor) -> None:
    place.inventory.touch([PHONE], Event(now(), "otto", Kind.DEVICE_TOUCH))
    document = page(otto, f"/devices/{PHONE}/timeline")
    happened = [words(each) for each in document.xpath("//ol[@class='timeline']/li/span")]
    assert "Answered the query Admin" in happened
    assert "otto let it count as seen" in happened
    assert document.xpath("//ol[@class='timeline']//a[starts-with(@href, '/commits/')]")
    topics = {words(each): each.get("href") for each in document.xpath("//nav[@class='tabs']/a")}
    assert {"All", "Scripts", "Moves", "Backups", "People"} <= topics.keys()
    answers = page(otto, topics["Answers"]).xpath("//ol[@class='timeline']/li/span")
    assert {words(each) for each in answers} == {"Answered the query Admin"}
    assert "otto let it count as seen" not in vera.get(f"/devices/{PHONE}/timeline").text, (
        "the audit is not for viewers"
    )
    assert "People" not in vera.get(f"/devices/{PHONE}/timeline").text
    past = page(vera, f"/devices/{PHONE}/timeline?before=2000-01-01")
    assert words(past.xpath("//div[@id='answer']/p[1]")[0]) == "Nothing earlier is known of Lobby."
    assert vera.get(f"/devices/{PHONE}/timeline?before=nonsense&topic=x").status_code == 200
    assert page(vera, f"/devices/{PHONE}").xpath(f"//a[@href='/devices/{PHONE}/timeline']")


def test_the_address_that_has_it_poll_is_there_to_be_copied(vera: Visitor) -> None:
    document = page(vera, f"/devices/{PHONE}")
    assert document.xpath("//section[@aria-labelledby='poll']//pre/text()") == [
        "https://10.7.7.7/!mod%20cmd%20UP1%20poll"
    ]


@pytest.mark.parametrize("named", ["Desk 1", "00-90-33-00-00-01", "0090:3300:0001", "10.0.0.1"])
def test_a_device_is_compared_with_another_that_is_named(vera: Visitor, named: str) -> None:
    form = page(vera, f"/devices/{PHONE}").xpath("//section[@aria-labelledby='other']/form")[0]
    document = page(vera, f"{form.get('action')}?{urlencode({'with': named})}")
    answer = words(document.xpath("//div[@id='answer']")[0])
    assert answer.startswith("Lobby and Desk 1 differ in "), answer
    facts = [[words(cell) for cell in row] for row in document.xpath("//table[@class='list']/tbody/tr")]
    assert [each[1:] for each in facts if "differs" in each[0] and "Address" in each[0]] == [["10.7.7.7", "10.0.0.1"]]
    assert document.xpath(f"//a[@href='/backups/{PHONE}/against?with=00-90-33-00-00-01']")


def test_what_two_devices_would_get_is_compared_without_secrets(vera: Visitor, otto: Visitor) -> None:
    path = f"/devices/{PHONE}/compare?with=Desk+3"
    document = page(otto, path)
    said = words(document.xpath("//div[@id='answer']")[0])
    count = int(re.search(r"(\d+) lines? of what they would get differ", said)[1])
    assert count == len(document.xpath("//tr[@class='changed']"))
    assert "hunter2secret" not in vera.get(path).text


def test_a_name_that_means_several_devices_offers_them(vera: Visitor) -> None:
    document = page(vera, f"/devices/{PHONE}/compare?with=Desk")
    assert "More than 20 devices are meant" in words(document.xpath("//div[@id='answer']")[0])
    offered = document.xpath("//table[@class='list']/tbody/tr/td[1]/a/@href")
    assert len(offered) == 20
    assert " and Desk " in words(page(vera, offered[0]).xpath("//div[@id='answer']")[0])
    for text in ("nobody-at-all", "env:", MARKUP, str(PHONE), ""):
        other = page(vera, f"/devices/{PHONE}/compare?{urlencode({'with': text})}")
        assert not other.xpath("//table"), text
        said = words(other.xpath("//div[@id='answer']")[0])
        assert said.startswith("No other device is found by" if text else "With which device is Lobby to be compared?")


def test_a_device_that_polled_as_none_does_has_a_page(own_site: Site) -> None:
    at, serial = now(), Serial("009033000001")
    device = Device(
        serial,
        first_seen=at,
        last_seen=at,
        firmware_wanted="137213",
        firmware_requested=at,
        request=Request({"sn": str(serial), "hwid": MARKUP}, Endpoint("http", "upd.example", 80)),
        messages=(Message(at, "the answer was not kept"),),
    )
    own_site.inventory.save_sightings([device])
    add_person(own_site, "vera", Role.VIEWER)
    with serving(own_site.path) as server, logged_in(server, "vera") as vera:
        document = page(vera, f"/devices/{serial}")
        assert "It polled as no device does" in words(document.xpath("//div[@id='answer']")[0])
        assert "no hardware id" in words(document.xpath("//section[@id='script']")[0])
        assert not document.xpath("//section[@id='script']//table")
        happened = [words(each) for each in document.xpath("//ol[@class='timeline']/li/span")]
        assert "The answer was not kept" in happened
        assert happened[-1] == "Known since then"


def test_scripts_are_compared_and_say_where_each_line_is_from(otto: Visitor) -> None:
    document = page(otto, f"/devices/{PHONE}")
    changed = document.xpath("//tr[@class='changed']")
    left = [words(each) for row in changed for each in row.xpath("td[@class='left text']")]
    right = [words(each) for row in changed for each in row.xpath("td[@class='right text']")]
    assert any("/gk-addr 10.1.0.1" in line for line in right)
    assert not any("/gk-addr 10.1.0.1 /pw" in line for line in left)
    assert {words(each) for each in document.xpath("//tr[@class='changed']/td[contains(@class,'sign')]")} <= {
        "+",
        "\N{MINUS SIGN}",
        "",
    }
    snippet = document.xpath("//a[.='snippets/update-phone-all.txt']/@href")[0]
    assert re.fullmatch(r"/configuration/file/snippets/update-phone-all\.txt\?rev=[0-9a-f]{40}#L1", snippet)
    assert otto.get(snippet.partition("#")[0]).status_code == 200
    why = [words(row) for row in document.xpath("//table[@class='list']/tbody/tr")]
    assert "snippets/update-phone-all.txtphase update; class phone; every environment" in why
    names = [words(each) for each in document.xpath("//details[@class='names']//li")]
    assert "snippets/update-phone-all.txt" in names, "those that exist"
    assert "all-all-all" in names or "snippets/all-all-all.txt" in names
    assert len([each for each in names if "/" not in each]) > 5, "and those that do not"
    single = page(otto, f"/devices/{PHONE}?script=now")
    assert single.xpath("//tr[@id='L1']//a/@href") == ["#L1"]
    assert single.xpath("//td[contains(@class,'comment')]")


def test_what_another_commit_would_give_is_a_box_away(vera: Visitor) -> None:
    document = page(vera, f"/devices/{PHONE}")
    form = document.xpath("//form[@action='/preview']")[0]
    asked = {each.get("name"): each.get("value") or "main" for each in form.xpath(".//input")}
    assert (asked["type"], asked["sn"]) == ("IP222", str(PHONE))
    answer = words(page(vera, f"/preview?{urlencode(asked)}").xpath("//div[@id='answer']")[0])
    assert answer.startswith("An IP222"), "all that it says can be asked"


def test_secrets_are_for_operators(vera: Visitor, otto: Visitor) -> None:
    for path in (f"/devices/{PHONE}", f"/devices/{PHONE}?script=now"):
        assert "hunter2secret" in otto.get(unveiled(path)).text
        assert "hunter2secret" not in vera.get(path).text
        assert "***" in vera.get(path).text


def test_secrets_of_the_commit_that_was_sent_are_hidden_as_well(place: Site, vera: Visitor, otto: Visitor) -> None:
    live = place.deployments.live().commit
    files = dict(place.config.files(live))
    files["devices.yaml"] = b"devices: {00-90-33-77-77-78: {variables: {sip_password: last-years-secret}}}\n"
    files["snippets/update-phone-all.txt"] = b"config add PHONE/REG /token last-years-secret\n"
    past = place.config.commit_files(files, "As it was", "Ada <ada@example.org>", "past")
    device = replace(place.inventory.device(PHONE), serial=Serial("009033777778"), sent=past)
    place.inventory.save_sightings([device])
    for path in ("", "?script=last"):
        assert "last-years-secret" in otto.get(unveiled(f"/devices/{device.serial}{path}")).text
        assert "last-years-secret" not in vera.get(f"/devices/{device.serial}{path}").text
    place.inventory.forget([device.serial], Event(now(), "tess", Kind.DEVICE_FORGET))


def test_a_secret_is_hidden_in_the_state_however_xml_writes_it(place: Site, vera: Visitor, otto: Visitor) -> None:
    said = '<info pw="open">/pw a&amp;b &lt;<b password="c">x</b>/psk tail</info>'
    place.answers.save([AnsweredQuery(PHONE, QueryAnswer("secrets", now(), said))])
    found = etree.fromstring(vera.get(f"/devices/{PHONE}/state.xml").content).find("queries/secrets")
    assert etree.tostring(found[0], with_tail=False, encoding="unicode") == (
        '<info pw="***">/pw *** &lt;<b password="***">x</b>/psk ***</info>'
    )
    assert "a&amp;b" in otto.get(f"/devices/{PHONE}/state.xml").text


def test_the_state_is_xml_to_be_saved(vera: Visitor) -> None:
    answer = vera.get(f"/devices/{PHONE}/state.xml")
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert etree.fromstring(answer.content).find("device").get("sn") == str(PHONE)
    assert etree.fromstring(vera.get(f"/devices/{HOSTILE}/state.xml").content) is not None


def test_errors_are_pages_for_browsers_and_a_line_for_others(shown: Server, vera: Visitor) -> None:
    assert "There is no such page" in words(page(vera, "/no/such/page", status=404))
    other = vera.get("/no/such/page", headers={"Accept": "*/*"})
    assert (other.status_code, other.text) == (404, "404 Not Found\n")
    with Visitor(shown) as nobody:
        assert nobody.get("/devices").status_code == 303
        assert nobody.get("/devices.csv").status_code == 303
        assert nobody.get("/static/gitupd.css").status_code == 200


# Words and figures


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (7200, "2 h ago"),
        (86400, "1 day ago"),
        (86400 * 45, "1 month ago"),
        (86400 * 800, "2 years ago"),
        (-30, "in a moment"),
        (-300, "in 5 min"),
    ],
)
def test_times_are_told_in_their_largest_unit(seconds: int, words: str) -> None:
    present = datetime(2026, 1, 1, tzinfo=UTC)
    assert ago(present - timedelta(seconds=seconds), present) == words


def test_the_rest_of_many_values_is_one_bar() -> None:
    shares = [Share(value, 70 - number) for number, value in enumerate(["a", None, "c", "d", "e", "f", "g"])]
    bars = share_bars("phase", shares, "never polled", parse_search(""))
    assert [bar.label for bar in bars] == ["a", "never polled", "c", "d", "3 others"]
    assert (bars[0].search, bars[1].search, bars[-1].search) == ("phase:a", 'phase:""', None)
    assert max(bar.width for bar in bars) == 100
    assert bars[-1].count == 66 + 65 + 64
    assert len(share_bars("phase", shares[:5], "", parse_search(""))) == 5


def test_places_are_drawn_in_states() -> None:
    places = [EnvironmentStandings(4, 2, 1, 0, name="berlin"), EnvironmentStandings(10, 10, 10, 0, name="all")]
    (bar,) = place_bars(places, 10, parse_search(""))
    assert (bar.label, bar.count, bar.search, bar.chosen) == ("berlin", 4, "env:berlin", False)
    assert bar.parts == (("missing", 0, 50), ("waiting", 50, 25), ("current", 75, 25))
    chosen = place_bars(places, 10, parse_search("env:All desk"))[1]
    assert (chosen.search, chosen.chosen, chosen.parts) == ("desk", True, (("current", 0, 100),))


def test_a_curve_goes_from_the_deployment_to_now() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    drawn = curve([Point(start, 0), Point(start + timedelta(hours=1), 5), Point(start + timedelta(hours=4), 20)], 20)
    assert drawn.line == "0.0,80.0 75.0,60.0 300.0,0.0"
    assert curve([Point(start, 0)], 20) is None
    assert curve([Point(start, 0), Point(start, 0)], 0) is None


def test_a_page_is_asked_for_by_numbers() -> None:
    assert asked({}) == (1, 50)
    assert asked({"page": "3", "size": "200"}) == (3, 200)
    assert asked({"page": "three", "size": "201"}) == (1, 50)
