"""The master device, asked over real HTTP."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from support.waiting import until

from gitupd.core.firmware import Builds
from gitupd.core.policy import Master
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.service.keeper import Keeper
from gitupd.service.master import MasterFault, ask, is_due, parse_box_info
from gitupd.store.masters import MasterAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
_VERSION = "13r2 IP6010[13.4250], Bootcode[131286], HW[1300]"
_INFO = f'<?xml version="1.0"?><info><sys version="{_VERSION}" serial="x"/></info>'.encode()


@dataclass
class Device:
    """A master device: the answer it gives next, and the paths it was asked for."""

    url: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = _INFO
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def device() -> Iterator[Device]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            if not known.status:
                self.wfile.write(known.body)
                return
            self.send_response(known.status)
            for name, value in known.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(known.body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    known = Device(f"http://127.0.0.1:{server.server_port}/CMD0/box_info.xml")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield known
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_is_remembered(sample: Sample, device: Device) -> None:
    answer = ask(sample.site.masters, Master(device.url), NOON)
    assert answer == MasterAnswer(device.url, "134250", "131286", NOON, NOON)
    assert sample.site.masters.answers() == {device.url: answer}
    assert device.asked == ["/CMD0/box_info.xml"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, {}, b"hello"), "not XML: "),
        ((200, {}, b""), "not XML: "),
        ((200, {}, b"<info/>"), "no element sys with an attribute version"),
        ((200, {}, b"<info><sys version='13r2'/></info>"), "version '13r2' names no builds in brackets"),
        ((200, {}, b"<info>" + b" " * 300_000 + b"</info>"), "an answer of more than 262144 bytes"),
        ((200, {"Content-Length": "99999999999"}, b"<info>" + b" " * 300_000), "an answer of more than 262144 bytes"),
        ((401, {}, _INFO), "can't be reached: Unauthorized"),
        ((404, {}, _INFO), "can't be reached: Not Found"),
        ((500, {}, _INFO), "can't be reached: Internal Server Error"),
        ((302, {"Location": "/elsewhere"}, _INFO), "can't be reached: Found"),
        ((307, {"Location": "file:///etc/passwd"}, _INFO), "can't be reached: Temporary Redirect"),
        ((0, {}, b"garbage\r\n\r\n"), "can't be reached: "),
        ((0, {}, b""), "can't be reached: "),
    ],
)
def test_a_bad_answer_is_a_failure_that_leaves_the_last_good_one(
    sample: Sample, device: Device, answer: tuple[int, dict[str, str], bytes], error: str
) -> None:
    good = ask(sample.site.masters, Master(device.url), NOON)
    device.status, device.headers, device.body = answer
    later = NOON + timedelta(hours=2)
    failed = ask(sample.site.masters, Master(device.url), later)
    assert failed.error.startswith(error)
    assert failed == replace(good, asked_at=later, error=failed.error)
    assert sample.site.masters.answers() == {device.url: failed}
    assert len(device.asked) == 2


def test_a_device_that_is_switched_off(sample: Sample) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        answer = ask(sample.site.masters, Master(url), NOON)
    assert answer == MasterAnswer(url, None, None, None, NOON, answer.error)
    assert answer.error.startswith("can't be reached: ")


@pytest.mark.parametrize(
    ("content", "builds"),
    [
        (_INFO, Builds("134250", "131286")),
        (
            f"<info><sys version='{_VERSION}'/><sys version='other'/></info>".encode("utf-16"),
            Builds("134250", "131286"),
        ),
        (b"<info><sys version='13r1 dvl [x] IP[13A146], Bootcode[12], HW[]'/></info>", Builds("13A146", "12")),
    ],
)
def test_what_an_answer_says(content: bytes, builds: Builds) -> None:
    assert parse_box_info(content) == builds


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE x [<!ENTITY a 'IP[1], Bootcode[2], HW[3]'>]><info><sys version='&b;'/></info>",
        b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/hostname'>]><info><sys>&f;</sys></info>",
        b"<info><sys version='IP[1 ser x&#10;reset], Bootcode[2 3], HW[3]'/></info>",
        b"<info><sys version='IP[../..], Bootcode[../..], HW[3]'/></info>",
        b"<info>" * 10_000,
        b"\xff\xfe\x00",
    ],
)
def test_what_says_nothing(content: bytes) -> None:
    with pytest.raises(MasterFault):
        parse_box_info(content)


def test_when_it_is_asked_again() -> None:
    master = Master("http://x/", cache=600)
    fresh = MasterAnswer("http://x/", "1", "2", NOON, NOON)
    failed = replace(fresh, asked_at=NOON + timedelta(minutes=20), error="x")

    def due(answer: MasterAnswer | None, minutes: float) -> bool:
        return is_due(answer, master, NOON + timedelta(minutes=minutes))

    assert due(None, 0)
    assert [due(fresh, minutes) for minutes in (0, 9.9, 10, 60)] == [False, False, True, True]
    assert [due(failed, minutes) for minutes in (20.4, 20.5)] == [False, True]
    never = MasterAnswer("http://x/", None, None, None, NOON, "x")
    assert [due(never, minutes) for minutes in (0.4, 0.5)] == [False, True]
    assert due(fresh, -120), "the clock was put back, and it would not be asked for hours"


def test_the_keeper_asks_and_the_follower_takes_it_over(sample: Sample, device: Device) -> None:
    policy = f"master: {{url: '{device.url}'}}\nfirmware: master\nbootcode: none\n"
    deploy(sample.site, sample.commit({"policies/firmware.yaml": policy}), who="ada", now=NOON)
    follower = Follower(sample.site)
    follower.follow()
    assert follower.live is not None
    assert follower.live.builds is None
    keeper = Keeper(sample.site)
    keeper.tick()
    until(sample.site.masters.answers, "the master device is not asked")
    keeper.tick()
    assert len(device.asked) == 1
    follower.follow()
    assert follower.live.builds == Builds("134250", "131286")


def test_a_master_device_that_trickles_is_given_up(sample: Sample) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(1000):
                    connection.sendall(b"x")
                    time.sleep(0.02)

        thread = threading.Thread(target=trickle)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/box_info.xml"
        answer = ask(sample.site.masters, Master(url), NOON, timeout=4)  # with room for a machine that is busy
        thread.join()
    assert "can't be reached: it took more than 4 seconds" in answer.error
