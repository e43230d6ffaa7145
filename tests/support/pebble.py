"""Debian's pebble, an authority that speaks ACME, on ports of its own."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.authorities import Authority
from support.ports import free_port
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BINDING = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}


@dataclass(frozen=True)
class Pebble:
    """A pebble that runs: where it is, and whom to trust for its own certificate."""

    directory: str
    ca_file: Path
    management: str

    @property
    def issuer(self) -> x509.Certificate:
        """The authority that signs; another one with each start."""
        return x509.load_pem_x509_certificate(self._ask("/intermediates/0"))

    @property
    def root(self) -> bytes:
        """The root, in PEM."""
        return self._ask("/roots/0")

    def _ask(self, path: str) -> bytes:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib.request.urlopen(self.management + path, context=context, timeout=10) as answer:  # noqa: S310
            return bytes(answer.read())


@contextmanager
def pebble(folder: Path, *, http_port: int = 0, valid: bool = True, bound: bool = False) -> Iterator[Pebble]:
    """Run one, which looks for proofs at *http_port* unless all names are *valid*; *bound* wants a binding."""
    authority = Authority.root("Pebble's own")
    files = authority.server("localhost", "127.0.0.1").files(folder, "pebble")
    (folder / "pebble-ca.pem").write_bytes(authority.pem)
    port, management = free_port(), free_port()
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(files.certificate),
        "privateKey": str(files.key),
        "httpPort": http_port or free_port(),
        "tlsPort": free_port(),
        "domainBlocklist": ["blocked-domain.example"],
        "externalAccountBindingRequired": bound,
        "externalAccountMACKeys": BINDING,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    environment = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    environment |= {"PEBBLE_VA_ALWAYS_VALID": "1"} if valid else {}
    with (folder / "pebble.log").open("wb") as log, _names(folder, valid=valid) as resolver:
        process = subprocess.Popen(
            ["pebble", "-config", str(folder / "pebble.json"), *resolver], stdout=log, stderr=log, env=environment
        )
        made = Pebble(f"https://127.0.0.1:{port}/dir", folder / "pebble-ca.pem", f"https://127.0.0.1:{management}")
        try:
            until(lambda: _answers(made), lambda: f"pebble does not start: {(folder / 'pebble.log').read_text()}")
            yield made
        finally:
            process.kill()
            process.wait()


@contextmanager
def _names(folder: Path, *, valid: bool) -> Iterator[list[str]]:
    """Have every name lead to 127.0.0.1, where proofs are looked for; give options that say so."""
    if valid:
        yield []
        return
    dns, management = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    command = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", dns]
    others = [word for kind in ("-http01", "-https01", "-tlsalpn01") for word in (kind, "")]
    with (folder / "names.log").open("wb") as log:
        process = subprocess.Popen([*command, *others, "-management", management], stdout=log, stderr=log)
        try:
            yield ["-dnsserver", dns]
        finally:
            process.kill()
            process.wait()


def _answers(made: Pebble) -> bool:
    try:
        return made.issuer.public_bytes(Encoding.DER) != b""
    except OSError:
        return False
