"""What the site's own authority revokes counts within seconds, on open connections too, and is published."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.authorities import new_key
from support.serving import serving
from support.signing_sites import OTHER, SERIAL, VERA, asks, request_of, signing_site

from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.serving import Server

    from gitupd.core.caller import Serial
    from gitupd.service.site import Site

CANARY = "config add X /pw canary"
PLAIN = '[[listen]]\naddress = "127.0.0.1:0"\n'
ASKING = f'{PLAIN}tls = true\nclient_certificates = "asked"\n'
WITHIN = 5.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with signing_site(tmp_path_factory.mktemp("revocation") / "site") as made:
        with (made.path / "gitupd.toml").open("a") as file:
            file.write(f"workers = 2\n{PLAIN}{ASKING}")
        files = dict(made.config.files(made.config.head("main")))
        files |= {
            "policies/transport.yaml": b"client_certificate: required\n",
            "snippets/all-all-all.txt": f"{CANARY}\n".encode(),
            "policies/delivery.yaml": b"check: false\n",
        }
        made.config.commit_files(files, "Trust", "Test <test@localhost>")
        deploy(made, "main", who="test", now=now())
        yield made


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    with serving(site.path, options=[]) as running:
        yield running


def certified(site: Site, serial: Serial, folder: Path) -> ssl.SSLContext:
    """Have a device given a certificate, and return what it speaks TLS with."""
    key = new_key()
    asks(site, serial, request_of(serial, key))
    (outcome,) = Signing(site).approve([serial], VERA, now())
    assert outcome.is_done, outcome.detail
    record = site.rollouts.of(serial)
    assert record is not None
    chain = [x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in record.rollout.signed]
    place = folder / "device.pem"
    place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + b"".join(chain))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(place)
    return context


class Device:
    """A device on one connection that stays open."""

    def __init__(self, connection: http.client.HTTPSConnection, serial: Serial) -> None:
        self.connection, self.serial = connection, serial

    def script(self) -> str:
        hardware_id = "IP222-" + "-".join(str(self.serial).split("-")[3:])
        said = f"type=IP222&sn={self.serial}&hwid={hardware_id}&ip=127.0.0.1&phase=update&polling=0"
        self.connection.request("GET", f"/update.php?{said}")
        response = self.connection.getresponse()
        assert response.status == 200
        return response.read().decode()

    def seconds_with_trust(self) -> float:
        """Poll until there is neither trust nor a secret in the answer any more; return how long that took."""
        started = time.monotonic()
        while any(each in self.script() for each in (CANARY, "good certificate")):
            assert time.monotonic() - started < 3 * WITHIN, "it is trusted still"
            time.sleep(0.05)
        return time.monotonic() - started


@contextmanager
def connected(site: Site, server: Server, serial: Serial, folder: Path) -> Iterator[Device]:
    context = certified(site, serial, folder)
    connection = http.client.HTTPSConnection("127.0.0.1", server.ports[1], timeout=20, context=context)
    try:
        device = Device(connection, serial)
        assert CANARY in device.script()
        yield device
    finally:
        connection.close()


def test_a_revoked_device_gets_no_secret_within_five_seconds_on_an_open_connection(
    site: Site, server: Server, tmp_path: Path
) -> None:
    with connected(site, server, SERIAL, tmp_path) as device:
        Signing(site).revoke([SERIAL], "stolen", VERA, now())
        assert device.seconds_with_trust() < WITHIN
        script = device.script()
        assert "it was revoked" in script, script


def test_a_revocation_is_finished_by_the_server_if_somebody_was_killed_at_it(
    site: Site, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(site, server, OTHER, tmp_path) as device:
        with monkeypatch.context() as patched:  # as if killed before the list got its name
            patched.setattr("gitupd.store.certificates.deeds.rename", lambda *_: None)
            Signing(site).revoke([OTHER], "stolen", VERA, now())
        assert device.seconds_with_trust() < WITHIN


def test_the_list_is_handed_out_to_everybody(server: Server, tmp_path: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.ports[0], timeout=20)

    def got(target: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    status, headers, body = got("/certificates/crl")
    assert (status, headers["content-type"]) == (200, "application/pkix-crl")
    assert headers["cache-control"] == "public, max-age=300"
    (tmp_path / "list.der").write_bytes(body)
    command = ["openssl", "crl", "-inform", "DER", "-in", tmp_path / "list.der", "-noout", "-issuer", "-crlnumber"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Example Issuing CA" in done.stdout
    assert got("/certificates/crl", **{"If-None-Match": headers["etag"]})[0] == 304
    status, headers, body = got("/certificates/crl?form=pem&authority=1")
    assert (status, headers["content-type"]) == (200, "application/x-pem-file")
    assert body.startswith(b"-----BEGIN X509 CRL-----")
    for query, expected in (("authority=7", 404), ("authority=x", 400), ("form=xml", 400)):
        assert got(f"/certificates/crl?{query}")[0] == expected
    connection.request("POST", "/certificates/crl")
    response = connection.getresponse()
    assert (response.status, response.read()) == (405, b"405 Method Not Allowed\n")
    connection.close()
