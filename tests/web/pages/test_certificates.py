"""The page of certificates: who waits for whom, and what people do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority, signing_request
from support.serving import Server, serving
from support.visitors import add_person, answer, logged_in, shown

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

SN = "00-90-33-30-00-af"
SERIAL, FAILED, GOOD = parse_serial(SN), parse_serial("0090333000b0"), parse_serial("0090333000b1")
AUTHORITY = Authority.root("Our CA")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A site with a request that waits, a roll-out that failed, and a certificate that is good for ten days."""
    site, first = create_site(tmp_path / "site", who="test", now=now())
    files = dict(site.config.files(first.commit)) | {"certificates/CAkey.pem": AUTHORITY.pem}
    files |= {"policies/certificates.yaml": b"enabled: true\nauthorities: [Our CA]\n"}
    deploy(site, site.config.commit_files(files, "Certificates", "Ada <ada@example.org>"), who="test", now=now())
    request = signing_request(SERIAL.digits)
    site.rollouts.change(SERIAL, now(), lambda rollout: rollout.uploaded(request, now()))
    site.rollouts.note(SERIAL, Need(Stage.SIGNING, "Its request waits."), now(), None, site.rollouts.of(SERIAL))
    site.rollouts.fail(FAILED, "<b>no match</b>", now())
    site.rollouts.note(FAILED, Need(Stage.FAILED, "It reports an error."), now(), None, site.rollouts.of(FAILED))
    site.rollouts.note(GOOD, Need(Stage.GOOD, "It is good."), now(), now() + timedelta(days=10), None)
    for name, role in (("vera", Role.VIEWER), ("otto", Role.OPERATOR)):
        add_person(site, name, role)
    yield site
    site.close()


@pytest.fixture
def server(place: Site) -> Iterator[Server]:
    with serving(place.path) as running:
        running.ready()
        yield running


def test_who_waits_for_whom_stands_at_the_top(server: Server) -> None:
    with logged_in(server, "vera") as vera:
        page = vera.get("/certificates").text
        assert answer(page) == (
            "1 request waits for a signature. 1 roll-out has failed. 1 certificate is good. 1 expires within 30 days."
        )
        assert SN in page
        assert "&lt;b&gt;no match" in page
        assert str(GOOD) in page.partition('id="expiring"')[2]
        assert "Hand it in" not in page
        assert str(GOOD) in vera.get("/certificates?stage=good").text.partition('id="expiring"')[0]
        assert vera.get(f"/certificates/{SN}/request").status_code == 403


def test_a_request_is_downloaded_and_its_certificate_handed_in(place: Site, server: Server) -> None:
    with logged_in(server, "otto") as otto:
        request = otto.get(f"/certificates/{SN}/request")
        assert request.headers["content-disposition"] == f'attachment; filename="{SN}.csr"'
        asked = x509.load_pem_x509_csr(request.content).public_bytes(Encoding.DER)
        signed = AUTHORITY.answer(asked)
        otto.submit(f"/certificates/{SN}/upload", {"text": AUTHORITY.pem.decode()}, page="/certificates")
        assert "not taken: the certificate ('Our CA') is not for the key" in shown(otto.get("/certificates").text)
        pem = signed.public_bytes(Encoding.PEM).decode()
        otto.submit(f"/certificates/{SN}/upload", {"text": pem}, page="/certificates")
        assert f"{SN} installs its certificate when it polls next." in shown(otto.get("/certificates").text)
    record = place.rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.signed == (signed.public_bytes(Encoding.DER),)
    assert record.rollout.signed_by == "otto"


def test_one_that_failed_is_started_over(place: Site, server: Server) -> None:
    with logged_in(server, "otto") as otto:
        assert otto.submit(f"/certificates/{FAILED}/restart", page="/certificates").status_code == 303
        assert f"{FAILED} starts over when it polls next." in shown(otto.get("/certificates").text)
    record = place.rollouts.of(FAILED)
    assert record is not None
    assert record.rollout.start_over


def test_without_a_roll_out_the_page_says_how_to_begin(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    add_person(site, "vera", Role.VIEWER)
    site.close()
    with serving(tmp_path / "site") as server, logged_in(server, "vera") as vera:
        server.ready()
        page = vera.get("/certificates").text
        assert answer(page) == "Devices keep the certificates that they have."
        assert "policies/certificates.yaml" in page
