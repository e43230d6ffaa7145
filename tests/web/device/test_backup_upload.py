"""Backups as devices upload them, to a real server."""

from __future__ import annotations

import http.client
import re
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from support.serving import PATIENCE, Server, serving
from support.visitors import add_person, logged_in
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitupd.core.backups.version import BackupVersion

SERIAL = parse_serial("00-90-33-30-00-af")
PATH = "/update.php?mode=backup&hwid=IP222-30-00-af&sn=00-90-33-30-00-af"
DUMP = "".join(f"config change MODULE{number} /option {number}\r\n" for number in range(300)).encode()


def with_backups(path: Path) -> Site:
    """Return a new site whose devices upload."""
    site = create_site(path, who="test", now=now())[0]
    files = dict(site.config.files(site.config.resolve("main")))
    files["policies/backup.yaml"] = b"enabled: true\n"
    site.config.commit_files(files, "Backups", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now())
    return site


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that takes backups, and waits for as long as a test says, else for as long as servers do."""
    with_backups(tmp_path / "site").close()
    with serving(tmp_path / "site", workers=2, request_seconds=getattr(request, "param", "30")) as running:
        running.ready()
        yield running


@pytest.fixture
def site(server: Server) -> Iterator[Site]:
    opened = Site(server.log.parent / "site")
    yield opened
    opened.close()


def put(server: Server, body: bytes, path: str = PATH) -> tuple[int, str]:
    """Upload as devices do: in chunks, without a length or a type."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    parts = [body[at : at + 4096] for at in range(0, len(body), 4096)]
    connection.request("PUT", path, body=iter(parts), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    response = connection.getresponse()
    said = response.read().decode()
    connection.close()
    return response.status, said


def versions(site: Site, count: int) -> list[bytes]:
    """Return the versions of the device once there are *count* of them, the oldest first."""

    def kept() -> Sequence[BackupVersion]:
        return site.backup_index.of(SERIAL)

    until(lambda: len(kept()) >= count and not site.backup_inbox.count(), lambda: f"{len(kept())} versions")
    return [site.backups.content(version.blob) for version in kept()][::-1]


def test_what_is_answered_is_in_the_history_soon(server: Server, site: Site) -> None:
    assert put(server, DUMP) == (200, f"# backup of {len(DUMP)} bytes: kept\r\n")
    assert put(server, DUMP)[1].endswith("nothing has changed\r\n")
    assert put(server, DUMP + b"config add A /b c\r\n")[1].endswith("kept\r\n")
    assert versions(site, 2) == [DUMP, DUMP + b"config add A /b c\r\n"]
    facts = site.backup_index.of(SERIAL)[0].facts
    assert (facts["address"], facts["authenticated"], facts["hardware_id"]) == ("127.0.0.1", "no", "IP222-30-00-af")
    assert facts["deployed"] == site.deployments.live().commit


def test_a_large_one_goes_by_way_of_a_file(server: Server, site: Site) -> None:
    large = DUMP + b"".join(b"vars create LARGE/%06d p %d\r\n" % (number, number) for number in range(200_000))
    assert put(server, large)[1].endswith("kept\r\n")
    assert versions(site, 1) == [large]
    assert list(site.inbox_folder.iterdir()) == []


@pytest.mark.parametrize("server", ["2"], indirect=True, ids=["hasty"])
def test_what_is_cut_off_is_refused_and_leaves_nothing(server: Server, site: Site) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PUT {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"10000\r\n" + DUMP[:4000])
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"PUT {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n".encode() + DUMP * 20)
        connection.settimeout(PATIENCE)
        assert b" 408 " in connection.recv(1000)
    assert put(server, DUMP)[0] == 200
    assert versions(site, 1) == [DUMP]
    assert list(site.inbox_folder.iterdir()) == []


