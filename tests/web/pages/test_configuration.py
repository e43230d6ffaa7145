"""Pages of the configuration and its files."""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING

import pytest
from support.visitors import RECENTLY, Visitor, answer, shown

if TYPE_CHECKING:
    from support.showcase import Scene


def test_the_configuration_is_told_in_sentences_with_their_places(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/configuration").text
    assert re.match(rf"Devices follow {scene.live[:8]}, deployed {RECENTLY} by tess", answer(page))
    assert "2 phases, 3 environments, 13 classes and 7 snippets." in answer(page)
    text = shown(page)
    assert "Devices poll every 10 minutes. delivery.yaml:1" in text
    assert "Scripts run only from 22:00 to 2:00, in the device's local time. delivery.yaml:2" in text
    assert "What a device has executed already is not sent to it again. by default" in text
    assert f'href="/configuration/file/policies/delivery.yaml?rev={scene.live}#L2"' in page
    assert "1 device is known by serial number." in text
    assert re.search(r'href="/devices\?q=env:homeoffice">20</a>', page)


def test_snippets_are_found_by_parts_of_their_names(viewer: Visitor) -> None:
    page = viewer.get("/configuration?q=UPDATE+phone").text
    names = re.findall(r">((?:all|staging|update)-[\w-]+\.txt)<", page)
    assert names == ["update-phone-all.txt", "update-phone-default.txt", "update-phone-homeoffice.txt"]
    assert "No snippet has “zz” in its name." in viewer.get("/configuration?q=zz").text
    assert viewer.get("/configuration?page=99999&size=7").status_code == 200


def test_a_file_has_numbered_lines_and_says_who_changed_it(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/configuration/file/policies/delivery.yaml?rev=main").text
    assert '<tr id="L2">' in page
    assert f"2 lines in {scene.head[:8]}; last changed" in answer(page)
    assert f"by Ada in {scene.live[:8]}: “Secrets <b>of</b> phones”" in answer(page)


def test_a_file_that_is_no_text_is_told_politely(viewer: Visitor) -> None:
    response = viewer.get("/configuration/file/certificates/logo.bin")
    assert response.status_code == 200
    assert "This is no text" in response.text
    assert "3 bytes" in answer(response.text)


def raw(scene: Scene, visitor: Visitor, path: str) -> tuple[int, str]:
    """Return what a path gets that no well-behaved client would send."""
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=60)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.putheader("Cookie", cookie)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read().decode(errors="replace")
    connection.close()
    return response.status, body


@pytest.mark.parametrize(
    "path",
    ["../gitupd.toml", "..%2fgitupd.toml", "%2e%2e/gitupd.db", "snippets/../../gitupd.toml", "/etc/passwd",
     "%2fetc%2fpasswd", "snippets", "snippets/", ".", "a%00b", ".git/config", "config", "x" * 5000, "%ff%fe",
     "policies/delivery.yaml/x"],
)  # fmt: skip
def test_no_path_leads_out_of_the_commit(scene: Scene, operator: Visitor, path: str) -> None:
    status, body = raw(scene, operator, f"/configuration/file/{path}")
    assert status in (404, 308), body[:500]
    assert "root:" not in body
    assert "http =" not in body
