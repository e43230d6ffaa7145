"""Backups as devices upload them, to a real server."""

from __future__ import annotations

import http.client
import socket
import time
from typing import TYPE_CHECKING

import pytest
from serving import Server, serving

from gitupd.core.device import parse_serial
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deploying import deploy
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERIAL = parse_serial("00-90-33-30-00-af")
PATH = "/update.php?mode=backup&hwid=IP222-30-00-af&sn=00-90-33-30-00-af"
DUMP = "".join(f"config change MODULE{number} /option {number}\r\n" for number in range(300)).encode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    site = create_site(tmp_path / "site", who="test", now=now())[0]
    files = dict(site.config.files(site.config.resolve("main")))
    files["policies/backup.yaml"] = b"enabled: true\n"
    site.config.commit_files(files, "Backups", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now())
    site.close()
    with serving(tmp_path / "site", workers=2, request_seconds="2") as running:
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
    deadline = time.monotonic() + 20
    while len(found := site.backup_index.of(SERIAL)) < count or site.backup_inbox.count():
        assert time.monotonic() < deadline, f"{len(found)} versions"
        time.sleep(0.05)
    return [site.backups.content(version.blob) for version in found][::-1]


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


def test_what_is_cut_off_is_refused_and_leaves_nothing(server: Server, site: Site) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PUT {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"10000\r\n" + DUMP[:4000])
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"PUT {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n".encode() + DUMP * 20)
        connection.settimeout(10)
        assert b" 408 " in connection.recv(1000)
    assert put(server, DUMP)[0] == 200
    assert versions(site, 1) == [DUMP]
    assert list(site.inbox_folder.iterdir()) == []


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
