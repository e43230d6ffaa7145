"""By real handshakes: whoever shows a certificate that speaks for no device, or for another, gets nothing secret."""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority, Issued, out_of_order, untrustworthy
from support.serving import Server, serving
from support.shaking import client

from gitupd.core.people.audit import Event, Kind
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERIAL, HARDWARE_ID = "00-90-33-30-00-af", "IP222-30-00-af"
POLL = f"/update.php?type=IP222&sn={SERIAL}&hwid={HARDWARE_ID}&ip=10.0.0.1&phase=update&polling=0"
UPLOADS = (f"/update.php?mode=backup&hwid={HARDWARE_ID}&sn={SERIAL}", f"/update.php?mode=query&id=admin&sn={SERIAL}")
BODY = b"config change A /x\r\n" * 20_000
CANARY = b"Cnry7"
SETTINGS = """\
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"

[[listen]]
address = "127.0.0.1:0"
tls = true
"""
ROOT = Authority.root("Root")
PLANT = ROOT.issuing("Plant")
WRONG = {name: shown for name, shown in untrustworthy(PLANT, HARDWARE_ID).items() if name != "chain missing"}
GOOD = {
    "hardware id": PLANT.device(HARDWARE_ID),
    "serial number": PLANT.device("0090333000af"),
    "out of order": out_of_order(PLANT.issuing("Line").device(HARDWARE_ID)),
    "chain missing": PLANT.device(HARDWARE_ID).alone(),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site, _ = create_site(tmp_path_factory.mktemp("untrusted") / "site", who="test", now=now())
    (site.path / "gitupd.toml").write_text(SETTINGS)
    files = {path: content for path, content in template_files().items() if not path.startswith("tests/")}
    files["policies/transport.yaml"] = b"client_certificate: required\n"
    files["snippets/all-all-all.txt"] = b"config add A /pw " + CANARY
    site.config.commit_files(files, "Demand certificates", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now(), force=True, reason="test")
    site.trust.add(ROOT.pem + PLANT.pem + PLANT.crl(), Event(now(), "test", Kind.TRUST_ADD))
    site.close()
    with serving(site.path, options=[]) as running:
        running.ready()
        yield running


def ask(port: int, folder: Path, issued: Issued | None, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    context = client(issued.files(folder, "shown") if issued else None)
    with closing(http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)) as connection:
        connection.request("GET" if body is None else "PUT", path, body=body)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("name", [None, *WRONG])
def test_who_is_not_trusted_gets_nothing_and_brings_nothing(server: Server, tmp_path: Path, name: str | None) -> None:
    shown = None if name is None else WRONG[name]
    status, script = ask(server.ports[1], tmp_path, shown, POLL)
    assert (status, CANARY in script, b"mod cmd UP1 check" in script) == (200, False, False)
    for path in UPLOADS:
        status, said = ask(server.ports[1], tmp_path, shown, path, BODY)
        assert (status, said.startswith(b"# refused: a client certificate is required; ")) == (403, True)


@pytest.mark.parametrize("name", GOOD)
def test_who_is_trusted_gets_all(server: Server, tmp_path: Path, name: str) -> None:
    status, script = ask(server.ports[1], tmp_path, GOOD[name], POLL)
    assert (status, CANARY in script) == (200, True)
    assert ask(server.ports[1], tmp_path, GOOD[name], UPLOADS[0], BODY)[0] == 200


def test_a_good_certificate_counts_only_where_it_is_asked_for(server: Server, tmp_path: Path) -> None:
    assert CANARY not in ask(server.ports[2], tmp_path, GOOD["hardware id"], POLL)[1]
    status, script = server.get(POLL)
    assert (status, CANARY in script, b"UP0 scfg" in script) == (200, False, False)


def test_nothing_is_kept_but_the_backup_of_the_trusted(server: Server, tmp_path: Path) -> None:
    for shown in (None, WRONG["expired"], GOOD["hardware id"]):
        ask(server.ports[1], tmp_path, shown, UPLOADS[0], BODY)
    with closing(Site(next(iter(server.log.parent.glob("site"))))) as site:
        assert site.backup_inbox.count() + site.backup_index.count() == 1
        assert not any(site.answers.of(device.serial) for device in site.inventory.devices())
