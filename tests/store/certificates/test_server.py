"""The server's certificate: what is read of a file, and what one is like that is made by itself."""

from __future__ import annotations

import ssl
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from support.authorities import DAY, NOW, Authority, Validity

from gitupd.errors import SiteError
from gitupd.store.certificates.server import make_server_certificate, read_server_certificate, read_server_key

if TYPE_CHECKING:
    from pathlib import Path


def test_one_that_is_made_can_be_used_and_says_what_it_is(tmp_path: Path) -> None:
    certificate, key = tmp_path / "new" / "server.pem", tmp_path / "new" / "server.key"
    make_server_certificate(certificate, key, NOW)
    read = read_server_certificate(certificate)
    assert isinstance(read_server_key(key, read), RSAPrivateKey)
    assert "localhost" in read.names
    assert (read.not_after - NOW).days == 3650
    assert len(read.fingerprint.split(":")) == 32
    assert read.certificate.not_valid_before_utc == NOW - DAY
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert sorted(path.name for path in certificate.parent.iterdir()) == ["server.key", "server.pem"]
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_the_chain_and_the_names_are_those_of_the_file(tmp_path: Path) -> None:
    issued = Authority.root("R").issuing("I").server("a.example", valid=Validity(NOW - DAY, NOW + DAY))
    files = issued.files(tmp_path, "server")
    read = read_server_certificate(files.certificate)
    assert (read.certificate, read.chain, read.not_after) == (issued.certificate, issued.chain, NOW + DAY)
    assert read.names == ("a.example",)
    assert read_server_key(files.key, read).public_key() == issued.key.public_key()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=f"^{tmp_path}/x: No such file or directory$"):
        read_server_certificate(tmp_path / "x")
