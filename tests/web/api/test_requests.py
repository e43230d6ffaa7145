"""Recorded requests through the API, each answer held against openapi.yaml."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.people.audit import Kind
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.stories.recording import MOST_RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.programs import Program
    from support.serving import Server

    from gitupd.service.site import Site

SN = "00-90-33-30-00-af"
POLL = "/update.php?type=IP222&sn={}&hwid=IP222-30-00-af&ip=10.0.0.1&phase=update&polling=0&env=default"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("requests") / "site", who="test", now=now())
    yield site
    site.close()


@pytest.fixture(scope="module", autouse=True)
def _devices_have_asked(api_server: Server, place: Site) -> None:
    for number in range(MOST_RECORDED + 1):
        api_server.get(POLL.format(f"00-90-33-30-01-{number:02x}"))
    api_server.get(POLL.format(SN))
    until(lambda: place.inventory.device(parse_serial(SN)), "the device is not known")


def test_requests_are_recorded_for_an_hour_told_and_recorded_no_longer(
    operator: Program, api_server: Server, place: Site
) -> None:
    assert operator.get(f"/devices/{SN}/requests").json() == {"sn": SN, "recording": None, "requests": []}
    recording = operator.put(f"/devices/{SN}/recording").json()
    assert (recording["on"], recording["who"], recording["gone"]) == (True, "operator", 0)
    lasts = datetime.fromisoformat(recording["until"]) - datetime.fromisoformat(recording["since"])
    assert (lasts, datetime.fromisoformat(recording["since"]).tzinfo) == (timedelta(hours=1), UTC)

    def told() -> list[dict[str, object]]:
        api_server.get(POLL.format(SN))
        return operator.get(f"/devices/{SN}/requests").json()["requests"]

    (each, *_) = until(told, "nothing is recorded")
    assert (each["method"], each["target"], each["status"]) == ("GET", POLL.format(SN), 200)
    assert str(each["body"]).startswith(f"# gitupd {place.deployments.live().commit}\n")
    assert operator.delete(f"/devices/{SN}/recording").status_code == 204
    again = operator.delete(f"/devices/{SN}/recording")
    assert (again.status_code, again.json()["detail"]) == (404, f"There is no recording of device {SN} that goes on.")
    assert operator.get(f"/devices/{SN}/requests").json()["recording"]["on"] is False
    kinds = [entry.kind for entry in place.audit.entries(99) if entry.subject == SN]
    assert {Kind.DEVICE_RECORD, Kind.REQUESTS_VIEW, Kind.DEVICE_RECORD_STOP} <= set(kinds)


def test_only_so_many_are_recorded_at_a_time(operator: Program) -> None:
    for number in range(MOST_RECORDED):
        assert operator.put(f"/devices/00-90-33-30-01-{number:02x}/recording").status_code == 200
    refused = operator.put(f"/devices/00-90-33-30-01-{MOST_RECORDED:02x}/recording")
    assert refused.status_code == 409
    assert "stop one of these first" in refused.json()["detail"]
    assert operator.put("/devices/00-90-33-30-01-00/recording").status_code == 200, "that goes on already"


@pytest.mark.parametrize(("method", "what"), [("GET", "requests"), ("PUT", "recording"), ("DELETE", "recording")])
def test_a_device_that_never_asked_is_not_there(operator: Program, method: str, what: str) -> None:
    refused = operator.request(method, f"/devices/00-90-33-99-99-99/{what}")
    assert (refused.status_code, refused.json()["detail"]) == (404, "There is no device 00-90-33-99-99-99.")
