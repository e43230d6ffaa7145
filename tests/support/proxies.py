"""Real proxies, with the configurations that the documentation gives."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.ports import free_port
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.authorities import Issued

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
LOCAL = "127.0.0.1"
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"  # where Debian has programs that answer

NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {configuration};
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs."""

    http: int
    https: int
    mtls: int
    """Where clients are asked for a certificate."""


@contextmanager
def proxying(file: str, folder: Path, shown: Issued, behind: Mapping[str, int]) -> Iterator[Proxy]:
    """Run the proxy that a file of the documentation configures, on ports that are free.

    *shown* is its certificate; *behind* has the ports of what stands behind it, by those that the file names.
    """
    program = {"nginx.conf": "nginx", "Caddyfile": "caddy"}.get(file, "haproxy")
    if shutil.which(program, path=PATH) is None:
        pytest.skip(f"needs {program}")
    proxy = Proxy(free_port(), free_port(), free_port())
    text = _replaced((HOW_TO / file).read_text("utf-8"), _places(program, proxy, behind))
    configuration = folder / file
    configuration.write_text(_with_files(program, text, folder, shown), "utf-8")
    log = folder / "proxy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(program, folder, configuration),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PATH": PATH, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        )
    try:
        until(lambda: process.poll() is not None or all(map(listens, (proxy.http, proxy.https, proxy.mtls))))
        assert process.poll() is None, log.read_text()
        yield proxy
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _places(program: str, proxy: Proxy, behind: Mapping[str, int]) -> dict[str, str]:
    """Return where the proxy listens, and what stands behind it, by what is written in the file."""
    places = {f"{LOCAL}:{old}": f"{LOCAL}:{new}" for old, new in behind.items()}
    ports = {"80": proxy.http, "443": proxy.https, "444": proxy.mtls}
    before, after = {
        "nginx": ("listen ", f"listen {LOCAL}:"),
        "haproxy": ("bind :", f"bind {LOCAL}:"),
        "caddy": ("://:", "://:"),
    }[program]
    return {**{f"{before}{old}": f"{after}{new}" for old, new in ports.items()}, **places}


def _replaced(text: str, places: Mapping[str, str]) -> str:
    for number, (old, new) in enumerate(places.items()):
        assert old in text, f"{old!r} is not in it"
        text = text.replace(old, f"<{number}>")
        places = {**places, old: new}
    for number, new in enumerate(places.values()):
        text = text.replace(f"<{number}>", new)
    return text


def _with_files(program: str, text: str, folder: Path, shown: Issued) -> str:
    """Return a configuration with certificates of ours, and without what is not ours to do."""
    files = shown.files(folder, "proxy")
    if program == "haproxy":
        files.certificate.write_bytes(shown.bundle + shown.key_pem)
    text = text.replace("/etc/ssl/upd.example.pem", str(files.certificate))
    text = text.replace("/etc/ssl/upd.example.key", str(files.key))
    return text.replace("auto_https off", f"auto_https off\n\tadmin off\n\tdefault_bind {LOCAL}")


def _command(program: str, folder: Path, configuration: Path) -> list[str]:
    match program:
        case "nginx":
            main = folder / "main.conf"
            main.write_text(NGINX.format(folder=folder, configuration=configuration))
            return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(main)]
        case "caddy":
            return ["caddy", "run", "--config", str(configuration), "--adapter", "caddyfile"]
        case _:
            return ["haproxy", "-db", "-f", str(configuration)]


def listens(port: int) -> bool:
    """Whether something listens on *port*."""
    with socket.socket() as probe:
        return probe.connect_ex((LOCAL, port)) == 0
