"""Behind the proxies of the documentation a certificate counts, and a header that says so does not."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.authorities import Authority, Issued, untrustworthy
from support.proxies import LOCAL, Proxy, proxying
from support.serving import Server, serving

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME, SERIAL = "IP222-46-0a-f2", "00-90-33-46-0a-f2"
AUTHORITY = Authority.root().issuing()
GOOD = AUTHORITY.device(NAME)
BAD = {fault: shown for fault, shown in untrustworthy(AUTHORITY, NAME).items() if fault != "chain missing"}
CANARY = "correct-horse-battery-staple"
FORGED = (
    quote(GOOD.pem, safe=""),
    base64.b64encode(GOOD.der).decode(),
    f":{base64.b64encode(GOOD.der).decode()}:",
)
POLICY = """
https: required
https_port: {port}
client_certificate: required
"""
SETTINGS = """
trusted_proxies = ["127.0.0.1"]
client_certificate_header = "X-Client-Certificate"
"""
HEADERS = ("X-Client-Certificate", "Client-Cert", "X-SSL-Client-Cert", "X_Client_Certificate", "x-client-certificate ")


@dataclass(frozen=True)
class Scene:
    """A server behind a proxy."""

    proxy: Proxy
    server: Server
    folder: Path

    def connect(self, port: int, shown: Issued | None = None) -> http.client.HTTPConnection:
        if port == self.proxy.http:
            return http.client.HTTPConnection(LOCAL, port, timeout=30)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if shown:
            files = shown.files(self.folder, "device")
            context.load_cert_chain(files.certificate, files.key)
        return http.client.HTTPSConnection(LOCAL, port, context=context, timeout=30)

    def raw(self, port: int) -> ssl.SSLSocket:
        """Connect without a certificate."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection((LOCAL, port), timeout=30))

    def direct(self, source: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(LOCAL, self.server.port, timeout=30, source_address=(source, 0))


def poll(connection: http.client.HTTPConnection, *headers: tuple[str, str]) -> str:
    """Poll as our device, in its last phase."""
    path = f"/update.php?type=IP222&sn={SERIAL}&hwid={NAME}&ip=10.0.0.1&polling=0&phase=update&env=default"
    return exchange(connection, "GET", path, *headers)[1]


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, *headers: tuple[str, str], body: bytes = b""
) -> tuple[int, str]:
    try:
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        if body:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders([body] if body else None, encode_chunked=bool(body))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module", params=["nginx.conf", "haproxy.cfg", "Caddyfile"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("proxied")
    site, _ = create_site(folder / "site", who="test", now=now())
    (site.path / "trust").mkdir(exist_ok=True)
    assert AUTHORITY.above is not None
    (site.path / "trust/devices.pem").write_bytes(AUTHORITY.pem + AUTHORITY.above.pem)
    (site.path / "trust/devices.crl").write_bytes(AUTHORITY.crl())
    settings = site.path / "gitupd.toml"
    settings.write_text(settings.read_text() + SETTINGS)
    with ExitStack() as stack:
        stack.callback(site.close)
        server = stack.enter_context(serving(site.path))
        shown = Authority.root().server("upd.example")
        proxy = stack.enter_context(proxying(request.param, folder, shown, {"8080": server.port}))
        files = {
            "policies/transport.yaml": POLICY.format(port=proxy.mtls).encode(),
            "policies/firmware.yaml": b"firmware: none\nbootcode: none\n",
            "snippets/all-all-all.txt": f"config add PHONE /pw {CANARY}\n".encode(),
        }
        commit = site.config.commit_files(files, "Trust", "Test <test@localhost>")
        deploy(site, commit, who="test", now=now())
        server.ready(commit)
        yield Scene(proxy, server, folder)


def test_a_device_that_shows_its_certificate_is_served(scene: Scene) -> None:
    script = poll(scene.connect(scene.proxy.mtls, GOOD))
    assert CANARY in script, script
    assert re.match(r"# gitupd [0-9a-f]{40}\r\n# good certificate \(CN=IP222-46-0a-f2\)", script), script


@pytest.mark.parametrize("fault", BAD)
def test_a_certificate_that_is_handed_on_is_verified_again(scene: Scene, fault: str) -> None:
    try:
        script = poll(scene.connect(scene.proxy.mtls, BAD[fault]))
    except ssl.SSLError:
        assert fault == "signed by a device"  # HAProxy 2.6 knows of no way to let an authority pass that is none
        return
    assert script.startswith("# gitupd "), script
    assert CANARY not in script


def test_a_certificate_in_a_header_of_the_client_is_not_believed(scene: Scene) -> None:
    for port in (scene.proxy.http, scene.proxy.https, scene.proxy.mtls):
        for shown in (None, BAD["self-signed"]):
            for name in HEADERS:
                for forged in FORGED:
                    script = poll(scene.connect(port, shown), (name, forged), ("X-Forwarded-Proto", "https"))
                    assert CANARY not in script, (port, name)


