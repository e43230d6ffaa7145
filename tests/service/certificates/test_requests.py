"""Variables that devices upload: taken if they were told to, and if they are what they should be."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from support.authorities import Authority, new_key, signing_request, usage

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Need, Stage
from gitupd.errors import MalformedRequest
from gitupd.service.certificates.requests import Dump, RequestUploads, parse_dump, read_request, value_in
from gitupd.store.certificates.rollouts import Rollouts

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SERIAL = Serial("0090333000af")
SN = "00-90-33-30-00-af"
PROOF = Authority.root("Our CA").device("IP222-30-00-af")
FILE = f"certs/{SN}-request.p10.der"


def dump(body: bytes, variable: str = "X509/REQUEST") -> Dump:
    return Dump(SERIAL, variable, body, "10.0.0.1", PROOF.der)


@pytest.fixture
def rollouts(database: Database) -> Rollouts:
    return Rollouts(database)


def test_a_request_that_was_asked_for_is_kept(rollouts: Rollouts) -> None:
    rollouts.note(SERIAL, Need(Stage.FETCH, ""), NOON, None, None)
    request = signing_request(SERIAL.digits)
    body = b"X509/OTHER p 1\r\nX509/REQUEST pb " + request.hex().encode() + b"\r\n"
    assert RequestUploads(rollouts).take(dump(body), NOON) == "signing request kept"
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.rollout.request, record.rollout.request_at) == (request, NOON)
    assert (record.rollout.request_address, record.rollout.request_proof) == ("10.0.0.1", "certificate")
    assert "CN=IP222-30-00-af" in record.rollout.names


def test_why_a_request_was_refused_is_told_until_one_is_kept(rollouts: Rollouts) -> None:
    rollouts.note(SERIAL, Need(Stage.FETCH, ""), NOON, None, None)
    for common_name, error in (("0090333000b0", "which is another device"), (SERIAL.digits, "")):
        body = b"X509/REQUEST pb " + signing_request(common_name).hex().encode()
        with suppress(MalformedRequest):
            RequestUploads(rollouts).take(dump(body), NOON)
        record = rollouts.of(SERIAL)
        assert record is not None
        assert record.error.endswith(error)
        assert bool(record.error) is (record.rollout.request is None)


def certified(*extensions: x509.ExtensionType, names: tuple[str, ...] = ("0090333000af",)) -> bytes:
    """Return a signing request with extensions that whoever signs may copy."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(new_key(), SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("request_bytes", "reason"),
    [
        (signing_request("0090333000b0"), "it is for '0090333000b0', which is another device"),
        (signing_request("0090333000B0"), "another device"),
        (signing_request("IP232-30-00-b0"), "another device"),
        (signing_request("IP232s-30-00-b0"), "another device"),
        (certified(names=("0090333000af", "IP232-30-00-b0")), "another device"),
        (certified(x509.BasicConstraints(ca=True, path_length=None)), "it is for an authority"),
        (certified(usage(authority=True)), "it is for signing certificates of others"),
    ],
)
def test_a_request_for_more_than_the_device_itself_is_refused(
    rollouts: Rollouts, request_bytes: bytes, reason: str
) -> None:
    rollouts.note(SERIAL, Need(Stage.FETCH, ""), NOON, None, None)
    with pytest.raises(MalformedRequest, match=reason):
        RequestUploads(rollouts).take(dump(b"X509/REQUEST pb " + request_bytes.hex().encode()), NOON)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.request is None


@pytest.mark.parametrize("name", ["0090333000af", "IP232-30-00-af", "IP222s-30-00-af", "Reception", "*"])
def test_a_request_may_be_for_the_device_by_any_name_that_is_nobody_elses(rollouts: Rollouts, name: str) -> None:
    rollouts.note(SERIAL, Need(Stage.FETCH, ""), NOON, None, None)
    request = certified(x509.BasicConstraints(ca=False, path_length=None), usage(), names=(name,))
    uploads = RequestUploads(rollouts)
    assert uploads.take(dump(b"X509/REQUEST pb " + request.hex().encode()), NOON) == "signing request kept"


@pytest.mark.parametrize("asked", [None, NOON - timedelta(hours=2)])
def test_a_request_that_nobody_asked_for_lately_is_not_kept(rollouts: Rollouts, asked: datetime | None) -> None:
    if asked:
        rollouts.note(SERIAL, Need(Stage.FETCH, ""), asked, None, None)
    body = b"X509/REQUEST pb " + signing_request(SERIAL.digits).hex().encode()
    assert RequestUploads(rollouts).take(dump(body), NOON).startswith("not kept")
    record = rollouts.of(SERIAL)
    assert record is None or record.rollout.request is None


@pytest.mark.parametrize(
    "body", [b"", b"X509/OTHER pb 3000", b"X509/REQUEST pb", b"\xff\xfe", b"X509/REQUESTKEY pb 00"]
)
def test_an_upload_without_the_variable_changes_nothing(rollouts: Rollouts, body: bytes) -> None:
    rollouts.note(SERIAL, Need(Stage.FETCH, ""), NOON, None, None)
    assert RequestUploads(rollouts).take(dump(body), NOON).startswith("not kept")


def test_an_error_is_kept_for_a_device_whose_roll_out_is_known(rollouts: Rollouts) -> None:
    uploads = RequestUploads(rollouts)
    assert uploads.take(dump(b"X509/REQUESTERROR p x", "X509/REQUESTERROR"), NOON).startswith("not kept")
    rollouts.note(SERIAL, Need(Stage.REQUEST, ""), NOON, None, None)
    assert uploads.take(dump(b"X509/REQUESTERROR p no%20match", "X509/REQUESTERROR"), NOON) == "error kept"
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.error == "no%20match"
    assert uploads.take(dump(b"", "X509/REQUESTERROR"), NOON) == "no error"


def test_a_request_must_be_one_and_be_signed_by_its_own_key() -> None:
    request = signing_request(SERIAL.digits)
    assert read_request(request.hex()) == request
    forged = request[:-1] + bytes([request[-1] ^ 1])
    for digits in ("3000", "zz", "0", forged.hex(), "00" * 20_000, request[:100].hex()):
        with pytest.raises(MalformedRequest):
            read_request(digits)


@pytest.mark.parametrize("sent", [SN, "0090333000AF"])
def test_the_file_is_the_one_that_the_device_was_given(sent: str) -> None:
    assert parse_dump(SERIAL, sent, "X509/REQUEST", f"certs/{sent}-request.p10.der") == "X509/REQUEST"


@pytest.mark.parametrize(
    ("variable", "file"),
    [
        ("X509/REQUEST", None),
        ("X509/REQUEST", "certs/00-90-33-30-00-b0-request.p10.der"),
        ("X509/REQUEST", f"../{FILE}"),
        ("X509/REQUEST", f"certs/{SN}-requesterror"),
        ("X509/REQUESTKEY", FILE),
        ("V", "scripts/all-all-all.txt"),
    ],
)
def test_any_other_variable_or_file_is_refused(variable: str, file: str | None) -> None:
    with pytest.raises(MalformedRequest):
        parse_dump(SERIAL, SN, variable, file)


def test_the_value_is_the_third_word_of_the_line_of_the_variable() -> None:
    assert value_in("A", b"A p 1 2\nA p 3") == "1"
    assert value_in("A", b"AB p 1\rA\tp\t2") == "2"
