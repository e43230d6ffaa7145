"""Replays one recording against a real server: its installation imported, its requests made, its answers compared."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import ssl
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from support.authorities import Authority, subject
from support.ports import free_port
from support.serving import Server, serving
from support.waiting import until

from gitupd.config.loader import load
from gitupd.core.backups.change import Volatile, counting, lines_of
from gitupd.core.caller import parse_serial
from gitupd.errors import InvalidConfiguration
from gitupd.importer import import_installation
from gitupd.service.certificates.handing_in import SignedAnswer, hand_in
from gitupd.service.clock import now
from gitupd.service.creating import import_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

DIRECTORY = "/update"
DEMANDED, NONE, ASKED = 8443, 8444, 8445
"""The ports of the recordings, by what becomes of client certificates there."""

TRUSTED = "Test Device CA"


def as_bytes(text: str | dict[str, Any]) -> bytes:
    if isinstance(text, str):
        return text.encode()
    if "hex" in text:
        return bytes.fromhex(text["hex"])
    return text["text"].encode(text.get("encoding", "utf-8"))


class Master:
    """A web server that plays the master device."""

    def __init__(self, pages: dict[str, Any]) -> None:
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                page = pages.get(self.path, {"status": 404, "text": ""})
                body = as_bytes(page)
                self.send_response(page["status"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Tokens:
    """Fills in what stands in braces."""

    def __init__(self, master: str, ports: dict[int, int] | None = None) -> None:
        self._masters = {"{MASTER}": master, "{MASTER_DOWN}": "http://127.0.0.1:9"}
        self._ports = ports or {}
        self._plain: dict[str, str] = {}

    def at(self, port: int) -> None:
        """Take note of the port at which the server is reached."""
        base = f"http://127.0.0.1:{port}{DIRECTORY}"
        self._plain = {
            "{DIR}": DIRECTORY,
            "{DIR_ENC}": quote(DIRECTORY, safe=""),
            "{HOST}": "127.0.0.1",
            "{BASE}": base,
            "{BASE_ENC}": quote(base, safe=""),
            "{PEER_IP}": "127.0.0.1",
        }

    def in_installation(self, content: bytes) -> bytes:
        for token, value in self._masters.items():
            content = content.replace(token.encode(), value.encode())
        for port, real in self._ports.items():
            content = content.replace(b'httpsport="%d"' % port, b'httpsport="%d"' % real)
        return content

    def in_command(self, command: str) -> str:
        for port, real in self._ports.items():  # as it stands in recording 123
            command = command.replace(f"{{HOST}}%3A{port}", f"{{HOST}}%3A{real}")
        for token, value in self._plain.items():
            command = command.replace(token, value)
        command = command.replace("{CSR_SIGNATURE_DEFAULT}", "SHA256")
        command = re.sub(r"\{BASE_TLS:(\d+)\}", lambda found: self._secure(found[1]), command)
        return re.sub(r"\{BASE_TLS_ENC:(\d+)\}", lambda found: quote(self._secure(found[1]), safe=""), command)

    def _secure(self, port: str) -> str:
        real = str(self._ports.get(int(port), port))
        return f"https://127.0.0.1{'' if real == '443' else ':' + real}{DIRECTORY}"


def install(recording: dict[str, Any], folder: Path, tokens: Tokens) -> Path:
    """Write the recorded installation to *folder*, as it lay on the disk of the PHP server."""
    for name in ("config", "scripts"):
        (folder / name).mkdir(parents=True)
    if recording.get("user_config") is not None:
        content = tokens.in_installation(as_bytes(recording["user_config"]))
        (folder / "config/user-config.xml").write_bytes(content)
    write_scripts(folder, recording.get("scripts") or {})
    for name, said in (recording.get("files") or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_bytes(said))
        age = said.get("age_seconds", 0) if isinstance(said, dict) else 0
        os.utime(path, (time.time() - age, time.time() - age))
    return folder


def write_scripts(folder: Path, scripts: dict[str, Any]) -> None:
    for name, said in scripts.items():
        (folder / "scripts" / name).write_bytes(as_bytes(said))


def scripting_source(scripting: dict[str, Any]) -> bytes:
    """Return the recorded code of the installation as gitupd offers it; words in braces are values of the poll."""
    lines = {name: list(scripting[name]) for name in ("pre", "post")}
    return f"""\
class Lines:
    def filled(self, lines, device):
        words = {{"{{build}}": device.firmware, "{{sn}}": device.sn, "{{type}}": device.type}}
        for word, value in words.items():
            lines = [line.replace(word, value) for line in lines]
        return lines

    def pre(self, device):
        return self.filled({lines["pre"]!r}, device)

    def post(self, device):
        return self.filled({lines["post"]!r}, device)

    def standard(self, device):
        return {scripting["standard"]!r}
