"""The files for TLS are taken over as a whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from support.authorities import Authority, rsa_key, self_signed

from gitupd.errors import SiteError
from gitupd.listeners import KeyPair, TlsSettings
from gitupd.web.tls.files import TlsFiles

if TYPE_CHECKING:
    from pathlib import Path

    from support.authorities import Issued


def put(site: Path, issued: Issued, pair: KeyPair | None = None) -> None:
    pair = pair or KeyPair()
    for path, content in ((site / pair.certificate, issued.bundle), (site / pair.key, issued.key_pem)):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def names(files: TlsFiles) -> list[tuple[str, ...]]:
    return [certificate.names for certificate, _ in files.material.pairs]


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    put(tmp_path, Authority.root("R").issuing("I").server("one.example"))
    return TlsFiles(TlsSettings(), tmp_path)


def test_nothing_happens_while_they_stay_as_they_are(files: TlsFiles) -> None:
    before = files.material
    assert not files.has_changed()
    assert files.material is before


def test_a_new_pair_is_taken_over(files: TlsFiles, tmp_path: Path) -> None:
    put(tmp_path, self_signed("two.example", key=rsa_key()))
    assert files.has_changed()
    assert files.trouble is None
    assert names(files) == [("two.example",)]


def test_a_link_that_leads_elsewhere_is_a_change(files: TlsFiles, tmp_path: Path) -> None:
    """As with certbot."""
    put(tmp_path, self_signed("two.example"), KeyPair("two.pem", "two.key"))
    for path, new in ((tmp_path / "tls/server.pem", "two.pem"), (tmp_path / "tls/server.key", "two.key")):
        path.unlink()
        path.symlink_to(tmp_path / new)
    assert files.has_changed()


KEYS = {
    "gone": None,
    "empty": b"",
    "cut off": b"-----BEGIN PRIVATE KEY-----\nMIG",
    "of another certificate": self_signed("x").key_pem,
    "with a password": rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
    "of a kind that devices don't know": Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ),
    "no text": os.urandom(200),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_does_not_fit_leaves_all_as_it_was(files: TlsFiles, tmp_path: Path, kind: str) -> None:
    before, path = files.material, tmp_path / "tls/server.key"
    good, bad = path.read_bytes(), KEYS[kind]
    path.unlink() if bad is None else path.write_bytes(bad)
    assert not files.has_changed()
    assert files.material is before
    assert str(path) in str(files.trouble)
    assert not files.has_changed()  # and it is told once
    path.write_bytes(good)
    assert files.has_changed()
    assert files.trouble is None


@pytest.mark.parametrize(
    "content",
    [b"", b"-----BEGIN CERTIFICATE-----\nMIG", os.urandom(200), None],
    ids=["empty", "cut off", "noise", "gone"],
)
def test_a_certificate_that_is_none_leaves_all_as_it_was(
    files: TlsFiles, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "tls/server.pem"
    path.unlink() if content is None else path.write_bytes(content)
    assert not files.has_changed()
    assert str(path) in str(files.trouble)
    with pytest.raises(SiteError, match=str(path)):
        TlsFiles(TlsSettings(), tmp_path)


def test_authorities_come_and_go(files: TlsFiles, tmp_path: Path) -> None:
    trust = tmp_path / "trust"
    trust.mkdir()
    assert not files.has_changed()
    (trust / "two.pem").write_bytes(Authority.root("A").pem + Authority.root("B").pem)
    (trust / "wrong.pem").write_bytes(b"nothing")
    (trust / "no.txt").write_bytes(b"nothing")
    assert files.has_changed()
    assert len(files.material.authorities) == 2
    (trust / "two.pem").unlink()
    assert files.has_changed()
    assert files.material.authorities == ()
