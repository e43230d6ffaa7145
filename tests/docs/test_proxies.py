"""The configurations of proxies hand on what gitupd has to know, and nothing that a client made up."""

from __future__ import annotations

import asyncio
import base64
import http.client
import ssl
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from support.authorities import EXPIRED, Authority, Issued, rsa_key, self_signed
from support.proxies import LOCAL, Proxy, proxying
from support.recording import Arrival, Recorder, recording
from support.serving import serving

from gitupd.core.caller import parse_serial
from gitupd.emulator.client import Network, Session
from gitupd.emulator.drive import new_fleet
from gitupd.emulator.exchange import Purpose, Request, Response
from gitupd.emulator.factory import Credential
from gitupd.emulator.fleet import FleetPlan
from gitupd.emulator.tls import TlsSide
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "IP222-46-0a-f2"
AUTHORITY = Authority.root().issuing()
HEADER = "X-Client-Certificate"
SHOWN = {
    "of our authority": AUTHORITY.device(NAME),
    "RSA": AUTHORITY.device(NAME, key=rsa_key()),
    "self-made": self_signed(NAME),
    "out of date": AUTHORITY.device(NAME, valid=EXPIRED),
    "self-made and out of date": self_signed(NAME, valid=EXPIRED),
}
FORGED = quote(SHOWN["of our authority"].pem, safe="")


@dataclass(frozen=True)
class Scene:
    """A proxy, and what stands behind it."""

    proxy: Proxy
    behind: Recorder
    folder: Path

    def ask(self, port: int, shown: Issued | None = None, *headers: tuple[str, str], method: str = "GET") -> Arrival:
        """Make a request with the headers given, and return how it arrives."""
        connection = self._connection(port, shown)
        before = len(self.behind.arrivals)
        try:
            connection.putrequest(method, "/some/update.php?sn=%2F")
            for name, value in headers:
                connection.putheader(name, value)
            if method == "PUT":
                connection.putheader("Transfer-Encoding", "chunked")
                connection.endheaders([b"one ", b"two ", b"x" * 100_000], encode_chunked=True)
            else:
                connection.endheaders()
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, self.behind.script)
        finally:
            connection.close()
        (arrival,) = self.behind.arrivals[before:]
        return arrival

    def _connection(self, port: int, shown: Issued | None) -> http.client.HTTPConnection:
        if port == self.proxy.http:
            return http.client.HTTPConnection(LOCAL, port, timeout=30)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if shown:
            files = shown.files(self.folder, "device")
            context.load_cert_chain(files.certificate, files.key)
        return http.client.HTTPSConnection(LOCAL, port, context=context, timeout=30)


@pytest.fixture(scope="module", params=["nginx.conf", "haproxy.cfg", "Caddyfile"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("proxy")
    with ExitStack() as stack:
        behind = stack.enter_context(recording())
        shown = Authority.root().server("upd.example")
        yield Scene(stack.enter_context(proxying(request.param, folder, shown, {"8080": behind.port})), behind, folder)


def certificate(arrival: Arrival) -> bytes | None:
    """Return the certificate in the header, in DER; None without header."""
    values = arrival.headers.get_all(HEADER)
    if not values:
        return None
    (value,) = values
    text = unquote(value).strip()
    return ssl.PEM_cert_to_DER_cert(text) if text.startswith("-----") else base64.b64decode(text, validate=True)


@pytest.mark.parametrize("fault", SHOWN)
def test_whatever_certificate_a_device_shows_is_handed_on(scene: Scene, fault: str) -> None:
    assert certificate(scene.ask(scene.proxy.mtls, SHOWN[fault])) == SHOWN[fault].der


def test_without_a_certificate_there_is_no_header(scene: Scene) -> None:
    assert certificate(scene.ask(scene.proxy.mtls)) is None


def test_nobody_is_asked_where_people_are(scene: Scene) -> None:
    assert certificate(scene.ask(scene.proxy.https, SHOWN["of our authority"])) is None


FORGERIES = [
    [(HEADER, FORGED)],
    [(HEADER.upper(), FORGED), (HEADER, FORGED)],
    [(HEADER, FORGED), ("Connection", HEADER)],
    [(HEADER, "")],
]


@pytest.mark.parametrize("forged", FORGERIES)
def test_a_header_that_a_client_made_up_is_removed_or_replaced(scene: Scene, forged: list[tuple[str, str]]) -> None:
    for port in (scene.proxy.http, scene.proxy.https, scene.proxy.mtls):
        assert certificate(scene.ask(port, None, *forged)) is None, port
    own = SHOWN["self-made"]
    assert certificate(scene.ask(scene.proxy.mtls, own, *forged)) in (own.der, None)


def test_what_a_client_says_of_its_way_is_replaced(scene: Scene) -> None:
    forged = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "gopher"), ("Forwarded", "for=6.6.6.6;proto=https")]
    for port, scheme in ((scene.proxy.http, "http"), (scene.proxy.https, "https"), (scene.proxy.mtls, "https")):
        headers = scene.ask(port, None, *forged).headers
        assert headers.get_all("X-Forwarded-For") == [LOCAL]
        assert headers.get_all("X-Forwarded-Proto") == [scheme]
        assert headers.get_all("Forwarded") is None
        assert headers.get_all("Host") == [f"{LOCAL}:{port}"]


