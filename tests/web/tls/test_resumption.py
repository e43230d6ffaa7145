"""Sessions are resumed by any worker, over reloads and new certificates, and go on to show the client's chain."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.authorities import EXPIRED, Authority, rsa_key, self_signed
from support.serving import PATIENCE, serving
from support.shaking import client, listener, shaking
from support.waiting import until

from gitupd.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from support.shaking import Port

    from gitupd.service.site import Site

GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
TIMES = 12


def ask(
    context: ssl.SSLContext, port: int, session: ssl.SSLSession | None = None
) -> tuple[bytes, ssl.SSLSession | None, bool]:
    """Return the answer's body, the session to go on with, and whether it was resumed."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as opened,
        context.wrap_socket(opened, session=session, suppress_ragged_eofs=False) as encrypted,
    ):
        encrypted.sendall(GET)
        received = b""
        while data := encrypted.recv(65536):
            received += data
        return received.partition(b"\r\n\r\n")[2], encrypted.session, bool(encrypted.session_reused)


def fixed(version: ssl.TLSVersion, context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("kind", ["none", "asked", "demanded"])
@pytest.mark.parametrize("name", ["good", "self-signed"])
def test_a_resumed_session_shows_what_the_first_one_did(
    tls: Port, kind: str, name: str, version: ssl.TLSVersion
) -> None:
    if (kind, name) == ("demanded", "self-signed"):
        return
    context = fixed(version, client(tls.files[name]))
    body, session, _ = ask(context, tls.port(kind))
    for _ in range(3):
        again, session, reused = ask(context, tls.port(kind), session)
        assert reused
        assert json.loads(again)["certificates"] == json.loads(body)["certificates"]


ODD = {
    "key too short": {"key": rsa_key(7, 1024)},
    "expired": {"valid": EXPIRED},
    "not for clients": {"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)},
}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("odd", ODD)
def test_a_resumed_session_shows_the_chain_of_what_an_authority_has_signed(
    tmp_path: Path, odd: str, version: ssl.TLSVersion
) -> None:
    """Whatever else is wrong with it: what is to be made of that is decided elsewhere, and each time alike."""
    root = Authority.root("R")
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "root.pem").write_bytes(root.pem)
    issued = root.issuing("I").device("IP222-46-0a-f2", **ODD[odd])
    files = issued.files(tmp_path)
    context = fixed(version, client())
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(files.certificate, files.key)
    with shaking(tmp_path, Settings(), listener("asked")) as workers:
        session = None
        for number in range(3):
            body, session, reused = ask(context, workers.ports[0], session)
            assert reused == (number > 0)
            assert json.loads(body)["certificates"] == [each.hex() for each in issued.presented]


def test_a_stranger_s_chain_is_not_remembered(tls: Port) -> None:
    strange = Authority.root("Test Root").issuing("Test Device CA").device("IP222-46-0a-f2")
    shown = tls.site.parent / "strange"
    context = client(strange.files(shown))
    _, session, _ = ask(context, tls.port("asked"))
    body, _, reused = ask(context, tls.port("asked"), session)
    assert reused
    assert strange.presented[1].hex() not in json.loads(body)["certificates"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_no_session_goes_on_where_other_certificates_are_wanted(tls: Port, version: ssl.TLSVersion) -> None:
    context = fixed(version, client(tls.files["good"]))
    _, session, _ = ask(context, tls.port("none"))
    body, _, reused = ask(context, tls.port("demanded"), session)
    assert not reused
    assert json.loads(body)["certificates"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_server_resumes_what_any_of_its_workers_began(site: Site, version: ssl.TLSVersion) -> None:
    with serving(site.path, workers=2, options=["--https", "127.0.0.1:0"]) as server:
        context = fixed(version, client())
        _, session, _ = ask(context, server.port)
        before = server.children()
        for _ in range(TIMES):
            _, session, reused = ask(context, server.port, session)
            assert reused
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: len(server.children()) == 3 and not set(server.children()) & set(before))
        for _ in range(TIMES):
            _, session, reused = ask(context, server.port, session)
            assert reused


def test_new_certificates_end_no_connection_and_no_session(tmp_path: Path) -> None:
    settings = Settings()
    first, second = self_signed("first"), Authority.root("R").server("second")
    certificate, key = tmp_path / settings.tls.first.certificate, tmp_path / settings.tls.first.key
    certificate.parent.mkdir()
    certificate.write_bytes(first.pem)
    key.write_bytes(first.key_pem)
    with shaking(tmp_path, settings, listener("none")) as workers:
        (port,) = workers.ports
        context = client()
        _, session, _ = ask(context, port)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as opened,
            context.wrap_socket(opened) as kept,
        ):
            certificate.write_bytes(second.bundle)  # half of the pair: the old one stays
            until(lambda: workers.files[0].trouble)
            assert "another certificate" in str(workers.files[0].trouble)
            assert presented(port) == first.der
            key.write_bytes(second.key_pem)
            until(lambda: presented(port) == second.der)
            assert workers.files[0].trouble is None
            kept.sendall(GET)
            assert kept.recv(65536)
        assert ask(context, port, session)[2]


def presented(port: int, name: str | None = None) -> bytes | None:
    """Return the certificate with which a server answers who asks for *name*."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as opened,
        client().wrap_socket(opened, server_hostname=name) as encrypted,
    ):
        return encrypted.getpeercert(binary_form=True)
