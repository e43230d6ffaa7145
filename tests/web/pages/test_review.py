"""What readers see of commits and scripts: nothing that is hidden from them, and all that is hidden in a text."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

import pytest
from support.serving import PATIENCE, Server, serving
from support.visitors import add_person, logged_in, unveiled

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

SERIAL = "00-90-33-30-00-b7"
POLL = f"/update.php?type=IP222&sn={SERIAL}&hwid=x&ip=10.0.0.1&env=default&phase=update&polling=0"
SNIPPET = "snippets/update-phone-all.txt"
TURNED = "# \u202etxet desrever \u2066\nconfig add A /b\u200bc d\n"
FAULTY = f"""\
devices:
  00-90-33-00-00-01:
    variables:
      password:
        hunter2hunter2
      passphrase: |
        hunter2: hunter2
  00-90-33-00-00-02: {{environments: "{"hunter2" * 20}"}}
  not-a-serial: {{}}
"""


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Server]]:
    """A site with a deployed secret, a commit with letters that nobody sees, and one with errors."""
    site, _ = create_site(tmp_path_factory.mktemp("review") / "site", who="test", now=now())
    commits = (
        ({SNIPPET: b"config add CMD0 /pw s3cr\n"}, "deployed"),
        ({SNIPPET: TURNED.encode()}, "harmless \u202elive"),
        ({"devices.yaml": FAULTY.encode()}, "faulty"),
    )
    ids = [site.config.commit_files(files, words, "Test <test@localhost>") for files, words in commits]
    deploy(site, ids[0], who="test", now=now())
    for name, role in (("vera", Role.VIEWER), ("olga", Role.OPERATOR)):
        add_person(site, name, role)
    (site.path / "ids").write_text(json.dumps(ids))
    with serving(site.path) as server:
        server.ready()
        check = serial_for(b"s3cr")
        assert server.get(f"{POLL}&CHECK={check}")[0] == 200
        wait_for(site, SERIAL)
        yield site, server
    site.close()


def wait_for(site: Site, serial: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while site.inventory.device(parse_serial(serial)) is None:
        assert time.monotonic() < deadline, "it was not written down"
        time.sleep(0.05)


def serial_for(secret: bytes) -> str:
    return hashlib.md5(b"config add CMD0 /pw " + secret, usedforsecurity=False).hexdigest()


def ids(site: Site) -> list[str]:
    return json.loads((site.path / "ids").read_text())


@pytest.mark.parametrize("role", ["vera", "olga"])
def test_the_check_serial_is_for_those_who_see_secrets(reviewed: tuple[Site, Server], role: str) -> None:
    _, server = reviewed
    guess = serial_for(b"s3cr")
    pages = [
        f"/devices/{SERIAL}",
        f"/devices/{SERIAL}?script=now",
        f"/devices/{SERIAL}/state.xml",
        "/api/v1/devices",
        f"/api/v1/devices/{SERIAL}",
        f"/api/v1/devices/{SERIAL}/script?which=now",
        "/api/v1/preview?type=IP222&phase=update",
        "/preview?type=IP222&phase=update",
    ]
    with logged_in(server, role) as visitor:
        tells = {page: guess in visitor.get(page).text for page in pages}
        assert all(visitor.get(page).status_code == 200 for page in pages)
    assert set(tells.values()) == {False} if role == "vera" else any(tells.values())


def test_a_viewer_can_not_try_check_serials(reviewed: tuple[Site, Server]) -> None:
    _, server = reviewed
    for path in ("/preview", "/api/v1/preview"):
        with logged_in(server, "vera") as visitor:
            right, wrong = (
                visitor.get(f"{path}?type=IP222&phase=update&check={serial_for(secret)}").text
                for secret in (b"s3cr", b"else")
            )
        assert right.replace(serial_for(b"s3cr"), "") == wrong.replace(serial_for(b"else"), "")


def test_of_a_commit_with_errors_viewers_see_no_values(reviewed: tuple[Site, Server]) -> None:
    site, server = reviewed
    faulty = ids(site)[2]
    pages = (f"/configuration/file/devices.yaml?rev={faulty}", f"/commits/{faulty}", f"/configuration?rev={faulty}")
    with logged_in(server, "vera") as visitor:
        assert [page for page in pages if "hunter2" in visitor.get(page).text] == []
        assert "devices:" in visitor.get(pages[0]).text
        assert "not-a-serial" in visitor.get(pages[2]).text, "what is wrong is told all the same"
    with logged_in(server, "olga") as visitor:
        assert "hunter2hunter2" in visitor.get(unveiled(pages[0])).text


@pytest.mark.parametrize(
    "page",
    [
        "/commits/{}",
        f"/configuration/file/{SNIPPET}?rev={{}}",
        "/deployments",
        "/deployments/deploy?rev={}",
        "/preview?type=IP222&phase=update&rev={}",
        "/configuration?rev={}",
    ],
)
def test_what_nobody_sees_is_marked(reviewed: tuple[Site, Server], page: str) -> None:
    site, server = reviewed
    with logged_in(server, "olga") as visitor:
        text = visitor.get(page.format(ids(site)[1])).text
    assert not set("\u202e\u2066\u200b") & set(text)
    assert "⟨U+" in text or page == "/deployments", "where it may not be listed"


def test_what_a_device_says_of_itself_is_marked(reviewed: tuple[Site, Server]) -> None:
    site, server = reviewed
    assert server.get(POLL.replace("b7", "b8").replace("hwid=x", "hwid=a%E2%80%AEb"))[0] == 200
    wait_for(site, SERIAL.replace("b7", "b8"))
    with logged_in(server, "olga") as visitor:
        for page in ("/devices", f"/devices/{SERIAL.replace('b7', 'b8')}"):
            assert "\u202e" not in visitor.get(page).text
