"""Answers to queries, uploaded to a real server: as devices do, and as nobody should."""

from __future__ import annotations

import http.client
import select
import socket
import sqlite3
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.serving import PATIENCE, Server, serving
from support.uploading import KEPT, SERIAL, SN, deploy_queries, hammer, known, path, put
from support.waiting import until

from gitupd.core.caller import Serial, parse_serial
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def told(site: Site, sn: str = SN) -> list[str]:
    """Return the messages of a device; a message is written after the answer, but soon."""
    with sqlite3.connect(site.path / "gitupd.db") as connection:
        found = connection.execute("SELECT text FROM messages WHERE serial = ?", [parse_serial(sn).digits])
        return [text for (text,) in found]


def told_soon(site: Site, sn: str = SN) -> list[str]:
    return until(lambda: told(site, sn), "nothing is told of the device")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    created, _ = create_site(tmp_path_factory.mktemp("uploads") / "site", who="test", now=now())
    yield created
    created.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    with serving(site.path, largest_answer="256") as running:
        running.ready()
        yield running


@pytest.mark.parametrize(
    ("chunks", "kept"),
    [
        ((b'<info name="Desk 12"/>\r\n',), '<info name="Desk 12"/>'),
        ((b'<info name="\xc3', b"\xa4", b'"/>'), '<info name="ä"/>'),
        ((b"\xef\xbb\xbf<info/>\0",), "<info/>"),
        ((b"<a/>", b"<b/>\r\n"), "<a/><b/>"),
        ((b"<a>" + b"x" * 250_000 + b"</a>",), "<a>" + "x" * 250_000 + "</a>"),
    ],
)
def test_an_answer_is_kept_when_it_is_answered(site: Site, server: Server, chunks: Sequence[bytes], kept: str) -> None:
    before = now()
    assert put(server, path(), *chunks) == (200, KEPT)
    (answer,) = site.answers.of(SERIAL)
    assert (answer.query, answer.xml) == ("admin", kept)
    assert before <= answer.received <= now()
    assert known(site).last_seen == answer.received


@pytest.mark.parametrize("kind", ["text/xml", "application/x-www-form-urlencoded", "multipart/form-data", "\xff"])
def test_the_content_type_means_nothing(site: Site, server: Server, kind: str) -> None:
    body = f"<info name='{len(kind)}'/>".encode()
    assert put(server, path(sn="009033300001"), body, headers={"Content-Type": kind}) == (200, KEPT)
    assert known(site, "009033300001").own_name == str(len(kind))


def test_an_answer_with_a_length_is_kept(site: Site, server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("PUT", path(sn="00:90:33:30:00:02"), body=b"<info/>")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, KEPT)
    connection.close()
    assert len(site.answers.of(Serial("009033300002"))) == 1


def test_the_name_of_a_device_follows_its_answers(site: Site, server: Server) -> None:
    names = []
    for body in (b'<info name=" Desk "/>', b"<busy/>", b"<info", b'<info name="B&#10;C"/>', b'<info name=""/>'):
        put(server, path(sn="009033300003"), body)
        names.append(known(site, "009033300003").own_name)
    assert names == ["Desk", "Desk", "Desk", "B C", None]


def test_a_poll_keeps_what_an_answer_said(site: Site, server: Server) -> None:
    put(server, path(sn="009033300004"), b'<info name="Desk"/>')
    server.get("/update.php?type=IP222&sn=009033300004&hwid=h&ip=10.0.0.1")
    until(lambda: known(site, "009033300004").model, "the poll is not remembered")
    device = known(site, "009033300004")
    assert (device.model, device.own_name) == ("IP222", "Desk")
    put(server, path("certificates", "009033300004"), b"<info/>")
    later = known(site, "009033300004")
    assert later == replace(device, last_seen=later.last_seen)
    assert later.last_seen > device.last_seen


# What changes nothing


