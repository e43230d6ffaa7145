import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.emulator.signing import LARGEST_KEY, SMALLEST_KEY, Certificate, KeyRing, read_certificate, signing_request

KEYS = KeyRing()


def openssl(*arguments: object, content: bytes = b"") -> bytes:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program")
    return subprocess.run(
        ["openssl", *map(str, arguments)], input=content, check=True, capture_output=True, timeout=30
    ).stdout


def text_of(request: bytes) -> str:
    """Verify a request's signature; return what it says."""
    options = ("-verify", "-noout", "-text", "-nameopt", "RFC2253,-esc_msb,utf8")
    return openssl("req", "-inform", "DER", *options, content=request).decode()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([("dn-cn", "009033460af2"), ("dn-ou", "IP222"), ("dn-o", "My Org & Co")], "O=My Org & Co,OU=IP222,CN=0090"),
        ([("dn-c", "DE"), ("dn-st", "Bayern"), ("dn-l", "München")], "Subject: L=München,ST=Bayern,C=DE\n"),
        ([("dn-cn", "x"), ("dn-st", ""), ("dn-o", None), ("type", "Signing request")], "Subject: CN=x\n"),
        ([("dn-c", "Germany"), ("dn-cn", "x")], "Subject: CN=x\n"),
        ([("san-ip", "10.0.0.7"), ("san-dns", "a.example"), ("san-ip", "::1")], "DNS:a.example, IP Address:10.0.0.7, "),
        ([("san-dns", ""), ("san-dns", "ü.example"), ("san-ip", "nonsense"), ("dn-cn", "x")], "Subject: CN=x\n"),
    ],
    ids=["names", "place", "nothing is said", "no country", "alternative names", "no alternative names"],
)
def test_a_request_says_what_was_ordered(options: list[tuple[str, str | None]], says: str) -> None:
    text = text_of(signing_request(KEYS.key(1024), options))
    assert says in text
    assert ("Subject Alternative Name" in text) == ("DNS:" in says)
    assert "Digital Signature, Key Encipherment" in text
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
    assert "Signature Algorithm: sha256WithRSAEncryption" in text


def test_a_key_is_made_once_for_each_size_that_devices_have() -> None:
    assert KEYS.key(1) is KEYS.key(SMALLEST_KEY)
    assert KEYS.key(2048) is KEYS.key(2049)
    assert KEYS.key(2048).secret.key_size == 2048
    assert LARGEST_KEY == 4096


def test_a_key_is_written_as_openssl_reads_it() -> None:
    key = KEYS.key(1024)
    assert openssl("rsa", "-inform", "DER", "-pubout", "-outform", "DER", content=key.private_key) == key.public_key


@pytest.mark.parametrize("kind", [["rsa:1024"], ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]], ids=["RSA", "EC"])
@pytest.mark.parametrize(("name", "common"), [("/CN=Desk/O=x", "Desk"), ("/O=x", ""), ("/CN=Grüße", "Grüße")])
def test_a_certificate_is_told_as_a_device_does(tmp_path: Path, kind: list[str], name: str, common: str) -> None:
    made = ("-x509", "-newkey", *kind, "-nodes", "-utf8", "-subj", name, "-days", "30000", "-outform", "DER")
    blob = openssl("req", *made, "-keyout", tmp_path / "key")
    until = openssl("x509", "-inform", "DER", "-noout", "-enddate", "-dateopt", "iso_8601", content=blob)
    since = openssl("x509", "-inform", "DER", "-noout", "-startdate", "-dateopt", "iso_8601", content=blob)
    dates = [line.decode().strip().partition("=")[2].rstrip("Z") for line in (since, until)]
    public_key = openssl("pkey", "-in", tmp_path / "key", "-pubout", "-outform", "DER")
    assert read_certificate(blob) == Certificate(common, common, *dates, public_key)


@given(st.binary(max_size=200))
def test_what_is_no_certificate_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_certificate(blob)
