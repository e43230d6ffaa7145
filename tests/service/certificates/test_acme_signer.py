"""An authority that speaks ACME: Debian's pebble, which signs, refuses, and looks for proofs by HTTP."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import NOW, new_key, signing_request
from support.pebble import BINDING, pebble

from gitupd.core.caller import Serial
from gitupd.service.certificates.acme_signer import AcmeSigner
from gitupd.service.certificates.handing_in import common_name
from gitupd.service.certificates.signers import SigningDelayed, SigningOrder, SigningRefused
from gitupd.settings import SigningSettings
from gitupd.store.certificates.account import AcmeFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.pebble import Pebble

SERIAL = Serial("0090333000af")
SETTINGS = SigningSettings(seconds=30)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """A pebble that takes every name for proved."""
    with pebble(tmp_path_factory.mktemp("pebble")) as running:
        yield running


def signer(site: Path, authority: Pebble, eab_key: str = "", **settings: object) -> AcmeSigner:
    said = replace(SETTINGS, acme=authority.directory, acme_ca_file=str(authority.ca_file), **settings)  # type: ignore[arg-type] # any of the fields
    return AcmeSigner(said, AcmeFolder(site), eab_key)


def order(*names: str, common_name: str = SERIAL.digits) -> SigningOrder:
    """Return an order for a common name, which stands among the alternative names, too, with others."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in (common_name, *names)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(alternative, critical=False)
    return SigningOrder(SERIAL, builder.sign(new_key(), SHA256()).public_bytes(Encoding.DER), NOW)


def test_a_request_is_signed_with_all_of_its_names_and_the_chain(tmp_path: Path, authority: Pebble) -> None:
    asked = order("phone.example")
    own, above = map(x509.load_der_x509_certificate, signer(tmp_path, authority).sign(asked))
    assert own.public_key() == x509.load_der_x509_csr(asked.request).public_key()
    assert common_name(own.subject) == SERIAL.digits
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {SERIAL.digits, "phone.example"}
    own.verify_directly_issued_by(above)
    assert above == authority.issuer


def test_the_account_is_made_once_and_nobody_else_may_read_its_key(tmp_path: Path, authority: Pebble) -> None:
    signer(tmp_path, authority).sign(order())
    folder = tmp_path / "acme"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert set(before) == {"account.key", "account.json"}
    assert [path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*.*"))] == [0o700, 0o600, 0o600]
    signer(tmp_path, authority).sign(order())
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert list((folder / "orders").iterdir()) == []
    (folder / "account.json").unlink()  # as if somebody had been killed before it was written
    signer(tmp_path, authority).sign(order())
    assert (folder / "account.json").read_bytes() == before["account.json"]


def test_an_order_that_was_placed_before_a_kill_is_found_again(
    tmp_path: Path, authority: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, folder = order(), AcmeFolder(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(AcmeFolder, "forget_order", lambda *_: None)  # as if somebody had been killed before
        first = signer(tmp_path, authority).sign(asked)
    assert len(list((tmp_path / "acme/orders").iterdir())) == 1
    assert signer(tmp_path, authority).sign(asked) == first
    digest = next(iter([*(tmp_path / "acme/orders").iterdir(), None]))
    assert digest is None
    folder.note_order("x" * 64, authority.directory)
    assert folder.order("x" * 64) == authority.directory


def test_an_order_that_is_not_known_any_more_is_placed_anew(tmp_path: Path, authority: Pebble) -> None:
    asked = order()
    AcmeFolder(tmp_path).note_order(hashlib.sha256(asked.request).hexdigest(), f"{authority.directory}/absent")
    assert signer(tmp_path, authority).sign(asked)


def test_a_name_that_the_authority_signs_for_nobody_is_refused(tmp_path: Path, authority: Pebble) -> None:
    with pytest.raises(SigningRefused, match=r"blocked-domain\.example"):
        signer(tmp_path, authority).sign(order("blocked-domain.example"))


def test_a_common_name_that_is_no_alternative_name_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    asked = SigningOrder(SERIAL, signing_request(SERIAL.digits), NOW)
    away = AcmeSigner(replace(SETTINGS, acme="https://127.0.0.1:9/dir"), AcmeFolder(tmp_path), "")
    with pytest.raises(SigningRefused, match="'0090333000af' must be among the alternative names, too"):
        away.sign(asked)


def test_an_authority_that_is_away_is_asked_again(tmp_path: Path, authority: Pebble) -> None:
    away = replace(SETTINGS, acme="https://127.0.0.1:9/dir", acme_ca_file=str(authority.ca_file))
    with pytest.raises(SigningDelayed, match="does not answer as it should"):
        AcmeSigner(away, AcmeFolder(tmp_path), "").sign(order())
    untrusted = replace(SETTINGS, acme=authority.directory)
    with pytest.raises(SigningDelayed, match=r"does not answer as it should.*certificate verify failed"):
        AcmeSigner(untrusted, AcmeFolder(tmp_path), "").sign(order())


def test_an_account_is_bound_to_one_that_the_authority_knows(tmp_path: Path) -> None:
    key_id, key = next(iter(BINDING.items()))
    with pebble(tmp_path, bound=True) as running:
        with pytest.raises(SigningDelayed, match="externalAccountRequired"):
            signer(tmp_path, running).sign(order())
        assert signer(tmp_path, running, key, acme_key_id=key_id).sign(order())


def test_names_are_proved_by_http_with_what_the_site_knows_of_its_account(tmp_path: Path) -> None:
    folder = AcmeFolder(tmp_path)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.path.removeprefix("/.well-known/acme-challenge/")
            self.send_response(200)
            self.end_headers()
            is_known = "absent" not in self.headers["Host"]
            self.wfile.write(f"{token}.{folder.thumbprint if is_known else 'x'}".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        with pebble(tmp_path, http_port=server.server_address[1], valid=False) as running:
            with pytest.raises(SigningDelayed, match=r"no proof of a name: absent\.example: .*x"):
                signer(tmp_path, running).sign(order(common_name="absent.example"))
            own = x509.load_der_x509_certificate(signer(tmp_path, running).sign(order("phone.example"))[0])
            assert common_name(own.subject) == SERIAL.digits
    finally:
        server.shutdown()
        server.server_close()
