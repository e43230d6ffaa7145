"""The page of certificates: who waits for whom, and what people do about it."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority, signing_request
from support.fleets import fill
from support.rollouts import fill_rollouts
from support.serving import Server, serving
from support.visitors import RECENTLY, Visitor, add_person, answer, logged_in, shown

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.core.device import Device
from gitupd.core.people.audit import Kind
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.caller import Serial
    from gitupd.service.site import Site
    from gitupd.store.certificates.rollouts import RolloutRecord

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


def table(visitor: Visitor, query: str = "", language: str = "en", between: str = ",") -> list[dict[str, str]]:
    response = visitor.get(f"/certificates.csv{query}", headers={"Accept-Language": language})
    assert response.headers["Content-Disposition"] == 'attachment; filename="certificates.csv"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""), delimiter=between))


def test_the_list_is_a_table_for_spreadsheets_too(server: Server, place: Site) -> None:
    place.inventory.save_sightings([Device(FAILED, model="IP222", own_name="=1+1", first_seen=now(), last_seen=now())])
    with logged_in(server, "vera") as vera:
        signing, failed = table(vera)
        assert (signing["serial number"], signing["stage"], signing["why"]) == (SN, "signing", "Its request waits.")
        assert signing["since (UTC)"][:13] == f"{record(place, SERIAL).stage_at.astimezone(UTC):%Y-%m-%d %H}"
        assert signing["request for"] == SERIAL.digits
        assert (failed["name"], failed["type"], failed["reported error"]) == ("'=1+1", "IP222", "<b>no match</b>")
        assert (failed["request for"], failed["certificate ends (UTC)"]) == ("", "")
        (good,) = table(vera, "?stage=good")
        assert good["certificate ends (UTC)"]
        page = html.unescape(vera.get("/certificates?stage=failed&stage=good&q=IP222").text)
        link = re.search(r'class="csv" href="/certificates.csv([^"]*)"', page)
        assert [row["serial number"] for row in table(vera, link[1])] == [str(FAILED)]
        assert table(vera, "", "de", ";")[0]["Schritt"] == "signing"
        assert vera.get("/certificates.csv?week=nonsense").status_code == 400
        assert vera.get("/certificates.csv?q=nope:1").status_code == 400


def record(site: Site, serial: Serial) -> RolloutRecord:
    found = site.rollouts.of(serial)
    assert found is not None
    return found


def test_who_waits_for_whom_stands_at_the_top(server: Server) -> None:
    with logged_in(server, "vera") as vera:
        page = vera.get("/certificates").text
        assert answer(page).replace("yesterday", "today") == (
            "1 request waits for a signature, since today; 1 roll-out has failed; "
            "1 certificate ends in the next 30 days. "
            "1 is good. Requests are signed by hand: download them, and hand the certificates in."
        )
        assert f"Its request is for {SERIAL.digits}; by whom it was uploaded is not proved." in shown(page)
        assert "&lt;b&gt;no match" in page
        assert "The device could not make its request, or did not take its certificate." in page
        assert "Hand certificates in" not in page
        assert 'name="sn"' not in page
        assert str(GOOD) not in page
        assert str(GOOD) in vera.get("/certificates?stage=good").text
        for path in (f"{SN}/request", "requests.zip", "history"):
            assert vera.get(f"/certificates/{path}").status_code == 403


def listed(page: str) -> list[str]:
    return re.findall(r'class="sn" href="/devices/([0-9a-f-]+)"', page)


def test_weeks_lead_to_the_certificates_that_end_in_them(place: Site, server: Server) -> None:
    ends = {"0090333000c0": -3, "0090333000c1": 20, "0090333000c2": 400}
    for digits, days in ends.items():
        until = now() + timedelta(days=days)
        place.rollouts.note(parse_serial(digits), Need(Stage.GOOD, "It is good."), now(), until, None)
    with logged_in(server, "vera") as vera:
        page = vera.get("/certificates").text
        links = [html.unescape(link) for link in re.findall(r'href="(/certificates\?week=[^"]+)"', page)]
        found = {serial: link for link in links for serial in listed(vera.get(link).text)}
        assert len(links) == 4, "weeks without any have no link"
        assert found.keys() == {str(GOOD), *map(str, map(parse_serial, ends))}
        assert found[str(parse_serial("0090333000c0"))].endswith("=ended")
        assert found[str(parse_serial("0090333000c2"))].endswith("=later")
        assert len(set(found.values())) == 4
        assert "1 certificate has ended" in answer(page)
        wrong = shown(vera.get("/certificates?week=2026-W99").text)
        assert "'2026-W99' is no week, such as 2026-W49." in wrong


def test_filters_and_pages_stand_in_the_address(place: Site, server: Server) -> None:
    fill(place, 130, now())
    fill_rollouts(place, 130, now())
    with logged_in(server, "vera") as vera:
        found = listed(vera.get("/certificates?q=type:IP232").text)
        assert len(found) == 22
        assert set(found) < set(listed(vera.get("/certificates?q=seen:>0m&size=200").text))
        first, second = (listed(vera.get(f"/certificates?stage=good&page={page}").text) for page in (1, 2))
        assert len(first) == 50
        assert not set(first) & set(second)
        beyond = vera.get("/certificates?stage=good&page=9")
        assert (beyond.status_code, beyond.headers["location"]) == (302, "/certificates?stage=good&page=3")
        nonsense = shown(vera.get("/certificates?q=colour:red").text)
        assert "'colour' is nothing to search by" in nonsense


def test_what_waits_comes_as_one_archive(place: Site, server: Server) -> None:
    fill(place, 40, now())
    fill_rollouts(place, 40, now())
    with logged_in(server, "otto") as otto:
        everything = otto.get("/certificates/requests.zip")
        assert everything.headers["content-disposition"] == 'attachment; filename="requests.zip"'
        with zipfile.ZipFile(io.BytesIO(everything.content)) as archive:
            assert len(archive.namelist()) == 5
            request = x509.load_pem_x509_csr(archive.read(f"{SN}.csr"))
            assert request.public_bytes(Encoding.DER) == record(place, SERIAL).rollout.request
        some = otto.get("/certificates/requests.zip?q=00-90-33-00-00-0b")
        with zipfile.ZipFile(io.BytesIO(some.content)) as archive:
            assert archive.namelist() == ["00-90-33-00-00-0b.csr"]


def test_certificates_find_their_requests_by_themselves(place: Site, server: Server) -> None:
    other = parse_serial("0090333000d0")
    place.rollouts.change(other, now(), lambda rollout: rollout.uploaded(signing_request(other.digits), now()))
    place.rollouts.note(other, Need(Stage.SIGNING, "It waits."), now(), None, place.rollouts.of(other))
    requests = [record(place, serial).rollout.request for serial in (SERIAL, other)]
    signed = [AUTHORITY.answer(request).public_bytes(Encoding.PEM) for request in requests]
    files = [("files", (f"{number}.cer", content)) for number, content in enumerate([*signed, AUTHORITY.pem, b"junk"])]
    with logged_in(server, "otto") as otto:
        token = {"csrf_token": otto.csrf("/certificates")}
        assert otto.post("/certificates/upload", data=token, files=files).status_code == 303
        said = shown(otto.get("/certificates").text)
    assert "2 certificates were taken, and installed with the next poll." in said
    assert "2 files were not taken: 2.cer: no request waits that has its key; 3.cer: that is no certificate" in said
    assert [record(place, serial).stage for serial in (SERIAL, other)] == [Stage.INSTALL] * 2


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


def test_many_start_over_once_somebody_has_agreed_to_the_number(place: Site, server: Server) -> None:
    with logged_in(server, "otto") as otto:
        question = otto.submit("/certificates/restart", {"all": "1"}, page="/certificates")
        assert answer(question.text) == "Start over with 2 devices?"
        agreed = dict(re.findall(r'name="(confirmed|seal)" value="([^"]*)"', question.text))
        place.rollouts.change(SERIAL, now(), lambda rollout: rollout.uploaded(signing_request("another"), now()))
        again = otto.submit("/certificates/restart", {"all": "1", **agreed}, page="/certificates")
        assert "Meanwhile other devices fit, or another request has come in" in shown(again.text)
        agreed = dict(re.findall(r'name="(confirmed|seal)" value="([^"]*)"', again.text))
        assert otto.submit("/certificates/restart", {"all": "1", **agreed}, page="/certificates").status_code == 303
        assert "2 devices start over when they poll next." in shown(otto.get("/certificates").text)
        nobody = otto.submit("/certificates/restart", {"all": "1", "stage": "good"}, page="/certificates")
        assert nobody.status_code == 302
        assert "No device was chosen that this could be done to." in shown(otto.get("/certificates").text)
    assert [record(place, serial).stage for serial in (SERIAL, FAILED)] == [Stage.START_OVER] * 2
    assert record(place, GOOD).stage is Stage.GOOD
    assert [entry.subject for entry in place.audit.of_kinds([Kind.CERTIFICATE_RESTART], 5)] == [str(FAILED), SN]


def test_the_history_says_who_did_what(place: Site, server: Server) -> None:
    for number in range(60):
        place.audit.add(now(), f"ada{number}", Kind.CERTIFICATE_UPLOAD, SN, "issued by Our CA")
    place.audit.add(now(), "mallory", Kind.LOGIN)
    with logged_in(server, "otto") as otto:
        page = otto.get("/certificates/history").text
        assert re.fullmatch(rf"ada59 handed in a certificate {RECENTLY}, for {SN}\.", answer(page))
        assert "mallory" not in shown(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        assert older is not None
        assert "ada0 handed in" in answer(page) or "ada0" in shown(otto.get(html.unescape(older[1])).text)


def test_a_roll_out_is_followed_step_by_step_on_the_page_of_its_device(place: Site, server: Server) -> None:
    place.inventory.save_sightings([Device(SERIAL, first_seen=now(), last_seen=now())])
    chain = '<certificate subject_cn="{0}" issuer_cn="{1}" not_before="2020-01-01" not_after="{2}"/>'
    lines = chain.format(SERIAL.digits, "Bad CA", "2090-01-01") + chain.format("Bad CA", "Our CA", "2020-02-01")
    reported = QueryAnswer("certificates", now(), f"<info><servercert>{lines}</servercert></info>")
    place.answers.save([AnsweredQuery(SERIAL, reported)])
    with logged_in(server, "otto") as otto:
        page = otto.get(f"/devices/{SN}").text
        steps = [shown(each) for each in re.findall(r"<li class=\"(?:done|now|to-come)\".*?</li>", page, re.DOTALL)]
        assert steps[2] == "●It uploads the request done"
        assert steps[3] == "◐The request is signed now"
        assert steps[4] == "○It installs the certificate to come"
        assert page.count('aria-current="step"') == 1
        assert "Somebody has its request signed, and hands the certificate in." in page
        text = shown(page)
        assert "of none of the policy's authorities" in text
        assert "has ended" in text
        pem = AUTHORITY.answer(record(place, SERIAL).rollout.request).public_bytes(Encoding.PEM).decode()
        done = otto.submit(f"/certificates/{SN}/upload", {"text": pem, "device": SN}, page=f"/devices/{SN}")
        assert done.headers["location"] == f"/devices/{SN}#rollout"
        assert "◐It installs the certificate now" in shown(otto.get(f"/devices/{SN}").text)


def test_without_a_roll_out_the_page_says_how_to_begin(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    add_person(site, "vera", Role.VIEWER)
    site.close()
    with serving(tmp_path / "site") as server, logged_in(server, "vera") as vera:
        server.ready()
        page = vera.get("/certificates").text
        assert answer(page) == "Devices keep the certificates that they have."
        assert "policies/certificates.yaml" in page
