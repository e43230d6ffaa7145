"""Certificates and lists that are made here, as OpenSSL sees them at its strictest."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID
from support.authorities import new_key as ec_key
from support.authorities import rsa_key, usage

from gitupd.store.certificates.making import (
    KEYS,
    DeviceNames,
    Issuer,
    RevokedEntry,
    is_fit,
    list_number,
    make_device,
    make_issuing,
    make_list,
    make_root,
    new_key,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "0090333000af")])
URL = "http://updates.example.com/certificates/crl?authority=1"


def asked(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> x509.CertificateSigningRequest:
    """Make a request that asks for more than it gets."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(SUBJECT)
    builder = builder.add_extension(usage(), critical=True)
    builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return builder.sign(key, SHA256())


@pytest.fixture(scope="module", params=["ecdsa-p256", "ecdsa-p384", "rsa-2048"])
def line(request: pytest.FixtureRequest) -> tuple[Issuer, Issuer]:
    root_key, key = new_key(request.param), new_key(request.param)
    root = make_root("Example Root CA", root_key, NOW, 7300)
    above = Issuer(root, root_key)
    return above, Issuer(make_issuing("Example Issuing CA", key, above, NOW, 3650), key)


def device(issuer: Issuer, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> x509.Certificate:
    names = DeviceNames(SUBJECT, (x509.DNSName("a.example.com"),))
    return make_device(asked(key or ec_key()), names, issuer, (NOW - DAY, NOW + 700 * DAY), URL)


def openssl(*arguments: str | Path) -> str:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def written(folder: Path, **objects: x509.Certificate | x509.CertificateRevocationList) -> dict[str, Path]:
    paths = {name: folder / f"{name}.pem" for name in objects}
    for name, each in objects.items():
        paths[name].write_bytes(each.public_bytes(Encoding.PEM))
    return paths


@pytest.mark.slow
@pytest.mark.parametrize("line", ["ecdsa-p256"], indirect=True)
def test_a_linter_of_rfc_5280_has_nothing_to_say(line: tuple[Issuer, Issuer], tmp_path: Path) -> None:
    """It is asked for all but information, such as how a key identifier was made."""
    root, issuing = line
    entry = RevokedEntry(77, NOW - DAY, x509.ReasonFlags.superseded)
    listed = make_list(issuing, [entry], 7, (NOW - DAY, NOW + DAY))
    certificates = {"root": root.certificate, "issuing": issuing.certificate, "ec": device(issuing)}
    certificates["rsa"] = device(issuing, rsa_key())
    files = written(tmp_path, list=listed, **certificates)
    runs: list[tuple[str | Path, ...]] = [("lint_pkix_cert", "lint", files[name]) for name in certificates]
    runs.append(("lint_pkix_signer_signee_cert_chain", "lint", files["issuing"], files["ec"]))
    runs.append(("lint_crl", "lint", "-t", "CRL", "-p", "PKIX", files["list"]))
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda run: linted(*run), runs)) == [""] * len(runs)


def linted(program: str | Path, *arguments: str | Path) -> str:
    """Return what a program of pkilint finds."""
    command = [sys.executable, "-m", f"pkilint.bin.{program}", *arguments, "-s", "NOTICE"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}".strip()


@pytest.mark.parametrize("purpose", ["sslclient", "sslserver"])
def test_openssl_accepts_the_chain_at_its_strictest(line: tuple[Issuer, Issuer], tmp_path: Path, purpose: str) -> None:
    root, issuing = line
    made = device(issuing)
    files = written(tmp_path, root=root.certificate, issuing=issuing.certificate, device=made)
    trusted = ("-CAfile", files["root"], "-untrusted", files["issuing"], "-purpose", purpose)
    assert "OK" in openssl("verify", "-x509_strict", *trusted, files["device"])


def test_openssl_finds_what_is_on_the_list(line: tuple[Issuer, Issuer], tmp_path: Path) -> None:
    root, issuing = line
    made = device(issuing)
    entry = RevokedEntry(made.serial_number, NOW - DAY, x509.ReasonFlags.key_compromise)
    listed = make_list(issuing, [entry], 7, (NOW - DAY, NOW + DAY))
    files = written(tmp_path, root=root.certificate, issuing=issuing.certificate, device=made, list=listed)
    trusted = ("-x509_strict", "-CAfile", files["root"], "-untrusted", files["issuing"], "-CRLfile", files["list"])
    done = subprocess.run(
        ["openssl", "verify", "-crl_check", *trusted, files["device"]], capture_output=True, text=True, check=False
    )
    assert "certificate revoked" in done.stdout + done.stderr
    text = openssl("crl", "-in", files["list"], "-noout", "-text")
    assert "Key Compromise" in text
    assert list_number(listed) == 7


def test_what_stands_in_a_certificate_is_ours_and_not_the_requests(line: tuple[Issuer, Issuer]) -> None:
    made = device(line[1])
    by_oid = {each.oid: each for each in made.extensions}
    assert by_oid.keys() == {
        *(ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE),
        *(ExtensionOID.SUBJECT_KEY_IDENTIFIER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER),
        *(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, ExtensionOID.CRL_DISTRIBUTION_POINTS),
    }
    assert by_oid[ExtensionOID.BASIC_CONSTRAINTS].critical
    assert by_oid[ExtensionOID.KEY_USAGE].critical
    assert not by_oid[ExtensionOID.BASIC_CONSTRAINTS].value.ca
    assert not by_oid[ExtensionOID.KEY_USAGE].value.key_encipherment, "nobody enciphers with ECDSA"
    assert device(line[1], rsa_key()).extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment


def test_lengths_of_paths_and_ends(line: tuple[Issuer, Issuer]) -> None:
    root, issuing = line
    lengths = [
        each.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length for each in line
    ]
    assert lengths == [1, 0]
    longer = make_issuing("Longer", issuing.key, root, NOW, 99_999)
    assert longer.not_valid_after_utc == root.certificate.not_valid_after_utc


def test_serial_numbers_are_of_chance_positive_and_not_too_long(line: tuple[Issuer, Issuer]) -> None:
    numbers = [device(line[1]).serial_number for _ in range(50)]
    assert len(set(numbers)) == 50
    assert all(2**64 < number < 2**159 for number in numbers)


def test_keys_that_are_not_signed() -> None:
    assert [is_fit(new_key(kind).public_key()) for kind in KEYS if kind != "rsa-4096"] == [True] * 4
    weak = (rsa_key(0, 1024), ec.generate_private_key(ec.SECP224R1()), ed25519.Ed25519PrivateKey.generate())
    assert [is_fit(key.public_key()) for key in weak] == [False] * 3


def test_a_list_without_a_number_counts_as_none() -> None:
    assert list_number(None) == 0
