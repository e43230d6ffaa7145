"""Keys, passwords, tokens and codes are nowhere but where they belong, once a site was set up and a device certified.

Looked for in every byte of every file of the site, in its Git objects, in the log, in what errors are answered with,
and in what processes show of themselves.
"""

from __future__ import annotations

import base64
import http.client
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from support.polling import Polling
from support.serving import Server, serving
from support.visitors import ROOT, Visitor, add_key, add_person, logged_in

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import Stage
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.service.admission.codes import make_codes
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

SN = "00-90-33-46-0a-f2"
SERIAL = parse_serial(SN)
PASSWORD, ROOT_PASSPHRASE = "Mxq-the-password-of-vera", "Mxq-the-passphrase-of-the-root"
LISTENERS = """
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"
"""
MODES = {
    ".": 0o700,
    "authority": 0o700,
    "authority/passphrase": 0o600,
    "authority/1/root.key": 0o600,
    "authority/1/issuing.key": 0o600,
    "session.key": 0o600,
}


class Watch:
    """Takes note of what all processes show of themselves."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    @contextmanager
    def on(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "comm"):
                    with suppress(OSError):
                        self.seen.add((process / name).read_bytes())


def gitupd(site: Site, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "gitupd", *map(str, arguments), "--site", str(site.path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def errors(server: Server, secrets: dict[str, bytes]) -> bytes:
    """Return all that is said to requests that go wrong, each with a secret in it somewhere."""
    said = [logged_in_wrongly(server)]
    token, code = secrets["token"].decode(), secrets["code"].decode()
    poll = f"/update.php?type=IP222&hwid=IP222-46-0a-f3&ip=10.0.0.1&code={code}"
    for method, path, headers in (
        ("GET", f"{poll}&sn=00-90-33-46-0a-f3", {}),
        ("GET", f"{poll}&sn=nonsense", {}),
        ("GET", f"{poll}&sn=00-90-33-46-0a-f3&env=%00", {}),
        ("DELETE", f"{poll}&sn=00-90-33-46-0a-f3", {}),
        ("PUT", f"/update.php?mode=vardump&sn=x&code={code}", {}),
        ("GET", "/api/v1/nothing", {"Authorization": f"Bearer {token}"}),
        ("GET", "/api/v1/devices?limit=x", {"Authorization": f"Bearer {token}"}),
        ("GET", "/api/v1/devices", {"Authorization": f"Bearer {token}x"}),
        ("GET", "/config.git/info/refs?service=git-receive-pack", {"Authorization": _basic(f"{PASSWORD}x")}),
        ("POST", "/login", {"Content-Type": "application/x-www-form-urlencoded"}),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request(method, path, f"password={PASSWORD}" if method == "POST" else None, headers)
        said.append(connection.getresponse().read())
        connection.close()
    return b"\n".join(said)


def logged_in_wrongly(server: Server) -> bytes:
    with logged_in(server, "vera", PASSWORD), Visitor(server) as visitor:
        return visitor.log_in("vera", f"{PASSWORD}?").content


def _basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'vera:{password}'.encode()).decode()}"


def private_number(pem: bytes, passphrase: bytes) -> bytes:
    key = load_pem_private_key(pem, passphrase)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(32, "big")


def forms(secret: bytes) -> Iterator[bytes]:
    """Yield how a secret may be written, in part at least."""
    yield secret
    yield secret.hex().encode()
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + secret)[4:-4]


def objects_in(repository: Path) -> bytes:
    command = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch", "--unordered"]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout


def certified(site: Site, server: Server) -> Polling:
    """Have a device make a request, somebody approve it, and the device install its certificate."""
    device = Polling(server, Misbehaviour.SELF_MADE_CERTIFICATE, serial=SN)
    for stage, _ in ((Stage.SIGNING, 0), (Stage.GOOD, 1)):
        for _ in range(30):
            device.poll()
            record = site.rollouts.of(SERIAL)
            if record is not None and record.stage is stage:
                break
        else:
            raise AssertionError(f"it stays at {record}")
        if stage is Stage.SIGNING:
            gitupd(site, "certificates", "approve", SN)
    return device


@pytest.mark.slow
def test_nothing_secret_is_left_lying_about(own_site: Site, tmp_path: Path) -> None:
    site, watch = own_site, Watch()
    add_person(site, "vera", password=PASSWORD)
    secrets = {"password": PASSWORD.encode(), "passphrase": ROOT_PASSPHRASE.encode()}
    secrets["token"] = add_key(site, "vera").encode()
    secrets["code"] = make_codes(site, ROOT, now())[0][1].encode()
    (tmp_path / "root-passphrase").write_text(ROOT_PASSPHRASE)
    with (site.path / "gitupd.toml").open("a") as file:
        file.write(LISTENERS)
    with watch.on():
        told = gitupd(site, "certificates", "init", "--name", "Example", "--key", "ecdsa-p256", "--commit",
                      "--root-passphrase-file", tmp_path / "root-passphrase")  # fmt: skip
        policy = site.config.files(site.config.resolve("main"))
        text = policy["policies/certificates.yaml"] + b'enabled: true\nrequest: {dn: {cn: "{sn}"}}\n'
        files = {**policy, "policies/certificates.yaml": text, "policies/backup.yaml": b"enabled: false\n"}
        deploy(site, site.config.commit_files(files, "x", "Test <test@localhost>"), who="test", now=now())
        with serving(site.path, options=[]) as server:
            server.ready()
            device = certified(site, server)
            said = errors(server, secrets)
    own = (site.path / "authority/passphrase").read_bytes().strip()
    secrets["own passphrase"] = own
    for name, key in (("root", ROOT_PASSPHRASE.encode()), ("issuing", own)):
        secrets[f"{name} key"] = private_number((site.path / f"authority/1/{name}.key").read_bytes(), key)
    credential = device.phone.device.credential
    assert credential is not None
    der = credential.secret.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    secrets["device's key"] = der[-64:]
    places = {
        "errors": said,
        "processes": b"\n".join(watch.seen),
        "log": server.log.read_bytes(),
        "output": told.encode(),
        "objects": objects_in(site.path / "config.git"),
    }
    site.close()
    files_of = [path for path in site.path.rglob("*") if path.is_file() and not path.is_symlink()]
    places |= {path.relative_to(site.path).as_posix(): path.read_bytes() for path in files_of}
    assert b"serve" in places["processes"]
    assert b"approve" in places["processes"]
    found = {
        (name, place)
        for place, text in places.items()
        for name, secret in secrets.items()
        if any(form in text for form in forms(secret))
    }
    assert found == {("own passphrase", "authority/passphrase")}
    assert {name: (site.path / name).stat().st_mode & 0o777 for name in MODES} == MODES
    keys = [path for path in files_of if b"PRIVATE KEY-----" in places[path.relative_to(site.path).as_posix()]]
    assert len(keys) == 3, "the server's own, and those of the authority"
    assert not [path for path in keys if path.stat().st_mode & 0o077]


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_a_secret_is_found_however_it_is_written(before: bytes) -> None:
    secret = bytes(range(200, 232))
    for text in (before + secret + b"z", base64.b64encode(before + secret + b"z"), (before + secret).hex().encode()):
        assert any(form in text for form in forms(secret))