@pytest.mark.parametrize(
    ("target", "status", "answer"),
    [
        (path("x"), 200, b"# not kept: the configuration has no such query\r\n"),
        (path("Admin"), 200, b"# not kept: the configuration has no such query\r\n"),
        (path("x%0d%0avars+del+X"), 200, b"# not kept: the configuration has no such query\r\n"),
        (path("%ff%00"), 200, b"# not kept: the configuration has no such query\r\n"),
        (path(""), 400, b"# refused: malformed request\r\n"),
        (f"/update.php?mode=query&sn={SN}", 400, b"# refused: malformed request\r\n"),
        ("/update.php?mode=query&id=admin", 400, b"# refused: malformed request\r\n"),
        (path(sn="../config/user-config"), 400, b"# refused: malformed request\r\n"),
        (path(sn=""), 400, b"# refused: malformed request\r\n"),
        (f"/update.php?mode=QUERY&sn={SN}&id=admin", 400, b"# refused: malformed request\r\n"),
    ],
)
def test_what_nobody_asked_for_is_kept_nowhere(own_site: Site, target: str, status: int, answer: bytes) -> None:
    with serving(own_site.path) as server:
        server.ready()
        assert put(server, target, b"<info/>") == (status, answer)
    assert own_site.inventory.devices() == []
    assert not told(own_site)


def test_without_a_deployment_nothing_is_kept(tmp_path: Path) -> None:
    site = Site.create(tmp_path / "empty")
    with serving(site.path) as server:
        assert put(server, path(), b"<info/>") == (200, b"# not kept: nothing is deployed yet\r\n")
    assert site.inventory.devices() == []
    site.close()


@pytest.mark.parametrize(
    ("number", "body", "fault"),
    [
        (1, b"", "it is empty"),
        (2, b"<info", "it is not well-formed XML: "),
        (3, b'<info name="\xe4"/>', "it is not UTF-8"),
        (4, b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "it is not well-formed XML: "),
        (5, b"<a>" * 50_000, "it is not well-formed XML: "),
        (6, b"<a>" * 101 + b"</a>" * 101, "its elements are nested more than 100 deep"),
        (7, b"\r\nvars del X & Y\r\n", "it is not well-formed XML: "),
        (8, b"<a\r\nvars='&\r\nreset;'/>", "it is not well-formed XML: "),
    ],
)
def test_a_bad_answer_changes_nothing_and_is_told(
    site: Site, server: Server, number: int, body: bytes, fault: str
) -> None:
    sn = f"0090334000{number:02}"
    assert put(server, path(sn=sn), b'<info name="Desk"/>') == (200, KEPT)
    before = known(site, sn)
    status, answer = put(server, path(sn=sn), body)
    assert status == 200
    assert answer.decode().startswith(f"# not kept: {fault}")
    assert answer.endswith(b"\r\n")
    assert len(answer.splitlines()) == 1
    (message,) = told_soon(site, sn)
    assert message.startswith(f"the answer to query 'admin' was not kept: {fault}")
    after = known(site, sn)
    assert (after.own_name, after.last_seen) == (before.own_name, before.last_seen)
    assert [answer.xml for answer in site.answers.of(parse_serial(sn))] == ['<info name="Desk"/>']


def test_a_bad_answer_of_an_unknown_device_makes_no_device(site: Site, server: Server) -> None:
    put(server, path(sn="009033500001"), b"<info")
    assert told_soon(site, "009033500001")
    assert site.inventory.device(parse_serial("009033500001")) is None


def test_an_answer_that_is_too_large_is_refused(site: Site, server: Server) -> None:
    assert put(server, path(sn="009033500002"), b"<a>" + b"x" * 262_136 + b"</a>")[0] == 200
    before = site.answers.of(parse_serial("009033500002"))
    with suppress(OSError):
        assert put(server, path(sn="009033500002"), b"<a>" + b"y" * 262_138 + b"</a>")[0] == 413
    assert told_soon(site, "009033500002") == ["the answer to query 'admin' was not kept: the upload is too large"]
    assert site.answers.of(parse_serial("009033500002")) == before


@pytest.mark.parametrize(
    "framing", [b"Transfer-Encoding: chunked\r\n\r\n7\r\n<info/>\r\n", b"Content-Length: 9\r\n\r\n<info/>"]
)
def test_an_answer_that_is_cut_off_changes_nothing(site: Site, server: Server, framing: bytes) -> None:
    sn = f"0090335001{len(framing):02}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as opened:
        opened.sendall(f"PUT {path(sn=sn)} HTTP/1.1\r\nHost: x\r\n".encode() + framing)
        time.sleep(0.1)
    assert told_soon(site, sn) == ["the answer to query 'admin' was not kept: the upload was cut off"]
    assert site.answers.of(parse_serial(sn)) == ()


