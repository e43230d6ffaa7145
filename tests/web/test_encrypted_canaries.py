"""What is encrypted in the configuration reaches devices that have proved who they are, and nobody and nothing else."""

from __future__ import annotations

import base64
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.authorities import Authority
from support.routes import filled, routes
from support.serving import Server, serving
from support.visitors import Visitor, add_key, add_person, logged_in
from support.waiting import until
from web.test_canaries import BACKUP, MARK, OTHER, SERIAL, assert_clean, put

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.store.secrets import encrypt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.service.site import Site

SECRET = f"{MARK} 7&hunter/ö"
HARDWARE_ID = "IP222-30-00-af"
POLL = f"/update.php?type=IP222&sn={SERIAL}&hwid={HARDWARE_ID}&ip=10.0.0.7&phase=update&polling=0"
SEALED = "snippets/update-phone-all.txt.age"
SECRETS = f"variables: {{word: '{SECRET}'}}\ndevices: {{{OTHER}: {{word: '{MARK}-of-another'}}}}\n"
ASKED = {
    "preview.index": (f"type=IP222&sn={SERIAL}",),
    "api.preview.show": (f"type=IP222&sn={SERIAL}",),
    "devices.device": ("script=now", "script=last", "script=compare"),
    "api.devices.script": ("which=now", "which=last"),
    "devices.beside": (f"with={OTHER}",),
    "api.devices.difference": (f"with={OTHER}",),
    "backups.search": ("q=note&scope=latest", "q=note&scope=history"),
    "backups.diff": ("a=~1&b=latest", "a=~1&b=latest&view=split&all=1", "b=now"),
    "backups.against": (f"with={OTHER}",),
    "configuration.file": ("rev=main",),
    "commits.show": ("against=main~1",),
}
RAW = {"backups.raw", "backups.export", "api.versions.raw"}
"""Where those who may see secrets get what a device has uploaded, byte for byte."""


@dataclass(frozen=True)
class Scene:
    site: Site
    server: Server
    values: Mapping[str, str]
    proved: Mapping[str, str]


def files(recipient: str) -> dict[str, bytes]:
    return {
        **{path: text for path, text in template_files().items() if not path.startswith(("snippets/", "tests/"))},
        "policies/backup.yaml": b"enabled: true\n",
        "snippets/update-all-all.txt": b"config add PLAIN /x y\n",
        "snippets/update-all-default.txt.j2": b"config add FILLED /word {{ word }} /coded {{ word | urlencode }}\n",
        SEALED: encrypt(f"config add SEALED /word {SECRET}\nconfig add OTHER\n".encode(), [recipient]),
        "snippets/update-ip222-all.txt.j2.age": encrypt(b"config add BOTH /word {{ word | upper }}\n", [recipient]),
        "secrets.yaml.age": encrypt(SECRETS.encode(), [recipient]),
        "scripting.py": (
            b"class Own:\n    def post(self, device):\n        word = device.secrets.get('word')\n"
            b"        if device.sn.endswith('b0') and word:\n            raise ValueError(word)\n"
            b"        return [f'config add COMPUTED /word {word}']\n"
        ),
    }


def dump(version: int) -> bytes:
    lines = [f"config change MODULE{number} /option {version}" for number in range(30)]
    return "\r\n".join([*lines, f"config change NOTE /note {SECRET} /coded {quote(SECRET, safe='')}"]).encode()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    site, _ = create_site(tmp_path_factory.mktemp("encrypted") / "site", who="test", now=now())
    plant = Authority.root("Plant")
    site.trust.add(plant.pem, Event(now(), "test", Kind.TRUST_ADD))
    for name, role in (("vera", Role.VIEWER), ("olga", Role.OPERATOR), ("ada", Role.ADMINISTRATOR)):
        add_person(site, name, role)
    commit = site.config.commit_files(files(site.secrets_key.create()), "Encrypt", "Ada <ada@example.org>")
    deploy(site, commit, who="tess", now=now(), force=True, reason="test")
    shown = base64.b64encode(plant.device(HARDWARE_ID).der).decode()
    proved = {"X-Forwarded-Proto": "https", "Client-Cert": f":{shown}:"}
    settings = {"trusted_proxies": "127.0.0.1", "client_certificate_header": "Client-Cert", "scripting": "true"}
    with serving(site.path, workers=1, **settings) as server:
        server.ready(commit)
        for headers in ({}, proved):
            assert server.get(POLL, headers)[0] == 200
        for version in (1, 2):
            assert put(server, BACKUP, dump(version)).endswith("kept\r\n")
            until(lambda count=version: len(site.backup_index.of(SERIAL)) == count)
        assert put(server, f"/update.php?mode=backup&hwid=IP222-30-00-b0&sn={OTHER}", dump(3)).endswith("kept\r\n")
        server.get(POLL.replace("-af", "-b0"), proved)
        until(lambda: bool(site.backup_index.of(OTHER)))
        time.sleep(1.2)
        values = {"serial": str(SERIAL), "sn": str(SERIAL), "revision": "latest", "rev": commit, "commit": commit}
        others = {
            "path": SEALED,
            "name": "vera",
            "token": "1",
            "code": "1",
            "search": "1",
            "filename": "x",
            "file": "x",
            "number": "1",
            "deployment": "1",
            "base": commit,
            "head": commit,
            "group": "1",
        }
        yield Scene(site, server, {**others, **values}, proved)
    site.close()