def test_past_the_proxy_no_header_is_believed(scene: Scene) -> None:
    host = ("X-Forwarded-Host", f"{LOCAL}:{scene.proxy.mtls}")
    for name in HEADERS[:3]:
        for forged in FORGED:
            headers = ((name, forged), ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", LOCAL), host)
            assert CANARY not in poll(scene.direct("127.0.0.9"), *headers), name


@pytest.mark.parametrize("forged", FORGED)
def test_the_proxy_itself_is_believed(scene: Scene, forged: str) -> None:
    connection = scene.direct(LOCAL)
    path = f"/update.php?type=IP222&sn={SERIAL}&hwid={NAME}&ip=10.0.0.1&polling=0&phase=update&env=default"
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", f"{LOCAL}:{scene.proxy.mtls}")
    connection.putheader("X-Forwarded-Proto", "https")
    connection.putheader("X-Client-Certificate", forged)
    connection.endheaders()
    assert CANARY in connection.getresponse().read().decode()
    connection.close()


def test_uploads_are_taken_from_the_device_alone(scene: Scene) -> None:
    path = f"/update.php?mode=backup&hwid={NAME}&sn={SERIAL}"
    body = b"config change CMD0 /name Desk\r\n"
    header = ("X-Client-Certificate", FORGED[0])
    for port in (scene.proxy.http, scene.proxy.https, scene.proxy.mtls):
        for shown in (None, BAD["wrong common name"], BAD["self-signed"]):
            assert exchange(scene.connect(port, shown), "PUT", path, header, body=body)[0] == 403
    assert exchange(scene.direct("127.0.0.9"), "PUT", path, header, body=body)[0] == 403
    assert exchange(scene.connect(scene.proxy.mtls, GOOD), "PUT", path, body=body)[0] == 200


SMUGGLING = (
    b"Transfer-Encoding: chunked\r\nContent-Length: %(whole)d\r\n",
    b"Content-Length: %(whole)d\r\nTransfer-Encoding : chunked\r\n",
    b"Content-Length: %(whole)d\r\nTransfer-Encoding: xchunked\r\n",
    b"Content-Length: %(whole)d\r\nX: y\r\n Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\nContent-Length: %(whole)d\r\n",
    b"Content-Length: %(whole)d\r\nTransfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    b"Transfer-Encoding:\x0bchunked\r\nContent-Length: %(whole)d\r\n",
    b"Expect: 100-continue\r\nContent-Length: %(whole)d\r\nTransfer-Encoding: chunked\r\n",
)


@pytest.mark.parametrize("number", range(len(SMUGGLING)))
def test_no_request_is_hidden_in_the_body_of_another(scene: Scene, number: int) -> None:
    """Try to have a header come out behind the proxy that it has not seen as one."""
    path = f"/update.php?type=IP222&sn={SERIAL}&hwid={NAME}&ip=10.0.0.1&polling=0&phase=update&env=default".encode()
    host = f"{LOCAL}:{scene.proxy.mtls}".encode()
    forged = b"X-Forwarded-Proto: https\r\nX-Client-Certificate: " + FORGED[1].encode() + b"\r\n"
    hidden = b"GET %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (path, host, forged)
    body = b"0\r\n\r\n" + hidden
    framing = SMUGGLING[number] % {b"whole": len(body)}
    head = b"PUT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (path, host, framing)
    said = b""
    with scene.raw(scene.proxy.mtls) as stream:
        for _ in range(3):
            with suppress(OSError):
                stream.sendall(head + body + b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (path, host))
        stream.settimeout(1)
        with suppress(OSError):
            while part := stream.recv(65536):
                said += part
    assert CANARY.encode() not in said
    assert CANARY not in poll(scene.connect(scene.proxy.mtls))


def test_a_header_behind_the_body_is_none(scene: Scene) -> None:
    path = f"/update.php?type=IP222&sn={SERIAL}&hwid={NAME}&ip=10.0.0.1&polling=0&phase=update&env=default".encode()
    trailer = b"X-Client-Certificate: " + FORGED[1].encode() + b"\r\nX-Forwarded-Proto: https\r\n"
    head = b"Host: %b:%d\r\nTransfer-Encoding: chunked\r\nTrailer: X-Client-Certificate\r\nConnection: close\r\n" % (
        LOCAL.encode(),
        scene.proxy.mtls,
    )
    said = b""
    with scene.raw(scene.proxy.mtls) as stream, suppress(OSError):
        stream.sendall(b"PUT %b HTTP/1.1\r\n%b\r\n1\r\nx\r\n0\r\n%b\r\n" % (path, head, trailer))
        while part := stream.recv(65536):
            said += part
    assert b"# gitupd" in said
    assert CANARY.encode() not in said