def test_an_answer_that_takes_too_long_is_refused(own_site: Site) -> None:
    with (
        serving(own_site.path, request_seconds="1.5") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as opened,
    ):
        opened.sendall(f"PUT {path(sn='009033500200')} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n<".encode())
        for _ in range(75):  # no pause alone is too long
            if select.select([opened], [], [], 0.4)[0]:
                break
            opened.sendall(b"a")
        assert select.select([opened], [], [], 0)[0]
        assert opened.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert told_soon(own_site, "009033500200") == [
            "the answer to query 'admin' was not kept: the upload took too long"
        ]


def test_no_more_is_held_at_once_than_there_is_room_for(own_site: Site) -> None:
    head = f"PUT {path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n".encode()
    with serving(own_site.path, largest_answer="4096") as server, ExitStack() as stack:
        server.ready()
        opened = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10)) for _ in range(17)]
        for each in opened:
            with suppress(OSError):  # the last ones are told before they have sent all
                each.sendall(head + b"x" * 4_194_000)
        refused, _, _ = select.select(opened, [], [], PATIENCE)
        assert refused
        assert all(each.recv(1000).startswith(b"HTTP/1.1 503 ") for each in refused)
        assert server.get("/healthz")[0] == 200
        for each in opened:
            each.close()
        until(lambda: put(server, path(), b"<info/>")[0] == 200, "there is no room for another answer")
        assert put(server, path(), b"<info/>") == (200, KEPT)


def test_a_database_that_fails_is_told_and_nothing_is_changed(own_site: Site) -> None:
    with serving(own_site.path) as server:
        server.ready()
        with sqlite3.connect(own_site.path / "gitupd.db") as connection:
            connection.execute("ALTER TABLE answers RENAME TO away")
        assert put(server, path(), b'<info name="x"/>') == (
            503,
            b"# refused: the answer can't be written down at the moment\r\n",
        )
        assert own_site.inventory.devices() == []
        with sqlite3.connect(own_site.path / "gitupd.db") as connection:
            connection.execute("ALTER TABLE away RENAME TO answers")
        assert put(server, path(), b'<info name="x"/>') == (200, KEPT)
    assert known(own_site).own_name == "x"


def test_a_device_without_a_certificate_is_refused_where_one_is_required(own_site: Site) -> None:
    files = dict(own_site.config.files(own_site.config.resolve("main")))
    files["policies/transport.yaml"] = b"client_certificate: required\n"
    own_site.config.commit_files(files, "Certificates", "Ada <ada@example.org>")
    deploy(own_site, "main", who="test", now=now())
    with serving(own_site.path) as server:
        server.ready()
        status, said = put(server, path(), b'<info name="x"/>')
        assert (status, b"a client certificate is required" in said) == (403, True)
        assert own_site.inventory.devices() == []


# Many at once


def test_answers_of_many_clients_at_the_same_time(own_site: Site) -> None:
    commit = deploy_queries(own_site)
    with serving(own_site.path, workers=2) as server:
        server.ready(commit)
        hammer(server, own_site, clients=32, turns=300)
    with sqlite3.connect(own_site.path / "gitupd.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# A power cut


def test_what_was_answered_is_there_after_a_power_cut(own_site: Site) -> None:
    lock, acknowledged = threading.Lock(), []

    def upload(server: Server, number: int) -> None:
        for turn in range(10_000):
            sn = f"{number:04x}{turn:08x}"
            try:
                status, _ = put(server, path(sn=sn), f'<info name="{sn}"/>'.encode())
            except (OSError, http.client.HTTPException):
                return
            assert status == 200
            with lock:
                acknowledged.append(sn)

    for cut in range(3):
        with serving(own_site.path, workers=2) as server:
            server.ready()
            threads = [threading.Thread(target=upload, args=(server, cut * 8 + number)) for number in range(8)]
            for thread in threads:
                thread.start()
            until(lambda enough=60 * (cut + 1): len(acknowledged) >= enough, lambda: len(acknowledged))
            server.kill()
            for thread in threads:
                thread.join()
    assert len(acknowledged) >= 180
    named = {device.serial.digits: device.own_name for device in own_site.inventory.devices()}
    assert [sn for sn in acknowledged if named.get(sn) != sn] == []
    assert all(own_site.answers.of(Serial(sn))[0].xml == f'<info name="{sn}"/>' for sn in acknowledged[::10])