def talk(server: Server, *parts: bytes, seconds: float = PATIENCE) -> bytes:
    """Say *parts* on one connection, and return all that is answered until the server closes it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer


def request(body: bytes, *headers: str, path: str = PATH, last: bool = True) -> bytes:
    listed = "".join(f"{each}\r\n" for each in ("Host: x", *headers, *(("Connection: close",) if last else ())))
    return f"PUT {path} HTTP/1.1\r\n{listed}\r\n".encode() + body


def chunked(body: bytes, size: int, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n%b\r\n" % trailer


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize("size", [1, 3, 4096, 1_000_000])
def test_chunks_may_be_of_any_size(server: Server, site: Site, size: int) -> None:
    said = talk(server, request(chunked(DUMP, size, b';a="b"'), CHUNKED))
    assert said.endswith(b": kept\r\n")
    assert versions(site, 1) == [DUMP]


@pytest.mark.parametrize(
    "sent",
    [
        request(b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n", CHUNKED, "Content-Length: 40"),
        request(b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n", "Content-Length: 40", CHUNKED),
        request(DUMP, "Content-Length: 5", f"Content-Length: {len(DUMP)}"),
        request(DUMP, "Content-Length: +5"),
        request(DUMP, "Content-Length: 5, 5"),
        request(chunked(DUMP, 100), CHUNKED, CHUNKED),
        request(chunked(DUMP, 100), "Transfer-Encoding : chunked"),
        request(chunked(DUMP, 100), "Transfer-Encoding: chunked, identity"),
        request(b"-5\r\nhello\r\n0\r\n\r\n", CHUNKED),
        request(b"ffffffffffffffff1\r\nhello\r\n0\r\n\r\n", CHUNKED),
        request(b"5\r\nhelloXX\r\n0\r\n\r\n", CHUNKED),
    ],
)
def test_what_two_servers_might_read_in_two_ways_is_refused(server: Server, site: Site, sent: bytes) -> None:
    said = talk(server, sent)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1
    assert site.backup_inbox.count() == site.backup_index.count() == 0


def test_uploads_on_one_connection_are_kept_in_order(server: Server, site: Site) -> None:
    other = DUMP + b"config add A /b c\r\n"
    refused = request(chunked(DUMP, 1000), CHUNKED, path="/update.php?mode=backup&hwid=x", last=False)
    page = request(chunked(b"\xef\xbb\xbf<?xml?>", 1000), CHUNKED, last=False)
    sent = [request(chunked(each, 1000), CHUNKED, last=False) for each in (DUMP, other, DUMP)]
    said = talk(server, b"".join((refused, sent[0], page, *sent[1:], request(DUMP, f"Content-Length: {len(DUMP)}"))))
    assert re.findall(rb"^# (.*)\r$", said, re.MULTILINE) == [
        b"refused: malformed request",
        b"backup of %d bytes: kept" % len(DUMP),
        b"backup of 10 bytes: not kept: it is no configuration but something like a web page",
        b"backup of %d bytes: kept" % len(other),
        b"backup of %d bytes: kept" % len(DUMP),
        b"backup of %d bytes: nothing has changed" % len(DUMP),
    ]
    assert versions(site, 3) == [DUMP, other, DUMP]


@pytest.mark.parametrize("server", ["2"], indirect=True, ids=["hasty"])
def test_who_sends_a_byte_now_and_then_is_sent_away(server: Server, site: Site) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=1) as connection:
        started, said = time.monotonic(), b""
        connection.sendall(request(b"", CHUNKED))
        while not said:
            assert time.monotonic() - started < PATIENCE
            connection.sendall(b"1\r\na\r\n")
            with suppress(TimeoutError):
                said = connection.recv(1000)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close\r\n" in said.lower()
        assert time.monotonic() - started > 4
    assert site.backup_inbox.count() == 0


def test_pages_of_versions_with_millions_of_lines_stay_bounded(server: Server, site: Site) -> None:
    before = b"a\n" * 2_000_000
    assert put(server, before)[1].endswith(": kept\r\n")
    assert put(server, b"b\n" + before[2:])[1].endswith(": kept\r\n")
    versions(site, 2)
    add_person(site, "vera", Role.VIEWER)
    with logged_in(server, "vera") as visitor:
        page = visitor.get(f"/backups/{SERIAL}/diff").text
        assert page.count('class="removed"') == page.count('class="added"') == 1
        assert "1,650,000 more lines: too much for a page" in page
        assert "2,000,000 lines" in visitor.get(f"/backups/{SERIAL}/latest").text
        assert visitor.get(f"/backups/{SERIAL}/~1/raw").content == before


def test_the_largest_one_is_kept_and_a_byte_more_is_not(tmp_path: Path) -> None:
    site = with_backups(tmp_path / "site")
    largest = (DUMP * 200)[: 2**20]
    with serving(site.path, largest_upload="1") as server:
        server.ready()
        for body in (largest + b"\n", chunked(largest + b"\n", 65_536)):
            length = CHUNKED if body[:5] == b"10000" else f"Content-Length: {len(body)}"
            assert talk(server, request(body, length)).startswith(b"HTTP/1.1 413 ")
        assert put(server, largest)[1].endswith(": kept\r\n")
        assert versions(site, 1) == [largest]
        assert list(site.inbox_folder.iterdir()) == []
    site.close()


@pytest.mark.parametrize(
    "path",
    [
        "/update.php?mode=backup&sn=00-90-33-30-00-af",
        "/update.php?mode=backup&hwid=x",
        "/update.php?mode=backup&hwid=..&sn=00-90-33-30-00-af",
        "/update.php?mode=backup&hwid=a/b&sn=00-90-33-30-00-af",
        "/update.php?mode=backup&hwid=*&sn=00-90-33-30-00-af",
        "/update.php?mode=backup&hwid=x&sn=..",
    ],
)
def test_who_does_not_say_who_it_is_is_refused(server: Server, site: Site, path: str) -> None:
    assert put(server, DUMP, path)[0] == 400
    assert site.backup_inbox.count() == 0


def test_what_can_be_no_backup_is_not_kept_and_told(server: Server, site: Site) -> None:
    for body, said in ((b"", "it is empty"), (b"<html>", "web page"), (DUMP.replace(b"1", b"\0"), "no text")):
        status, answer = put(server, body)
        assert (status, said in answer) == (200, True)
    assert site.backup_inbox.count() == site.backup_index.count() == 0


def test_killed_right_after_the_answer(server: Server, site: Site) -> None:
    bodies = [DUMP + b"config add A /b %d\r\n" % number for number in range(30)]
    for body in bodies:
        assert put(server, body)[0] == 200
    server.kill()
    with serving(site.path) as again:
        again.ready()
        assert versions(site, 30) == bodies


def test_a_device_without_a_certificate_is_refused_where_one_is_required(tmp_path: Path) -> None:
    site = with_backups(tmp_path / "site")
    files = dict(site.config.files(site.config.resolve("main")))
    files["policies/transport.yaml"] = b"client_certificate: required\n"
    site.config.commit_files(files, "Certificates", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now())
    with serving(site.path) as server:
        server.ready()
        status, said = put(server, DUMP)
        assert (status, "a client certificate is required" in said) == (403, True)
    assert site.backup_inbox.count() == 0
    site.close()


def test_without_a_deployment_nothing_is_kept(tmp_path: Path) -> None:
    site = Site.create(tmp_path / "empty")
    with serving(site.path) as server:
        assert put(server, DUMP) == (200, "# not kept: nothing is deployed yet\r\n")
    assert site.backup_inbox.count() == 0
    site.close()


def test_nobody_asked_for_backups(tmp_path: Path) -> None:
    site = create_site(tmp_path / "quiet", who="test", now=now())[0]
    files = dict(site.config.files(site.config.resolve("main")))
    files["policies/backup.yaml"] = b"enabled: false\n"
    site.config.commit_files(files, "No backups", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now())
    with serving(site.path) as server:
        server.ready()
        assert put(server, DUMP) == (200, "# not kept: the configuration has backups switched off\r\n")
    assert site.backup_inbox.count() == 0
    site.close()
