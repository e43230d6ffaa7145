"""Repositories elsewhere for tests, behind real servers on 127.0.0.1: by HTTP, by Git's own protocol, and by SSH."""

from __future__ import annotations

import base64
import getpass
import os
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from support.ports import free_port
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gitupd.service.site import Site

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_NAME": "Ada" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "ada@example.org" for role in ("AUTHOR", "COMMITTER")},
}
SNIPPET = "snippets/all-all-all.txt"


@dataclass
class Elsewhere:
    """A bare repository, into which somebody commits."""

    path: Path
    lines: int = field(default=0)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        command = ["git", "-C", str(self.path), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, env=ENVIRONMENT, check=False, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="replace").strip()

    @property
    def head(self) -> CommitId:
        return CommitId(self.git("rev-parse", "refs/heads/main"))

    def commit(
        self,
        content: bytes | None = None,
        *,
        path: str = SNIPPET,
        parents: tuple[str, ...] | None = None,
        branch: str = "main",
    ) -> CommitId:
        """Add a commit with another line, or *content*, in the file at *path*, and return it."""
        self.lines += 1
        before = self.head if parents is None else None
        base = before or self.git("rev-parse", "refs/heads/main")
        text = content if content is not None else f"config add LINE{self.lines}\n".encode()
        blob = self.git("hash-object", "-w", "--stdin", stdin=text)
        index = {"GIT_INDEX_FILE": str(self.path / "index.tmp")}

        def staged(*arguments: str) -> str:
            command = ["git", "-C", str(self.path), *arguments]
            done = subprocess.run(command, capture_output=True, env={**ENVIRONMENT, **index}, check=True, timeout=60)
            return done.stdout.decode().strip()

        staged("read-tree", base)
        staged("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = staged("write-tree")
        (self.path / "index.tmp").unlink()
        above = (before,) if before else parents or ()
        options = [part for parent in above if parent for part in ("-p", parent)]
        commit = self.git("commit-tree", tree, "-m", f"Line {self.lines}", *options)
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return CommitId(commit)


def elsewhere(site: Site, place: Path) -> Elsewhere:
    """Return a repository at *place* with what *site* has, which follows it from now on by its path."""
    command = ["git", "clone", "-q", "--bare", str(site.path / "config.git"), str(place)]
    subprocess.run(command, check=True, env=ENVIRONMENT, timeout=60)
    return Elsewhere(place)


def follow(site: Site, url: str | Path, **others: str | int) -> None:
    """Have the settings of *site* on disk name the repository at *url*, and *others* besides."""
    told = "".join(f"{name} = {value if isinstance(value, int) else repr(value)}\n" for name, value in others.items())
    file = site.path / "gitupd.toml"
    kept = file.read_text("utf-8").partition("[upstream]")[0]
    file.write_text(f'{kept}[upstream]\nurl = "{url}"\n{told.replace(chr(39), chr(34))}', "utf-8")


@dataclass
class WebHost:
    """A server of Git by HTTP, as hosts of repositories run one, and what it does to those who ask.

    With a ``token``, nobody is let in without it.
    """

    root: Path
    port: int = 0
    token: str = ""
    status: int = 0
    """An answer to everything, 0 for Git's."""

    spoil: Callable[[int, list[tuple[str, str]], bytes], tuple[int, list[tuple[str, str]], bytes]] = (
        lambda status, headers, body: (status, headers, body)
    )
    """What becomes of Git's answers."""

    at_once: int = 2**20
    pause: float = 0
    """So many bytes at once, and seconds between them."""

    asked: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    """Has Git answer, as a web server does."""

    protocol_version = "HTTP/1.0"
    host: WebHost

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.body())

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        return b"".join(parts)

    def answer(self, body: bytes) -> None:
        self.host.asked.append(self.path)
        wanted = base64.b64encode(f"git:{self.host.token}".encode()).decode()
        if self.host.token and self.headers.get("Authorization") != f"Basic {wanted}":
            self.reply(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
        elif self.host.status:
            self.reply(self.host.status, [], b"")
        else:
            self.reply(*self.host.spoil(*self.asked_of_git(body)))

    def asked_of_git(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        path, _, query = self.path.partition("?")
        variables = {
            "GIT_PROJECT_ROOT": str(self.host.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        command = ["git", "-c", "safe.directory=*", "http-backend"]
        environment = {**ENVIRONMENT, **variables}
        done = subprocess.run(command, input=body, capture_output=True, env=environment, check=False)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        lines = [line.decode().partition(": ") for line in head.split(b"\r\n")]
        status = next((int(value.split()[0]) for name, _, value in lines if name == "Status"), 200)
        return status, [(name, value) for name, _, value in lines if name != "Status"], rest

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            for start in range(0, len(body), self.host.at_once):
                self.wfile.write(body[start : start + self.host.at_once])
                if self.host.pause and self.host.stopped.wait(self.host.pause):
                    return

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_host(root: Path) -> Iterator[WebHost]:
    """Serve the repositories below *root* by ``git http-backend`` while the block runs."""
    host = WebHost(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Handler", (_Handler,), {"host": host}))
    host.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def git_daemon(root: Path) -> Iterator[str]:
    """Serve the repositories below *root* by Git's own protocol; give the block the beginning of their addresses."""
    port = free_port()
    command = [
        "git",
        "daemon",
        f"--base-path={root}",
        "--export-all",
        "--listen=127.0.0.1",
        f"--port={port}",
        str(root),
    ]
    trusting = {**ENVIRONMENT, **_settings({"safe.directory": "*"})}
    with subprocess.Popen(command, env=trusting, stderr=subprocess.PIPE) as process:
        try:
            until(lambda: _answers(port), "git daemon does not listen")
            yield f"git://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def ssh_host(folder: Path, authorized: Path) -> Iterator[tuple[str, str]]:
    """Run a real sshd in *folder* that lets in who has the key *authorized*.

    Give the block the beginning of addresses, and the line for known_hosts.
    """
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if sshd is None:
        pytest.skip("sshd is not installed")
    Path("/run/sshd").mkdir(exist_ok=True)
    folder.mkdir()
    key, port = folder / "host", free_port()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    shutil.copy(authorized, folder / "authorized")
    options = {
        "HostKey": key,
        "AuthorizedKeysFile": folder / "authorized",
        "StrictModes": "no",
        "UsePAM": "no",
        "PidFile": folder / "pid",
        "PasswordAuthentication": "no",
        "AcceptEnv": "GIT_PROTOCOL",
    }
    settings = "".join(f"{name} {value}\n" for name, value in options.items())
    (folder / "config").write_text(f"Port {port}\nListenAddress 127.0.0.1\n{settings}")
    command = [sshd, "-D", "-e", "-f", str(folder / "config")]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            until(lambda: _answers(port) or process.poll() is not None, "sshd does not listen")
            assert process.poll() is None, (folder / "log").read_text()
            public = key.with_suffix(".pub").read_text().split()
            yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}", f"[127.0.0.1]:{port} {public[0]} {public[1]}\n"
        finally:
            process.terminate()


def _settings(pairs: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (name, value) in enumerate(pairs.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _answers(port: int) -> bool:

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
