import asyncio
import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.x509.oid import NameOID
from support.authorities import EXPIRED, NOW, Authority, Validity
from support.ports import free_port
from support.recording import Recorder, recording
from support.waiting import until

from gitupd.cli.emulate import emulate
from gitupd.emulator.client import Network, Session
from gitupd.emulator.exchange import Failure, Purpose, Request, Response
from gitupd.emulator.factory import Credential, Factory, read_authority
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.phone import Phone
from gitupd.emulator.state import Device
from gitupd.emulator.tls import TlsHabits, TlsSide, TlsVersion, read_trust

NAME = "IP222-46-0a-f2"
SERIAL = "00-90-33-46-0a-f2"
MakePhone = Callable[..., Phone]


@dataclass(frozen=True)
class Files:
    """An authority of devices, and one of servers."""

    folder: Path
    factory: Factory
    root: Authority

    @property
    def trusted(self) -> Path:
        return self.folder / "servers.pem"

    @property
    def authority(self) -> tuple[Path, Path]:
        return self.folder / "factory.pem", self.folder / "factory.key"

    def context(self, *, asks: bool = True, valid: Validity | None = None, host: str = "127.0.0.1") -> ssl.SSLContext:
        """Make a server's side, which asks for the certificates of our devices."""
        shown = self.root.server(host, **({"valid": valid} if valid else {}))
        files = shown.files(self.folder, "server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        if asks:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.authority[0])
            context.session_id_context = b"x"
        return context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder, root = tmp_path_factory.mktemp("tls"), Authority.root("Root of servers")
    (folder / "servers.pem").write_bytes(root.pem)
    return Files(folder, Factory(read_authority(folder / "factory.pem", folder / "factory.key")), root)


@pytest.fixture
def server(files: Files) -> Iterator[Recorder]:
    with recording(files.context()) as recorder:
        yield recorder


def poll(tls: TlsSide, *urls: str) -> list[Response | Failure]:
    """Poll on a connection for each poll."""

    async def run() -> list[Response | Failure]:
        session, replies = Session(Network(time.monotonic), tls=tls), []
        for url in urls:
            replies.append(await session.ask(Request(Purpose.POLL, "GET", url)))
            await session.close()
        return replies

    return asyncio.run(run())


def kinds(replies: list[Response | Failure]) -> list[str]:
    return [reply.kind if isinstance(reply, Failure) else str(reply.status) for reply in replies]


def common_name(der: bytes | None) -> str:
    assert der is not None
    return str(x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


@pytest.fixture
def make_device(make_phone: MakePhone, files: Files) -> Callable[..., Device]:
    def make(*misbehaviours: Misbehaviour, **chosen: object) -> Device:
        chosen = {"started_at": NOW.timestamp(), "factory": files.factory} | chosen
        return make_phone(misbehaviours=frozenset(misbehaviours), **chosen).device

    return make


MakeDevice = Callable[..., Device]


def test_a_server_that_asks_is_shown_the_certificate_of_the_factory(server: Recorder, make_device: MakeDevice) -> None:
    device = make_device()
    assert kinds(poll(TlsSide(device=device), server.url())) == ["200"]
    assert common_name(server.arrivals[0].certificate) == NAME
    assert device.chain[0].subject == NAME


def test_nobody_shows_one_that_is_not_asked_for(files: Files, make_device: MakeDevice) -> None:
    with recording(files.context(asks=False)) as server:
        assert kinds(poll(TlsSide(device=make_device()), server.url())) == ["200"]
        assert server.arrivals[0].certificate is None


def test_without_a_certificate_none_is_shown(server: Recorder, make_device: MakeDevice) -> None:
    device = make_device(Misbehaviour.NO_CERTIFICATE)
    assert kinds(poll(TlsSide(device=device), server.url())) == ["200"]
    assert server.arrivals[0].certificate is None
    assert device.chain == ()


@pytest.mark.parametrize(
    "misbehaviour",
    [Misbehaviour.SELF_MADE_CERTIFICATE, Misbehaviour.FOREIGN_CERTIFICATE, Misbehaviour.EXPIRED_CERTIFICATE],
)
def test_a_server_may_refuse_what_it_does_not_trust(
    server: Recorder, make_device: MakeDevice, misbehaviour: Misbehaviour
) -> None:
    (reply,) = poll(TlsSide(device=make_device(misbehaviour)), server.url())
    assert isinstance(reply, Failure)
    until(lambda: server.refused)
    assert server.arrivals == []


def test_sessions_are_resumed(server: Recorder, make_device: MakeDevice) -> None:
    tls = TlsSide(device=make_device())
    assert kinds(poll(tls, *[server.url()] * 3)) == ["200"] * 3
    assert [arrival.resumed for arrival in server.arrivals] == [False, True, True]
    assert {common_name(arrival.certificate) for arrival in server.arrivals} == {NAME}
    assert tls.handshakes == {"TLSv1.3 full": 1, "TLSv1.3 resumed": 2}


def test_a_session_is_of_one_server_and_one_certificate(files: Files, make_device: MakeDevice) -> None:
    device = make_device()
    tls = TlsSide(device=device)
    with recording(files.context()) as one, recording(files.context()) as other:
        poll(tls, one.url(), other.url())
        device.install(files.factory.credential("IP222-00-00-07", frozenset()))
        poll(tls, one.url())
        assert [arrival.resumed for arrival in one.arrivals + other.arrivals] == [False] * 3
        assert common_name(one.arrivals[1].certificate) == "IP222-00-00-07"


def test_no_resumption(server: Recorder, make_device: MakeDevice) -> None:
    poll(TlsSide(device=make_device(Misbehaviour.NO_RESUMPTION)), server.url(), server.url())
    assert [arrival.resumed for arrival in server.arrivals] == [False, False]


def test_no_sni(files: Files, make_device: MakeDevice) -> None:
    habits = TlsHabits(read_trust(files.trusted))
    with recording(files.context(host="localhost")) as server:
        for device in (make_device(), make_device(Misbehaviour.NO_SNI)):
            assert kinds(poll(TlsSide(habits, device), server.url(host="localhost"))) == ["200"]
        assert [arrival.name for arrival in server.arrivals] == ["localhost", None]


def test_versions(server: Recorder, make_device: MakeDevice) -> None:
    old = TlsSide(TlsHabits(version=TlsVersion.TLS_1_2), make_device())
    assert kinds(poll(old, server.url(), server.url())) == ["200", "200"]
    assert old.handshakes == {"TLSv1.2 full": 1, "TLSv1.2 resumed": 1}
    oldest = TlsSide(TlsHabits(version=TlsVersion.TLS_1_0), make_device())
    assert kinds(poll(oldest, server.url())) == ["TLS refused"]


def test_a_server_is_checked_if_that_is_asked_for(files: Files, make_device: MakeDevice) -> None:
    habits = TlsHabits(read_trust(files.trusted))
    stranger = Files(files.folder, files.factory, Authority.root("Root of servers"))
    contexts = {
        "200": files.context(),
        "of another authority": stranger.context(),
        "for another name": files.context(host="other.example"),
        "expired": files.context(valid=EXPIRED),
    }
    for fault, context in contexts.items():
        with recording(context) as server:
            (reply,) = poll(TlsSide(habits, make_device()), server.url())
            assert kinds([reply]) == ["200" if fault == "200" else "untrusted server"], fault
            assert kinds(poll(TlsSide(device=make_device()), server.url())) == ["200"], fault


def test_servers_are_not_valid_yet_for_a_device_with_a_wrong_clock(
    server: Recorder, files: Files, make_device: MakeDevice
) -> None:
    habits = TlsHabits(read_trust(files.trusted))
    for misbehaviour, year in ((Misbehaviour.WRONG_CLOCK, "2000"), (Misbehaviour.NO_CLOCK, "1970")):
        device = make_device(misbehaviour)
        (reply,) = poll(TlsSide(habits, device), server.url())
        assert isinstance(reply, Failure)
        assert (reply.kind, f"not valid at {year}-01-" in reply.reason) == ("untrusted server", True)
        assert kinds(poll(TlsSide(device=device), server.url())) == ["200"]


def test_a_wrong_clock_knows_the_hour(make_device: MakeDevice) -> None:
    good, bad = make_device(), make_device(Misbehaviour.WRONG_CLOCK)
    assert good.clock.now() % 86400 == bad.clock.now() % 86400


class Openssl:
    """OpenSSL's own server, which begins another handshake when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = ["openssl", "s_server", "-accept", str(self.port), "-tls1_2", "-state"]
        command += ["-cert", str(folder / "server.pem"), "-key", str(folder / "server.key")]
        self.program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.output = self.program.stdout
        self.said = b""
        self.hears(b"ACCEPT")

    def hears(self, words: bytes) -> None:
        """Wait until it says so."""
        assert self.output is not None
        os.set_blocking(self.output.fileno(), False)
        output = self.output

        def heard() -> bool:
            self.said += output.read() or b""
            return words in self.said

        until(heard, lambda: self.said)
        self.said = b""

    def renegotiate(self) -> None:
        assert self.program.stdin is not None
        self.program.stdin.write(b"r\n")
        self.program.stdin.flush()

    def close(self) -> None:
        with self.program:
            self.program.terminate()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
@pytest.mark.parametrize(
    ("misbehaviours", "sign"), [((), b"write change cipher spec"), (("no-renegotiation",), b"no renegotiation")]
)
def test_renegotiation(files: Files, make_device: MakeDevice, misbehaviours: tuple[str, ...], sign: bytes) -> None:
    files.context()
    tls = TlsSide(TlsHabits(version=TlsVersion.TLS_1_2), make_device(*map(Misbehaviour, misbehaviours)))

    async def run(server: Openssl) -> None:
        session = Session(Network(time.monotonic), tls=tls)
        request = Request(Purpose.POLL, "GET", f"https://127.0.0.1:{server.port}/")
        asking = asyncio.create_task(session.ask(request))
        await asyncio.to_thread(server.hears, b"GET / HTTP")
        server.renegotiate()
        await asyncio.to_thread(server.hears, sign)
        asking.cancel()
        await session.close()

    with closing(Openssl(files.folder)) as server:
        asyncio.run(run(server))


def test_a_certificate_that_a_script_brings_is_shown_from_then_on(
    server: Recorder, make_device: MakeDevice, files: Files
) -> None:
    device = make_device()
    assert device.credential is device.credential
    signed = files.factory.credential("009033460af2", frozenset())
    device.install(signed)
    poll(TlsSide(device=device), server.url())
    assert common_name(server.arrivals[0].certificate) == "009033460af2"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(emulate, [str(argument) for argument in arguments])


def test_the_command_shows_certificates_and_tells_where_it_polled(server: Recorder, files: Files) -> None:
    options = ["--count", 3, "--polls", 2, "--interval", 0.1, "--spread", 0, "--factory-authority", *files.authority]
    result = run(server.url(), *options, "--check-server", files.trusted, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["polled"] == {server.url(""): 6}
    assert summary["uploaded"] == {}
    assert summary["handshakes"] == {"TLSv1.3 full": 3, "TLSv1.3 resumed": 3}
    names = {common_name(arrival.certificate) for arrival in server.arrivals}
    assert names == {f"IP222-00-00-0{number}" for number in (1, 2, 3)}


def test_the_command_reports_tls_as_text(server: Recorder, files: Files) -> None:
    options = ["--polls", 1, "--certificate-name", "serial", "--tls", "1.2", "--first-serial", SERIAL]
    result = run(server.url(), *options, "--factory-authority", *files.authority, "--plain")
    assert result.exit_code == 0, result.output
    assert f"polled   {server.url('')} 1\n" in result.output
    assert "TLS      TLSv1.2 full 1\n" in result.output
    assert common_name(server.arrivals[0].certificate) == "009033460af2"


def test_the_command_takes_certificates_from_a_folder(server: Recorder, files: Files, tmp_path: Path) -> None:
    credential = files.factory.credential("IP222-00-00-02", frozenset())
    assert isinstance(credential, Credential)
    (tmp_path / "IP222-00-00-02.pem").write_bytes(credential.pem)
    (tmp_path / "IP222-00-00-02.key").write_bytes(credential.pem)
    result = run(server.url(), "--count", 2, "--spread", 0, "--polls", 1, "--certificates", tmp_path)
    assert result.exit_code == 0, result.output
    shown = [arrival.certificate for arrival in server.arrivals if arrival.certificate]
    assert [common_name(certificate) for certificate in shown] == ["IP222-00-00-02"]
    (tmp_path / "IP222-00-00-02.key").write_text("nonsense")
    result = run(server.url(), "--count", 2, "--certificates", tmp_path)
    assert (result.exit_code, "can't be read" in result.output) == (2, True)


def test_wrong_usage(files: Files, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nonsense")
    certificate, key = files.authority
    for options, words in (
        (["--factory-authority", certificate, key, "--certificates", tmp_path], "not from both"),
        (["--factory-authority", files.trusted, key], "is not the key of"),
        (["--factory-authority", tmp_path / "none.pem", key], "can't be read"),
        (["--check-server", tmp_path / "none.pem"], "can't be read as certificates"),
        (["--check-server", tmp_path / "missing.pem"], "can't be read as certificates"),
    ):
        result = run("https://127.0.0.1:1/", *options, "--polls", 1)
        assert result.exit_code == 2, result.output
        assert words in " ".join(result.output.replace("│", "").split()), result.output
