"""The page of a device's recorded requests, as browsers get it from a real server."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from lxml import html
from support.serving import Server, serving
from support.visitors import ROOT, Visitor, add_person, answer, logged_in, shown

from gitupd.core.caller import parse_serial
from gitupd.core.device import Device
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role
from gitupd.core.stories.recorded import RecordedRequest
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.stories.recording import MOST_RECORDED, start_recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

SN = "00-90-33-30-00-af"
SERIAL = parse_serial(SN)
PAGE = f"/devices/{SN}/requests"
EVENT = Event(now(), "test", Kind.DEVICE_FORGET)
MARKUP = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("requests") / "site", who="test", now=now())
    for name, role in (("vera", Role.VIEWER), ("adam", Role.AUDITOR), ("otto", Role.OPERATOR)):
        add_person(site, name, role)
    yield site
    site.close()


@pytest.fixture(scope="module")
def server(place: Site) -> Iterator[Server]:
    with serving(place.path) as running:
        running.ready()
        yield running


@pytest.fixture
def otto(server: Server) -> Iterator[Visitor]:
    with logged_in(server, "otto") as visitor:
        yield visitor


@pytest.fixture
def phone(place: Site) -> None:
    """A device of which nothing is recorded yet."""
    place.inventory.forget([SERIAL], EVENT)
    place.inventory.save_sightings([Device(SERIAL, own_name="Lobby", first_seen=now(), last_seen=now())])


def asked(number: int = 0, **facts: object) -> RecordedRequest:
    return RecordedRequest(SERIAL, now() + timedelta(seconds=number), "GET", f"/update.php?n={number}", **facts)


@pytest.mark.usefixtures("phone")
def test_an_operator_starts_it_and_stops_it_and_both_are_in_the_audit(
    place: Site, server: Server, otto: Visitor
) -> None:
    assert answer(otto.get(PAGE).text).startswith("Requests of Lobby are not recorded. Secrets are left out")
    started = otto.submit(f"{PAGE}/record", page=f"/devices/{SN}")
    assert (started.status_code, started.headers["location"]) == (303, PAGE)
    page = otto.get(PAGE)
    assert answer(page.text).startswith(
        "Each request of Lobby, and what it is answered, is recorded. That ends in 59 min"
    )
    assert "It has not asked since" in page.text
    assert "Each of its requests and answers is recorded. That ends in 59 min" in shown(otto.get(f"/devices/{SN}").text)
    assert 'data-refresh="0"' not in page.text
    assert otto.submit(f"{PAGE}/record", page=PAGE).status_code == 303
    assert otto.submit(f"{PAGE}/stop", page=PAGE).status_code == 303
    page = otto.get(PAGE)
    assert "Requests of this device are no longer recorded." in page.text
    assert answer(page.text).startswith("Requests of Lobby are not recorded any more. That ended just now")
    assert 'data-refresh="0"' in page.text
    otto.submit(f"{PAGE}/stop", page=PAGE)
    assert "Its requests were not recorded any more." in otto.get(PAGE).text
    entries = [(each.who, each.kind) for each in place.audit.entries(4, subject=SN)]
    assert entries[:3] == [("otto", "device-record-stop"), ("otto", "device-record"), ("otto", "device-record")]
    assert "otto ended the record of its requests" in shown(otto.get(f"/devices/{SN}/timeline").text)
    with logged_in(server, "vera") as vera:
        assert "otto" not in shown(vera.get(f"/devices/{SN}/timeline").text)


@pytest.mark.usefixtures("phone")
def test_it_shows_what_was_asked_and_answered(place: Site, otto: Visitor) -> None:
    start_recording(place, SERIAL, ROOT, now())
    script = f"# {MARKUP}\nconfig add A /pw ***\n"
    odd = asked(
        1,
        status=200,
        seconds=0.0123,
        address="10.0.0.7",
        certificate=MARKUP,
        headers=(("user-agent", MARKUP),),
        received=1_250,
        answer_headers=(("content-type", "text/plain"),),
        answered=90_000,
        body=script,
        is_cut=True,
    )
    unnamed = asked(2, status=404, by_address=True, address="10.0.0.7", answered=5)
    place.recordings.write([asked(0), odd, unnamed])
    page = otto.get(PAGE)
    assert MARKUP not in page.text
    assert "Show them" not in page.text, "what was not kept can't be shown"
    entries = html.fromstring(page.text).xpath("//details[@class='exchange']")
    told = [" ".join(each.text_content().split()) for each in entries]
    assert "/update.php?n=2 ▲404 0.0 ms, 5 bytes ▲Perhaps another device:" in told[0]
    assert "5 bytes of a file, which are not kept here." in told[0]
    assert "/update.php?n=1 ●200 12.3 ms, 90,000 bytes" in told[1]
    for part in (
        MARKUP,
        "user-agent",
        "Uploaded1,250 bytes (not kept here)",
        "Cut off here: the whole answer has 90,000",
    ):
        assert part in told[1], part
    assert "▲no answer" in told[2]
    assert [entry.kind for entry in place.audit.entries(1, subject=SN)] == ["requests-view"]
    count = len(place.audit.entries(100, subject=SN))
    otto.get(PAGE, headers={"X-Refresh": "1"})
    assert len(place.audit.entries(100, subject=SN)) == count, "a page that refreshes itself is no further look"
    text, facts = otto.get(f"{PAGE}.txt"), otto.get(f"{PAGE}.json")
    assert text.headers["content-disposition"] == f'attachment; filename="requests-{SN}.txt"'
    assert "> GET /update.php?n=1\n> user-agent: <img" in text.text
    assert "< config add A /pw ***\n< (cut off here; 90,000 bytes in all)\n" in text.text
    document = json.loads(facts.text)
    assert [each["status"] for each in document["requests"]] == [404, 200, None]
    assert document["recording"]["on"] is True


@pytest.mark.usefixtures("phone")
def test_a_long_list_comes_in_pages_and_says_what_is_gone(place: Site, otto: Visitor) -> None:
    start_recording(place, SERIAL, ROOT, now())
    place.recordings.write([asked(number) for number in range(520)])
    page, seen = html.fromstring(otto.get(PAGE).text), []
    assert "20 earlier requests are gone: they made room for later ones." in page.text_content()
    while True:
        seen += page.xpath("//details[@class='exchange']/@id")
        further = page.xpath("//a[@rel='next']/@href")
        if not further:
            break
        page = html.fromstring(otto.get(further[0]).text)
    assert len(seen) == len(set(seen)) == 500
    assert otto.get(f"{PAGE}?before=nonsense").status_code == 200


@pytest.mark.usefixtures("phone")
def test_it_is_for_operators_and_for_known_devices(server: Server, otto: Visitor) -> None:
    for name in ("vera", "adam"):
        with logged_in(server, name) as visitor:
            assert "Record for an hour" not in visitor.get(f"/devices/{SN}").text
            for path in (PAGE, f"{PAGE}.txt", f"{PAGE}.json"):
                assert visitor.get(path).status_code == 403
            for path in (f"{PAGE}/record", f"{PAGE}/stop"):
                assert visitor.submit(path, page="/account").status_code == 403
    unknown = PAGE.replace(SN, "00-90-33-ff-ff-ff")
    assert otto.get(unknown).status_code == 404
    otto.submit(f"{unknown}/record", page=PAGE)
    assert "Nothing is recorded: no device 00-90-33-ff-ff-ff ever asked" in otto.get(PAGE).text


@pytest.mark.usefixtures("phone")
def test_so_many_are_recorded_at_a_time(place: Site, otto: Visitor) -> None:
    others = [Device(parse_serial(f"00903340{number:04x}"), first_seen=now(), last_seen=now()) for number in range(20)]
    assert len(others) == MOST_RECORDED
    place.inventory.save_sightings(others)
    for each in others:
        start_recording(place, each.serial, ROOT, now())
    otto.submit(f"{PAGE}/record", page=PAGE)
    assert "requests of 20 other devices are recorded at the moment" in shown(otto.get(PAGE).text)
    assert place.recordings.of(SERIAL) is None
    place.inventory.forget([each.serial for each in others], EVENT)
