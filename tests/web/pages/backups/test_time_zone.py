"""Pages tell times, and cut days, by the clock of the site: Berlin's, over a night in which it is put back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.histories import Upload, content, keep
from support.serving import Server, serving
from support.visitors import Visitor, add_person, answer, logged_in, shown

from gitupd.core.backups.change import Volatile
from gitupd.core.caller import parse_serial
from gitupd.core.device import Device
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.settings import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

PHONE = parse_serial("00-90-33-00-00-01")
TIMES = (
    "2026-10-24T21:30Z",  # 23:30 on the 24th in Berlin
    "2026-10-24T22:30Z",  # 00:30 on the 25th
    "2026-10-25T00:30Z",  # 02:30, of summer
    "2026-10-25T01:30Z",  # 02:30 once more, of winter
    "2026-10-25T22:30Z",  # 23:30, an hour before the day of 25 hours ends
    "2026-10-25T23:30Z",  # 00:30 on the 26th
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site, live = create_site(tmp_path_factory.mktemp("berlin") / "site", who="test", now=now())
    add_person(site, "vera", Role.AUDITOR)
    moments = [datetime.fromisoformat(text).astimezone(UTC) for text in TIMES]
    keep(site, [Upload(PHONE, at, content(1, each)) for each, at in enumerate(moments)], Volatile(()), live.commit)
    site.inventory.save_sightings([Device(PHONE, first_seen=moments[0], last_seen=moments[1])])
    (site.path / FILE_NAME).write_text('time_zone = "Europe/Berlin"\n', "utf-8")
    with serving(site.path) as running:
        running.ready()
        yield running
    site.close()


@pytest.fixture(scope="module")
def vera(server: Server) -> Iterator[Visitor]:
    with logged_in(server, "vera") as visitor:
        yield visitor


def times_on(page: str) -> list[str]:
    """Return the times of the versions that a page lists, as one reads them."""
    return re.findall(r'aria-label="Compare from ([^"]+)"', page)


def test_a_day_has_all_that_its_clock_shows_and_names_the_zone(vera: Visitor) -> None:
    page = vera.get(f"/backups/{PHONE}?day=2026-10-25").text
    assert "changed 4 times on Sun 25 Oct 2026 (Europe/Berlin)" in answer(page)
    assert times_on(page) == [
        "25 Oct 2026, 23:30 CET",
        "25 Oct 2026, 02:30 CET",
        "25 Oct 2026, 02:30 CEST",
        "25 Oct 2026, 00:30 CEST",
    ]
    assert "did not change on Sat 24 Oct 2026" in answer(vera.get(f"/backups/{PHONE}?day=2026-10-24").text)
    assert "changed once on Mon 26 Oct 2026" in answer(vera.get(f"/backups/{PHONE}?day=2026-10-26").text)


def test_fields_for_days_say_in_which_zone_they_are(vera: Visitor) -> None:
    page = vera.get(f"/backups/{PHONE}").text
    assert 'aria-label="First day (Europe/Berlin)"' in page
    assert "a time (Europe/Berlin) such as" in shown(page)


def test_the_calendar_counts_by_the_days_of_the_site(vera: Visitor) -> None:
    page = vera.get("/backups").text
    found = dict(re.findall(r"<title>\w+ (2[456] Oct 2026): (\d+ changes?)", page))
    assert found == {"24 Oct 2026": "1 change", "25 Oct 2026": "4 changes", "26 Oct 2026": "1 change"}


@pytest.mark.parametrize(
    ("named", "at"),
    [
        ("2026-10-24", "24 Oct 2026, 23:30 CEST"),
        ("2026-10-25", "25 Oct 2026, 23:30 CET"),
        ("2026-10-25T02:45", "25 Oct 2026, 02:30 CEST"),  # the first of the two
        ("2026-10-25T01:45Z", "25 Oct 2026, 02:30 CET"),
    ],
)
def test_a_version_is_named_by_a_time_of_the_site(vera: Visitor, named: str, at: str) -> None:
    page = vera.get(f"/backups/{PHONE}/{named}")
    assert page.status_code == 200
    assert f"{at} · gitupd</title>" in page.text


def test_devices_are_found_by_the_day_on_which_they_called_there(vera: Visitor) -> None:
    for day, count in (("2026-10-24", 0), ("2026-10-25", 1)):
        assert (str(PHONE) in vera.get(f"/devices.csv?q=seen:{day}").text) is bool(count)


def test_exact_times_have_their_zone_and_programs_get_utc(vera: Visitor) -> None:
    assert 'title="Sun 25 Oct 2026, 00:30:00 CEST"' in vera.get(f"/devices/{PHONE}").text
    assert vera.get(f"/api/v1/devices/{PHONE}").json()["last_seen"] == "2026-10-24T22:30:00Z"
    assert "2026-10-24 22:30:00" in vera.get("/devices.csv").text