def test_a_device_that_has_proved_who_it_is_gets_all_of_it(scene: Scene) -> None:
    text = scene.server.get(POLL, dict(scene.proved))[1].decode()
    coded = quote(SECRET, safe="")
    for line in (
        "config add PLAIN /x y",
        f"config add FILLED /word {SECRET} /coded {coded}",
        f"config add SEALED /word {SECRET}",
        f"config add BOTH /word {SECRET.upper()}",
        f"config add COMPUTED /word {SECRET}",
    ):
        assert f"\r\n{line}\r\n" in text


def test_any_other_gets_what_is_not_secret_and_hears_why(scene: Scene) -> None:
    forged = dict(scene.proved) | {"X-Forwarded-Proto": "http"}
    for headers, serial in (
        ({}, "-af"),
        (forged, "-af"),
        ({"X-Forwarded-Proto": "https"}, "-af"),
        (dict(scene.proved), "-b0"),
    ):
        text = scene.server.get(POLL.replace("-af", serial), headers)[1].decode()
        assert MARK.lower() not in text.lower()
        assert "\r\nconfig add PLAIN /x y\r\n" in text
        assert (
            f"\r\n# left out until the device proves who it is by a client certificate: {SEALED} (encrypted, SHA-256 "
            in text
        )


@pytest.mark.parametrize("name", ["vera", "olga", "ada"])
def test_no_page_has_it_for_anybody(scene: Scene, name: str) -> None:
    looked_at = set()
    with logged_in(scene.server, name) as visitor:
        for endpoint, method, path in routes(scene.site):
            if method != "GET" or endpoint.endswith("static") or (name != "vera" and endpoint in RAW):
                continue
            try:
                address = filled(path, scene.values)
            except KeyError:
                continue
            for query in ("", *ASKED.get(endpoint, ())):
                response = visitor.get(f"{address}?{query}" if query else address)
                if response.headers.get("content-type") == "application/zip":
                    continue  # requests for certificates, of which there are none
                assert_clean(response, address)
                if response.status_code == 200:
                    looked_at.add(endpoint)
    assert looked_at >= set(ASKED)


def test_people_see_stars_where_it_is(scene: Scene) -> None:
    scene.server.get(POLL, dict(scene.proved))
    with logged_in(scene.server, "ada") as visitor:
        until(lambda: "config add FILLED /word *** /coded ***" in visitor.get(f"/devices/{SERIAL}?script=now").text)
        page = visitor.get(f"/devices/{SERIAL}?script=now").text
        for line in ("config add PLAIN /x y", "config add COMPUTED /word ***"):
            assert line in page
        assert "config add SEALED" not in page
        backup = visitor.get(f"/backups/{SERIAL}/latest").text
        assert "config change NOTE /note *** /coded ***" in backup


def test_nobody_is_told_how_long_it_is(scene: Scene) -> None:
    length = len(f"config add SEALED /word {SECRET}\nconfig add OTHER\n".encode())
    with logged_in(scene.server, "vera") as visitor:
        page = visitor.get("/configuration").text
    assert page.count(">encrypted</td>") == 2
    assert f">{length}</td>" not in page


def test_no_answer_to_a_program_has_it(scene: Scene) -> None:
    asked = 0
    with Visitor(scene.server) as program:
        for name in ("vera", "ada"):
            program.headers["Authorization"] = f"Bearer {add_key(scene.site, name)}"
            for endpoint, method, path in routes(scene.site):
                if method == "GET" and (path.startswith("/api/") or path == "/metrics") and endpoint not in RAW:
                    for query in ("", *ASKED.get(endpoint, ())):
                        response = program.get(f"{filled(path, scene.values)}?{query}")
                        assert_clean(response, path)
                        asked += response.status_code == 200
    assert asked > 10


def test_git_has_only_what_is_encrypted_and_so_has_the_disk(scene: Scene, tmp_path: Path) -> None:
    url = f"http://olga:{add_key(scene.site, 'olga')}@127.0.0.1:{scene.server.port}/git/config.git"
    subprocess.run(["git", "clone", "-q", url, tmp_path / "clone"], check=True, capture_output=True)
    content = (tmp_path / "clone" / SEALED).read_bytes()
    assert content.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
    log = subprocess.run(["git", "-C", tmp_path / "clone", "log", "-p"], check=True, capture_output=True).stdout
    assert MARK.encode() not in log
    backups = scene.site.path / "backups.git"
    for path in scene.site.path.rglob("*"):
        if (
            path.is_file()
            and backups not in path.parents
            and "inbox" not in path.parts
            and "gitupd.db" not in path.name
        ):
            assert MARK.encode() not in path.read_bytes(), path
    assert MARK.encode() not in (scene.site.path / "gitupd.db").read_bytes()


def test_neither_the_log_nor_a_process_has_it(scene: Scene) -> None:
    assert MARK not in scene.server.log.read_text()
    for process in scene.server.children():
        for what in ("cmdline", "environ"):
            assert MARK.encode() not in Path(f"/proc/{process}/{what}").read_bytes()
    assert not [entry for entry in scene.site.audit.entries(1000) if MARK in f"{entry.subject} {entry.detail}"]
