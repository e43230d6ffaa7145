"""Roll-outs of certificates on the command line."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Authority, new_key, signing_request

from gitupd.cli.main import cli
from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

SN = "00-90-33-30-00-af"
SERIAL = parse_serial(SN)
AUTHORITY = Authority.root("Our CA")
KEY = new_key()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made, first = create_site(tmp_path / "site", who="test", now=now())
    files = dict(made.config.files(first.commit)) | {"certificates/CAkey.pem": AUTHORITY.pem}
    files["policies/certificates.yaml"] = b"enabled: true\nauthorities: [Our CA]\n"
    made.config.commit_files(files, "Certificates", "Test <test@localhost>")
    deploy(made, "main", who="test", now=now())
    request = signing_request(SERIAL.digits, KEY)
    made.rollouts.note(SERIAL, Need(Stage.FETCH, "It has made a request."), now(), None, None)
    made.rollouts.change(SERIAL, now(), lambda rollout: rollout.uploaded(request, now()))
    made.rollouts.note(SERIAL, Need(Stage.SIGNING, "Its request waits.\x1b[31m"), now(), None, made.rollouts.of(SERIAL))
    made.rollouts.note(parse_serial("0090333000b0"), Need(Stage.GOOD, "It is good."), now(), None, None)
    yield made
    made.close()


def gitupd(site: Site, *arguments: object) -> Result:
    return CliRunner().invoke(cli, ["certificates", *map(str, arguments), "--site", str(site.path)])


def test_who_waits_is_listed(site: Site) -> None:
    listed = gitupd(site, "list")
    assert (listed.exit_code, listed.stderr) == (0, "1 device\n")
    assert SN in listed.stdout
    assert "signing" in listed.stdout
    assert "\x1b" not in listed.stdout
    assert len(json.loads(gitupd(site, "list", "--all", "--json").stdout)) == 2
    assert [each["stage"] for each in json.loads(gitupd(site, "list", "--stage", "good", "--json").stdout)] == ["good"]


def test_one_is_told_with_how_it_goes_on(site: Site) -> None:
    facts = json.loads(gitupd(site, "show", SN, "--json").stdout)
    assert facts["request"]["common_name"] == SERIAL.digits
    assert f"gitupd certificates upload {SN} FILE" in facts["next"]
    assert f"gitupd certificates upload {SN} FILE" in gitupd(site, "show", SN).stdout


def test_a_request_is_signed_elsewhere_and_handed_in(site: Site, tmp_path: Path) -> None:
    request = tmp_path / "phone.csr"
    assert gitupd(site, "request", SN, request).exit_code == 0
    assert gitupd(site, "request", SN).stdout.encode() == request.read_bytes()
    verified = subprocess.run(["openssl", "req", "-verify", "-noout", "-in", request], capture_output=True, check=True)
    assert b"OK" in verified.stdout + verified.stderr
    signed = tmp_path / "phone.pem"
    asked = x509.load_pem_x509_csr(request.read_bytes()).public_bytes(Encoding.DER)
    signed.write_bytes(AUTHORITY.answer(asked).public_bytes(Encoding.PEM))
    assert gitupd(site, "upload", SN, signed).stdout == f"{SN} installs it when it polls next\n"
    record = site.rollouts.of(SERIAL)
    assert record is not None
    assert len(record.rollout.signed) == 1
    assert [entry.kind for entry in site.audit.entries(1)] == ["certificate-upload"]


def test_what_does_not_fit_is_refused(site: Site, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_bytes(AUTHORITY.device(SERIAL.digits).certificate.public_bytes(Encoding.PEM))
    refused = gitupd(site, "upload", SN, wrong)
    assert isinstance(refused.exception, GitupdError)
    assert "not for the key" in str(refused.exception)


def test_a_device_is_started_over(site: Site) -> None:
    assert gitupd(site, "restart", SN).stdout == f"{SN} starts over when it polls next\n"
    record = site.rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.start_over
    assert [entry.kind for entry in site.audit.entries(1)] == ["certificate-restart"]


@pytest.mark.parametrize("command", ["show", "request", "restart"])
def test_a_device_that_nobody_knows_is_named(site: Site, command: str) -> None:
    unknown = gitupd(site, command, "00-90-33-30-00-b1")
    assert isinstance(unknown.exception, GitupdError)
    assert "00-90-33-30-00-b1" in str(unknown.exception)


def test_requests_go_out_and_certificates_come_back_in_any_number(site: Site, tmp_path: Path) -> None:
    other = parse_serial("0090333000b1")
    site.rollouts.note(other, Need(Stage.FETCH, "It has made a request."), now(), None, None)
    site.rollouts.change(
        other, now(), lambda rollout: rollout.uploaded(signing_request(other.digits, KEY), now())
    )  # of the same key
    assert gitupd(site, "requests", tmp_path / "out").stderr == f"2 requests in {tmp_path / 'out'}\n"
    (tmp_path / "back").mkdir()
    for number, path in enumerate(sorted((tmp_path / "out").iterdir())):
        request = x509.load_pem_x509_csr(path.read_bytes()).public_bytes(Encoding.DER)
        signed = AUTHORITY.answer(request).public_bytes(Encoding.DER if number else Encoding.PEM)
        (tmp_path / f"back/{number}.cer").write_bytes(signed)
    (tmp_path / "back/other.cer").write_bytes(AUTHORITY.pem)
    collected = gitupd(site, "collect", tmp_path / "back")
    assert collected.stdout.splitlines() == [
        f"{serial} installs {tmp_path / 'back'}/{number}.cer when it polls next"
        for number, serial in enumerate((SERIAL, other))
    ]
    assert collected.stderr == f"{tmp_path / 'back/other.cer'} was not taken: no request waits that has its key\n"
    assert str(collected.exception) == "1 file was not taken"
    assert site.rollouts.counts() == {Stage.INSTALL: 2, Stage.GOOD: 1}
    assert "No such file" in str(gitupd(site, "collect", tmp_path / "nowhere").exception)


def found(site: Site, *arguments: str) -> Result:
    return gitupd(site, "init", "--name", "Example", "--key", "ecdsa-p256", *arguments)


def test_an_authority_is_made_and_told(site: Site) -> None:
    made = found(site)
    assert made.exit_code == 0, made.output
    passphrase = made.stdout.splitlines()[2].strip()
    assert len(passphrase.replace("-", "")) == 26
    assert 'authorities: ["Example Issuing CA", "Example Root CA"]\nsigning: authority' in made.stdout
    assert made.stdout.count("-----BEGIN CERTIFICATE-----") == 2
    facts = json.loads(gitupd(site, "authority", "--json").stdout)
    assert (facts["issuing"]["name"], facts["root_key_is_here"], facts["troubles"]) == ("Example Issuing CA", True, [])
    assert "Example Root CA" in gitupd(site, "authority").stdout
    assert gitupd(site, "crl").stdout.startswith("-----BEGIN X509 CRL-----")
    assert x509.load_der_x509_crl(gitupd(site, "crl", "--der").stdout_bytes).is_signature_valid(
        site.authority.all()[0].reading.parsed.public_key()  # type: ignore[arg-type] # ours
    )
    again = found(site)
    assert isinstance(again.exception, GitupdError)
    assert "--again" in str(again.exception)


def test_what_belongs_into_the_configuration_is_committed_or_written(site: Site, tmp_path: Path) -> None:
    assert "committed as" in found(site, "--commit").stdout
    files = site.config.files(site.config.head("main"))
    assert b'"Example Root CA", "Our CA"' in files["policies/certificates.yaml"]
    assert "has all of it already" in gitupd(site, "authority", "--commit").stderr
    folder = tmp_path / "checked-out"
    command = ["git", "clone", "--quiet", site.path / "config.git", folder]
    subprocess.run(command, check=True)
    (folder / "certificates/CAkey-01.pem").unlink()
    assert gitupd(site, "authority", "--into", folder).stdout == f"{folder}/certificates/CAkey-01.pem\n"


def test_another_authority_below_the_same_root(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery\n")
    assert "passphrase" not in found(site, "--root-passphrase-file", str(file)).stdout
    (site.path / "authority/1/root.key").rename(tmp_path / "root.key")
    missing = found(site, "--again", "--root-passphrase-file", str(file))
    assert "say where it is" in str(missing.exception)
    unasked = found(site, "--again")
    assert "nobody can be asked" in str(unasked.exception)
    place = ("--root-passphrase-file", str(file), "--root-key", str(tmp_path / "root.key"))
    assert "Example Issuing CA 2 signs" in found(site, "--again", "--stolen", *place).stdout


def test_an_authority_is_taken_over(site: Site, tmp_path: Path) -> None:
    files = AUTHORITY.issued.files(tmp_path, "ours")
    made = gitupd(site, "init", "--import-certificate", files.certificate, "--import-key", files.key)
    assert "Our CA signs for devices" in made.stdout


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("init", "--import-key", __file__), "belong together"),
        (("init", "--stolen"), "belong to --again"),
        (("init", "--commit", "--into", "."), "not both"),
        (("authority", "--commit", "--into", "."), "not both"),
        (("init", "--again", "--import-key", __file__, "--import-certificate", __file__), "not both"),
        (("approve",), "name devices, or say --all"),
        (("approve", SN, "--all"), "name devices, or say --all"),
        (("revoke", "--reason", "x"), "name devices, or certificates"),
        (("revoke", SN), "--reason"),
    ],
)
def test_wrong_usage(site: Site, arguments: tuple[str, ...], fault: str) -> None:
    wrong = gitupd(site, *arguments)
    assert wrong.exit_code == 2
    assert fault in wrong.stderr


def test_a_site_without_an_authority_says_so(site: Site) -> None:
    for command in ("authority", "crl"):
        assert isinstance(gitupd(site, command).exception, GitupdError)


def test_requests_are_approved_rejected_and_certificates_revoked(site: Site) -> None:
    found(site, "--commit")
    deploy(site, "main", who="test", now=now())
    other = parse_serial("0090333000b1")
    site.rollouts.change(other, now(), lambda rollout: rollout.uploaded(signing_request(other.digits), now()))
    rejected = gitupd(site, "reject", str(other), "--reason", "nobody knows it")
    assert (rejected.exit_code, rejected.stdout) == (0, f"{other}  rejected: rejected\n")
    approved = gitupd(site, "approve", "--all")
    assert approved.exit_code == 0
    assert f"{SN}  signed: " in approved.stdout
    failed = json.loads(gitupd(site, "approve", SN, str(other), "--json").stdout)
    assert [each["done"] for each in failed] == [False, False]
    assert gitupd(site, "approve", SN).exit_code == 1
    (entry,) = site.issued.of(SERIAL)
    assert gitupd(site, "revoke", "--number", entry.number, "--reason", "lost").exit_code == 0
    assert gitupd(site, "revoke", SN, "--reason", "lost").exit_code == 1
    assert "start over" in json.loads(gitupd(site, "show", SN, "--json").stdout)["next"]
