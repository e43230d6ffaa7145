"""Roll-outs that the PHP server had begun: what its files and its status come to."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority, Validity, new_key

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.service.creating import import_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site
    from gitupd.store.certificates.rollouts import RolloutRecord

RECORDED = json.loads((Path(__file__).parents[2] / "importer/rollouts.json").read_text("utf-8"))
SN: str = RECORDED["serial"]
SERIAL = parse_serial(SN)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
CONFIGURATION = """<config>
<master info=""/><status dir="status"/>
<customcerts dir="certs" CAname="Test Device CA"/>
<queries><query id="certificates"><applies>*</applies></query><query id="admin"><applies>*</applies></query></queries>
</config>
"""
AUTHORITY = Authority.root("Test Device CA")
VALID = Validity(NOW - timedelta(days=1), NOW + timedelta(days=400))


class Installed:
    """An installation of the PHP server in which one device, or several, are at some state."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sites: list[Site] = []
        self.write("config/user-config.xml", CONFIGURATION)
        self.write("scripts/update-all-default.txt", "config add X /x")

    def write(self, path: str, content: str | bytes | dict[str, str]) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = bytes.fromhex(content["hex"])
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def at(self, state: str) -> Installed:
        for path, content in RECORDED["states"][state].items():
            self.write(path, content)
        return self

    def imported(self) -> tuple[Site, list[str]]:
        site, _, notes = import_site(self.root, self.root.parent / "site", who="vera", now=NOW)
        self.sites.append(site)
        ours = [str(note) for note in notes if str(note).startswith(("certs/", "status/"))]
        return site, ours


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    made = Installed(tmp_path / "php")
    yield made
    for site in made.sites:
        site.close()


def record(site: Site, sn: str = SN) -> RolloutRecord | None:
    return site.rollouts.of(parse_serial(sn))


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("told to make a request", Stage.LOOK_AGAIN),
        ("makes it", Stage.BUSY),
        ("has made it", Stage.FETCH),
        ("request fetched", Stage.SIGNING),
        ("certificate signed", Stage.INSTALL),
        ("sent its certificate", Stage.LOOK_AGAIN),
        ("has its certificate", Stage.GOOD),
    ],
)
def test_each_state_goes_on_with_the_step_that_is_next(installed: Installed, state: str, stage: Stage) -> None:
    site, notes = installed.at(state).imported()
    assert notes == []
    found = record(site)
    assert found is not None
    assert found.stage is stage


def test_times_are_those_of_files_and_status(installed: Installed) -> None:
    installed.at("sent its certificate")
    times = {"request.p10.der": 1_700_000_000, "signedrequest.cer": 1_710_000_000}
    for end, at in times.items():
        touch(installed.root / f"certs/{SN}-{end}", at)
    found = record(installed.imported()[0])
    assert found is not None
    rollout = found.rollout
    assert rollout.request_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert rollout.signed_at == datetime.fromtimestamp(1_710_000_000, UTC)
    assert rollout.signed_by == "vera, by the import"
    assert (rollout.look_again, rollout.installations) == (True, 1)
    assert rollout.installed == datetime.fromtimestamp(1795997795, UTC)
    assert [x509.load_der_x509_certificate(each).subject.rfc4514_string() for each in rollout.signed] == [
        "L=x,O=My Org & Co,OU=IP222-46-0a-f2,CN=009033460af2"
    ]
    assert found.expires == datetime(2041, 12, 31, tzinfo=UTC)


def touch(path: Path, at: int) -> None:
    os.utime(path, (at, at))


def test_a_request_as_text_is_enough(installed: Installed) -> None:
    installed.at("request fetched")
    (installed.root / f"certs/{SN}-request.p10.der").write_bytes(b"cut off")
    site, notes = installed.imported()
    assert notes == [f"certs/{SN}-request.p10.der: warning: left out: that is no signing request"]
    found = record(site)
    assert found is not None
    assert (found.stage, found.rollout.request) == (Stage.SIGNING, request_of("request fetched"))


def request_of(state: str) -> bytes:
    return bytes.fromhex(RECORDED["states"][state][f"certs/{SN}-request.p10.der"]["hex"])


def test_an_error_that_the_device_reports_is_told(installed: Installed) -> None:
    installed.at("request fetched")
    status = installed.root / f"status/{SN}.xml"
    status.write_text(status.read_text().replace("</info></certificates>", "<request-error/></info></certificates>"))
    installed.write(f"certs/{SN}-requesterror", "certificate%20does%20not%20match")
    site, notes = installed.imported()
    assert notes == []
    found = record(site)
    assert found is not None
    assert (found.stage, found.error) == (Stage.FAILED, "certificate%20does%20not%20match")
    assert found.rollout.request is not None