def test_uploads_in_chunks_arrive_whole(scene: Scene) -> None:
    arrival = scene.ask(scene.proxy.mtls, SHOWN["out of date"], method="PUT")
    assert (arrival.method, arrival.path) == ("PUT", "/some/update.php?sn=%2F")
    assert arrival.body == b"one two " + b"x" * 100_000
    assert certificate(arrival) == SHOWN["out of date"].der


def test_a_resumed_session_keeps_its_certificate(scene: Scene) -> None:
    shown = SHOWN["of our authority"]
    device = new_fleet(FleetPlan("https://127.0.0.1/")).phones[0].device
    device.install(Credential((shown.certificate,), shown.key))
    tls = TlsSide(device=device)

    async def run() -> None:
        session = Session(Network(time.monotonic), tls=tls)
        for _ in range(3):
            url = f"https://{LOCAL}:{scene.proxy.mtls}/update.php"
            assert isinstance(await session.ask(Request(Purpose.POLL, "GET", url)), Response)
            await session.close()

    before = len(scene.behind.arrivals)
    asyncio.run(run())
    assert tls.handshakes == {"TLSv1.3 full": 1, "TLSv1.3 resumed": 2}
    assert [certificate(arrival) for arrival in scene.behind.arrivals[before:]] == [shown.der] * 3


PASS_THROUGH = """
trusted_proxies = ["127.0.0.1"]

[[listen]]
address = "127.0.0.1:0"
proxy_protocol = true

[[listen]]
address = "127.0.0.1:0"
tls = true
proxy_protocol = true

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"
serves = ["devices"]
proxy_protocol = true
"""


def test_connections_that_are_passed_on_as_they_are_come_from_devices(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    with (site.path / "gitupd.toml").open("a") as file:
        file.write(PASS_THROUGH)
    device, serial = "127.0.0.7", parse_serial("00-90-33-46-0a-f2")
    shown = SHOWN["self-made"].files(tmp_path, "device")
    with serving(site.path, options=[]) as server:
        behind = dict(zip(("8080", "8443", "8444"), server.ports, strict=True))
        with proxying("haproxy-pass-through.cfg", tmp_path, Authority.root().server(), behind) as proxy:
            for number, port in enumerate((proxy.http, proxy.https, proxy.mtls)):
                url = f"{'https' if number else 'http'}://{LOCAL}:{port}/update.php?sn=00-90-33-46-0a-f2&hwid={NAME}&type=IP222&ip=&polling=0"
                command = ["curl", "--silent", "--insecure", "--max-time", "30", "--interface", device]
                command += ["--cert", str(shown.certificate), "--key", str(shown.key), url]
                script = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                scheme = "https" if number else "http"
                assert f"/url {scheme}%3A%2F%2F127.0.0.1%3A{port}%2Fupdate.php" in script, script
    seen = site.inventory.device(serial)
    site.close()
    assert seen is not None
    assert seen.address == device