""".encode()


def commit(site_path: Path, installation: Path, scripting: bytes | None) -> str:
    """Commit what the importer makes of *installation* now, deploy it, and return the commit."""
    site = Site(site_path)
    files = dict(import_installation(installation).files)
    if scripting:
        files["scripting.py"] = scripting
    site.config.commit_files(files, "Changed", "Test <test@localhost>")
    deployment, _ = deploy(site, "main", who="test", now=now())
    site.close()
    return deployment.commit


def hand_in_certificate(site: Site, step: dict[str, Any], commit: str) -> None:
    """Hand in the signed certificate of *step*, as an administrator does, while *commit* is deployed."""
    snapshot = load(site.config.files(commit))
    answer = SignedAnswer(parse_serial(step["sn"]), as_bytes(step["text"]), "test", now())
    hand_in(site.rollouts, answer, snapshot.policy.certificates, snapshot.chain)


class Authorities:
    """The authorities of the recordings; a site trusts one of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Authority] = {}

    def named(self, name: str) -> Authority:
        return self._known.setdefault(name, Authority.root(name))

    def context(self, said: dict[str, Any] | None) -> ssl.SSLContext:
        """Return what a device speaks TLS with that has such a certificate, None for none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if said is not None:
            more = {} if said.get("subject_is_cn_only") else {"country": "DE", "organization": "innovaphone"}
            issued = self.named(said["issuer_cn"]).device(said["cn"], subject=subject(said["cn"], **more))
            files = issued.files(self._folder, f"device-{issued.certificate.serial_number}")
            context.load_cert_chain(files.certificate, files.key)
        return context


@dataclass(frozen=True)
class Scene:
    """A running server, the ports at which it stands for the recorded ones, and the authorities."""

    server: Server
    ports: dict[int, int]
    authorities: Authorities

    def connection(self, tls: dict[str, Any] | None) -> http.client.HTTPConnection:
        if tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        context = self.authorities.context(tls["client_cert"])
        return http.client.HTTPSConnection("127.0.0.1", self.ports[tls["port"]], timeout=30, context=context)


def send(scene: Scene, step: dict[str, Any]) -> tuple[int | None, bytes]:
    """Return status and body of what is answered; the status is None if the handshake is refused."""
    path = step["path"]
    target = DIRECTORY + path if not path.startswith("/mtls/") else "/mtls" + DIRECTORY + path.removeprefix("/mtls")
    connection = scene.connection(step.get("tls"))
    headers = step.get("headers") or {}
    try:
        connection.putrequest(step["method"], target, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        body = step.get("body")
        content = None if body is None else with_dates(as_bytes(body))
        if content is not None:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        response = connection.getresponse()
        return response.status, response.read()
    except (ssl.SSLError, ConnectionError):
        if step.get("tls") is None:
            raise
        return None, b""
    finally:
        connection.close()


def with_dates(content: bytes) -> bytes:
    """Return *content* with the days relative to today that stand in braces, such as ``{T+1000d}``."""

    def written(found: re.Match[bytes]) -> bytes:
        return (now() + timedelta(days=int(found[1]))).strftime("%Y-%m-%dT%H:%M:%S").encode()

    return re.sub(rb"\{T([+-]\d+)d\}", written, content)


def commands_in(body: bytes, encoding: str) -> list[str]:
    """Return the command lines of a script, split and cleaned as the corpus is."""
    lines = [line.rstrip() for line in body.decode(encoding).split("\n")]
    return [line for line in lines if line and not line.startswith("#")]


def difference(step: dict[str, Any], status: int | None, body: bytes, tokens: Tokens) -> str | None:
    """Return how an answer differs from what *step* demands, None if it does not."""
    differs = step.get("verdict") == "differs"
    wanted = step["expect"] if differs else step
    allowed = wanted["status"] if isinstance(wanted["status"], list) else [wanted["status"]]
    if _is_distrusted(step, wanted) and (status in (None, 403) or (status == 200 and not commands_in(body, "utf-8"))):
        return None
    if status not in allowed:
        return f"status {status} instead of {allowed}: {body[:200]!r}"
    if status != 200:
        return None
    got = commands_in(body, step.get("commands_encoding", "utf-8"))
    if "commands" in wanted:
        expected = [tokens.in_command(command).rstrip() for command in wanted["commands"]]
        if got != expected:
            return "\n".join(["got:", *got, "", "expected:", *expected])
    for start in wanted.get("contains", ()):
        if not any(line.startswith(tokens.in_command(start)) for line in got):
            return f"no line starts with {start!r}: {got}"
    for start in wanted.get("lacks", ()):
        if any(line.startswith(tokens.in_command(start)) for line in got):
            return f"a line starts with {start!r}: {got}"
    return url_difference(wanted["url_args"], got) if "url_args" in wanted else None


def _is_distrusted(step: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether nothing is delivered for want of a good certificate: then it does not matter how that is said."""
    return bool(step.get("tls")) and wanted["status"] in (None, 403, 200) and wanted.get("commands") == []


def url_difference(wanted: dict[str, str], got: list[str]) -> str | None:
    """Return how the arguments of the last update URL differ from *wanted*."""
    urls = [line.removeprefix("config add UP1 /url ") for line in got if line.startswith("config add UP1 /url ")]
    said = parse_qs(urlsplit(unquote(urls[-1])).query, keep_blank_values=True)
    different = any(said.get(name) != [value] for name, value in wanted.items())
    return f"the update URL says {said}" if different else None