def test_an_error_that_is_over_is_named(installed: Installed) -> None:
    installed.at("request fetched").write(f"certs/{SN}-requesterror", "old")
    site, notes = installed.imported()
    assert notes == [f"certs/{SN}-requesterror: warning: left out: the device reports no error any more"]
    assert record(site).error == ""  # type: ignore[union-attr] - it is there


@pytest.mark.parametrize("state", ["has its certificate", "told to make a request"])
def test_files_of_a_request_that_the_device_no_longer_has_are_named(installed: Installed, state: str) -> None:
    before = dict(RECORDED["states"]["sent its certificate"])
    for path, content in before.items():
        installed.write(path, content)
    site, notes = installed.at(state).imported()
    ends = ("request.p10.der", "request.p10.pem", "signedrequest.cer")
    names = ", ".join(f"{SN}-{end}" for end in ends)
    assert notes == [f"certs/: warning: 3 left out: its device has no such request any more: {names}"]
    assert record(site).rollout.request is None  # type: ignore[union-attr] - it is there


def signed_by(authority: Authority, request: bytes, valid: Validity = VALID) -> bytes:
    return authority.answer(request, valid).public_bytes(Encoding.PEM)


def request_for(name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(new_key(), SHA256()).public_bytes(Encoding.DER)


SIGNED: dict[str, tuple[Any, str]] = {
    "of another authority": (lambda: signed_by(Authority.root("Rogue"), request_of("request fetched")), "'Rogue'"),
    "for another key": (lambda: signed_by(AUTHORITY, request_for("x")), "is not for the key"),
    "expired": (
        lambda: signed_by(
            AUTHORITY, request_of("request fetched"), Validity(NOW - timedelta(days=9), NOW - timedelta(days=1))
        ),
        "not now",
    ),
    "no certificate": (lambda: b"FAKECERT", "that is no certificate"),
}


@pytest.mark.parametrize("what", SIGNED)
def test_a_certificate_that_does_not_fit_is_named_and_the_request_still_waits(installed: Installed, what: str) -> None:
    content, reason = SIGNED[what]
    installed.at("request fetched").write("certs/CAkey1.pem", AUTHORITY.pem)
    installed.write(f"certs/{SN}-signedrequest.cer", content())
    site, (note,) = installed.imported()
    assert note.startswith(f"certs/{SN}-signedrequest.cer: warning: left out: ")
    assert reason in note
    found = record(site)
    assert found is not None
    assert (found.stage, found.rollout.signed) == (Stage.SIGNING, ())


def test_what_a_device_must_not_have_signed_is_left_out(installed: Installed) -> None:
    installed.at("has made it")
    installed.write(f"certs/{SN}-request.p10.der", request_for("00-90-33-46-0a-f3".replace("-", "")))
    site, (note,) = installed.imported()
    assert "it is for '009033460af3', which is another device" in note
    assert record(site).stage is Stage.FETCH  # type: ignore[union-attr] - it is there


def test_a_certificate_without_a_request_is_named(installed: Installed) -> None:
    installed.at("has made it").write(f"certs/{SN}-signedrequest.cer", AUTHORITY.pem)
    _, notes = installed.imported()
    assert notes == [
        f"certs/{SN}-signedrequest.cer: warning: left out: there is no request for which it could have been signed"
    ]


def test_a_request_of_a_device_without_status_is_kept_and_named(installed: Installed) -> None:
    installed.at("request fetched")
    (installed.root / f"status/{SN}.xml").unlink()
    site, (note,) = installed.imported()
    assert note.startswith("certs/: warning: 2 kept, and used once its device polls, of which no status is there: ")
    found = record(site)
    assert found is not None
    assert (found.stage, found.rollout.request) == (Stage.UNKNOWN, request_of("request fetched"))


def test_two_spellings_of_one_serial_number_are_one_device(installed: Installed) -> None:
    installed.at("request fetched")
    touch(installed.write(f"certs/{SN.upper()}-request.p10.der", b"older"), 1_000_000_000)
    site, notes = installed.imported()
    told = f"left out: certs/{SN}-request.p10.der is later, and of the same device"
    assert notes == [f"certs/{SN.upper()}-request.p10.der: warning: {told}"]
    assert record(site).stage is Stage.SIGNING  # type: ignore[union-attr] - it is there


def test_without_a_folder_of_status_nothing_is_rolled_out_and_the_files_are_named(installed: Installed) -> None:
    installed.at("request fetched").write("config/user-config.xml", CONFIGURATION.replace('<status dir="status"/>', ""))
    site, notes = installed.imported()
    assert record(site) is None
    (note,) = [note for note in notes if note.startswith("certs/")]
    assert "count where <customcerts> and <status> have a dir" in note
    assert f"{SN}-request.p10.der, {SN}-request.p10.pem" in note
