"""Firmware as devices load it: whole or in ranges, names in any letter case."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.serving import Server, serving

from gitupd.core.people.audit import Event, Kind
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from gitupd.service.site import Site

CONTENT = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def firmware(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("firmware") / "IP222.bin"
    file.write_bytes(CONTENT)
    site.firmware.add("13A146", file, Event(now(), "test", Kind.FIRMWARE_ADD))
    return file


def get(server: Server, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    response.content = response.read()
    connection.close()
    return response


@pytest.mark.usefixtures("firmware")
@pytest.mark.parametrize(
    "path",
    [
        "/fw/13A146/IP222.bin",
        "/fw/13a146/ip222.bin",
        "/fw/13A146/Ip222.BIN",
        "/update/fw/13A146/ip222.bin",
        "/a/fw/13A146/IP222/prot/ip222.bin",
    ],
)
def test_a_file_is_found_in_any_letter_case(server: Server, path: str) -> None:
    response = get(server, path)
    assert (response.status, response.content) == (200, CONTENT)


@pytest.mark.usefixtures("firmware")
def test_a_file_that_is_known_is_not_sent_again(server: Server) -> None:
    tag = get(server, "/fw/13A146/ip222.bin").headers["ETag"]
    assert get(server, "/fw/13A146/ip222.bin", If_None_Match=tag).status == 304


@pytest.mark.usefixtures("firmware")
def test_a_download_goes_on_where_it_ended(server: Server) -> None:
    response = get(server, "/fw/13A146/ip222.bin", Range="bytes=100-")
    assert (response.status, response.content) == (206, CONTENT[100:])
    assert get(server, "/fw/13A146/ip222.bin", Range=f"bytes={len(CONTENT)}-").status == 416


@pytest.mark.usefixtures("firmware")
def test_what_is_not_there_is_not_found(server: Server) -> None:
    assert get(server, "/fw/13A146/ip111.bin").status == 404
    assert get(server, "/fw/1/ip222.bin").status == 404
    assert get(server, "/fw/13A146/").status == 404


def test_a_site_may_be_named_by_a_relative_path(tmp_path: Path, firmware: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    site.firmware.add("13A146", firmware, Event(now(), "test", Kind.FIRMWARE_ADD))
    site.close()
    with contextlib.chdir(tmp_path), serving(Path("site")) as server:
        server.ready()
        assert get(server, "/fw/13A146/ip222.bin").content == CONTENT