class Versions:
    """The backup history, watched for versions that come into being."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._count = site.backup_index.count()

    def difference(self, step: dict[str, Any]) -> str | None:
        """Return how what became of an upload differs from what *step* demands, None if it does not."""
        wanted = step.get("expect", step) if step.get("verdict") == "differs" else step
        if "new_version" not in wanted:
            return None
        before, self._count = self._count, self._settled()
        if self._count - before != int(wanted["new_version"]):
            return f"{self._count - before} new versions instead of {int(wanted['new_version'])}"
        if "stored" in wanted and (stored := self._stored()) != wanted["stored"]:
            return f"stored {stored!r} instead of {wanted['stored']!r}"
        return None

    def _settled(self) -> int:
        """Return how many versions there are once nothing is on its way any more."""
        until(lambda: not self._site.backup_inbox.count(), "uploads stay in the inbox")
        return self._site.backup_index.count()

    def _stored(self) -> str:
        """Return the lines of the newest version that count."""
        (version,) = self._site.backup_index.newest(1)
        deployed = self._site.deployments.live()
        policy = load(self._site.config.files(deployed.commit)).policy.backup
        lines = counting(lines_of(self._site.backups.content(version.blob)), Volatile(policy.ignore))
        return b"\n".join(lines).decode()


@contextmanager
def played_master(recording: dict[str, Any]) -> Iterator[Master]:
    master = Master(recording.get("master") or {})
    try:
        yield master
    finally:
        master.stop()


def replay(recording: dict[str, Any], folder: Path) -> list[str]:
    """Replay *recording* in the empty *folder*; return every difference."""
    with played_master(recording) as master:
        ports = {port: free_port() for port in (DEMANDED, NONE, ASKED)} if _speaks_tls(recording) else {}
        tokens = Tokens(master.url, ports)
        installation = install(recording, folder / "php", tokens)
        if recording.get("expect_import_error"):
            return refused(recording, installation, folder / "site")
        site, deployment, _ = import_site(installation, folder / "site", who="test", now=now())
        site.close()
        scripting = scripting_source(recording["scripting"]) if recording.get("scripting") else None
        live = commit(site.path, installation, scripting) if scripting else deployment.commit
        authorities = Authorities(folder / "keys")
        listen(site.path, ports, authorities)
        differences = []
        with _served(site.path, ports) as server, closing(Site(site.path)) as seen:
            versions = Versions(seen)
            tokens.at(server.port)
            server.ready(live)
            scene = Scene(server, ports, authorities)
            for number, step in enumerate(recording["steps"]):
                if step.get("action") == "commit":
                    write_scripts(installation, step["scripts"])
                    server.ready(commit(site.path, installation, scripting))
                    continue
                if step.get("action") == "upload_signed_certificate":
                    hand_in_certificate(seen, step, live)
                    continue
                status, body = send(scene, step)
                if found := difference(step, status, body, tokens) or versions.difference(step):
                    differences.append(f"step {number} {step['path'][:300]}\n{found}")
        most = recording.get("master_requests")
        if most is not None and master.requests > most:
            differences.append(f"the master device was asked {master.requests} times instead of {most} at the most")
        return differences


def _speaks_tls(recording: dict[str, Any]) -> bool:
    return any(step.get("tls") for step in recording["steps"])


def listen(site: Path, ports: dict[int, int], authorities: Authorities) -> None:
    """Have the site listen at *ports* as the recorded server did, and trust the authority that it trusted."""
    if not ports:
        return
    tables = ['[[listen]]\naddress = "127.0.0.1:0"\n']
    for port, certificates in ((DEMANDED, "demanded"), (NONE, "none"), (ASKED, "asked")):
        address = f"127.0.0.1:{ports[port]}"
        tables.append(f'[[listen]]\naddress = "{address}"\ntls = true\nclient_certificates = "{certificates}"\n')
    with (site / "gitupd.toml").open("a") as settings:
        settings.write("\n" + "\n".join(tables))
    (site / "trust" / "recorded.pem").write_bytes(authorities.named(TRUSTED).pem)


def _served(site: Path, ports: dict[int, int]) -> AbstractContextManager[Server]:
    return serving(site, options=[] if ports else None, scripting="true")


def refused(recording: dict[str, Any], installation: Path, site: Path) -> list[str]:
    """Return how the refusal of the installation differs from the recorded one."""
    try:
        import_site(installation, site, who="test", now=now())
    except InvalidConfiguration as error:
        said = str(error).lower()
        unsaid = [text for text in recording["import_error_must_name"] if text.lower() not in said]
        left = [f"a site was left behind: {site}"] if site.exists() else []
        return [f"not named: {unsaid} in {said}", *left] if unsaid else left
    finally:
        shutil.rmtree(site, ignore_errors=True)
    return ["imported in spite of its errors"]
