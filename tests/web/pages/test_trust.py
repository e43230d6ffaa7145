"""The page Trust, and what a device's page says of its certificate, with a server that asks for certificates."""

from __future__ import annotations

import http.client
import ssl
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.authorities import NOW, Authority, Issued, self_signed
from support.programs import Program
from support.serving import Server, serving
from support.visitors import add_key, add_person, answer, logged_in, shown
from support.waiting import until

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.visitors import Visitor

    from gitupd.service.site import Site

SERIAL, HARDWARE_ID = "00-90-33-30-00-af", "IP222-30-00-af"
OTHER, OTHER_ID = "00-90-33-30-00-b0", "IP222-30-00-b0"
POLL = f"/update.php?type=IP222&sn={SERIAL}&hwid={HARDWARE_ID}&ip=10.0.0.1&phase=update&polling=0"
SETTINGS = """\
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made, _ = create_site(tmp_path_factory.mktemp("trust") / "site", who="test", now=now())
    (made.path / "gitupd.toml").write_text(SETTINGS)
    files = {path: content for path, content in template_files().items() if not path.startswith("tests/")}
    files["policies/transport.yaml"] = b"client_certificate: required\n"
    made.config.commit_files(files, "Demand certificates", "Ada <ada@example.org>")
    deploy(made, "main", who="test", now=now(), force=True, reason="test")
    for name, role in (("vera", Role.VIEWER), ("olga", Role.OPERATOR), ("root", Role.ADMINISTRATOR)):
        add_person(made, name, role)
    with closing(made):
        yield made


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    with serving(site.path, options=[]) as running:
        running.ready()
        yield running


@pytest.fixture(scope="module")
def administrator(server: Server) -> Iterator[Visitor]:
    with logged_in(server, "root") as visitor:
        yield visitor


def poll(server: Server, folder: Path, issued: Issued | None, path: str = POLL) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if issued is not None:
        files = issued.files(folder)
        context.load_cert_chain(files.certificate, files.key)
    with closing(http.client.HTTPSConnection("127.0.0.1", server.ports[1], timeout=30, context=context)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def test_authorities_come_and_go_on_the_page_and_devices_notice(
    site: Site, server: Server, administrator: Visitor, tmp_path: Path
) -> None:
    root = Authority.root("Our Root")
    device = root.device(HARDWARE_ID)
    assert "it leads to no authority of this site, but to Our Root" in poll(server, tmp_path, device)
    assert "0 authorities identify devices" in answer(administrator.get("/trust").text)
    csrf = administrator.csrf("/trust")
    sent = administrator.post("/trust", data={"csrf_token": csrf}, files={"file": ("root.pem", root.pem)})
    assert sent.status_code == 303
    page = administrator.get("/trust").text
    assert "1 authority identifies devices" in answer(page)
    assert root.issued.certificate.fingerprint(root.issued.certificate.signature_hash_algorithm).hex() in page
    good = f"# good certificate (CN={HARDWARE_ID})"
    until(lambda: good in poll(server, tmp_path, device), "the server did not notice")
    revoked = root.revoke(device)
    administrator.submit("/trust", {"text": root.crl(updated=NOW).decode()}, page="/trust")
    until(lambda: "it was revoked" in poll(server, tmp_path, revoked), "the server did not notice")
    assert "Revoked certificates" in shown(administrator.get("/trust").text)
    for file in ("our-root.pem", site.trust.read().lists[0].file):
        assert administrator.submit("/trust/remove", {"file": file}, page="/trust").status_code == 303
    assert "0 authorities identify devices" in answer(administrator.get("/trust").text)
    kinds = [entry.kind for entry in site.audit.entries(20) if entry.who == "root"]
    assert kinds.count(Kind.TRUST_ADD) == kinds.count(Kind.TRUST_REMOVE) == 2


def test_what_is_no_authority_is_told_and_changes_nothing(site: Site, administrator: Visitor) -> None:
    for text in ("", "junk", Authority.root().device(HARDWARE_ID).pem.decode()):
        refused = administrator.submit("/trust", {"text": text}, page="/trust")
        assert (refused.status_code, "Nothing was changed" in refused.text) == (400, True)
    assert administrator.submit("/trust/remove", {"file": "../gitupd.toml"}, page="/trust").status_code == 400
    assert site.trust.read().authorities == ()


def test_operators_look_and_administrators_change(server: Server) -> None:
    with logged_in(server, "olga") as operator, logged_in(server, "vera") as viewer:
        page = operator.get("/trust").text
        assert "<form" not in page.partition("<main")[2]
        assert operator.submit("/trust", {"text": "x"}, page="/account").status_code == 403
        assert operator.submit("/trust/remove", {"file": "x"}, page="/account").status_code == 403
        assert viewer.get("/trust").status_code == 403
        assert 'href="/trust"' not in viewer.get("/devices").text


def test_the_page_of_a_device_says_what_it_has_shown(
    site: Site, server: Server, administrator: Visitor, tmp_path: Path
) -> None:
    plant = Authority.root("Root of plants").issuing("Plant")
    assert plant.above is not None
    site.trust.add(plant.above.pem, Event(now(), "test", Kind.TRUST_ADD))
    page, path = f"/devices/{OTHER}", POLL.replace(SERIAL, OTHER).replace(HARDWARE_ID, OTHER_ID)

    def told(issued: Issued | None, text: str) -> str:
        until(lambda: poll(server, tmp_path, issued, path) and text in shown(administrator.get(page).text), text)
        return shown(administrator.get(page).text)

    good = told(plant.device(OTHER_ID), f"good certificate (CN={OTHER_ID})")
    assert "Plant" in good
    assert "Root of plantsitself" in good
    assert "the site trusts it" in good
    assert f'certstat="good certificate (CN={OTHER_ID})"' in administrator.get(f"{page}/state.xml").text
    told(self_signed(OTHER_ID), f"it leads to no authority of this site, but to {OTHER_ID}")
    told(plant.device("IP222-99-99-99"), f"claims to be {OTHER_ID} / 0090333000b0, but identifies as IP222-99-99-99")
    told(None, "no certificate was shown: wrong port, or a proxy in between?")
    again = told(plant.device(OTHER_ID), "It shows a certificate with another key than before")
    assert "another device uses its identity" in again
    with Program(server, add_key(site, "root")) as program:
        facts = program.get(f"/devices/{OTHER}").json()
        assert facts["alarmed"] is True, facts
        assert facts["identity"], facts
        assert facts["identity"]["certificate"]["common_name"] == OTHER_ID
        assert program.get("/fleet").json()["alarmed"] >= 1
    assert "not who" in shown(administrator.get("/devices").text)
    assert OTHER in administrator.get("/devices?q=alarmed").text


def test_programs_do_the_same(site: Site, server: Server) -> None:
    root = Authority.root("For programs")
    with Program(server, add_key(site, "root")) as program:
        added = program.post("/trust", json={"pem": root.pem.decode()})
        assert (added.status_code, added.json()) == (201, {"files": ["for-programs.pem"]})
        names = [each["name"] for each in program.get("/trust").json()["authorities"]]
        assert "For programs" in names
        assert program.post("/trust", json={"pem": "junk"}).status_code == 422
        assert program.delete("/trust/for-programs.pem").status_code == 204
        assert program.delete("/trust/for-programs.pem").status_code == 404
