"""Who has one device, with a good certificate, gets the script of no other, and speaks for no other."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.authorities import Authority, Issued, untrustworthy
from support.serving import Server, serving

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site

OWN, OWN_NAME = "00-90-33-30-00-af", "IP222-30-00-af"
OTHER, OTHER_NAME = "00-90-33-30-00-b0", "IP222-30-00-b0"
AUTHORITY = Authority.root().issuing()
SHOWN = AUTHORITY.device(OWN_NAME)
BAD = untrustworthy(AUTHORITY, OTHER_NAME, OWN_NAME)
BY_SERIAL = AUTHORITY.device(OWN.replace("-", ""))
CANARY = "correct-horse-battery-staple"
FOR_GATEWAYS, FOR_ALL = "gateways-only", "for-everybody"
LISTENERS = """
[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true

[[listen]]
address = "127.0.0.1:0"
tls = true
client_certificates = "asked"
"""
REST = "ip=10.0.0.1&polling=0&phase=update&env=default"
UNDERSCORED = OTHER.replace("-", "_")


@dataclass(frozen=True)
class Scene:
    """A server with a secret for one device, and somebody who has another."""

    site: Site
    server: Server
    folder: Path

    def ask(
        self,
        query: str,
        shown: Issued | None = SHOWN,
        *,
        port: int = 2,
        method: str = "GET",
        body: bytes | None = None,
        path: str = "/update.php",
        **headers: str,
    ) -> tuple[int, str]:
        """Make a request at the listener where certificates are asked for, or another."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if shown:
            files = shown.files(self.folder, "device")
            context.load_cert_chain(files.certificate, files.key)
        where = ("127.0.0.1", self.server.ports[port])
        connection = (
            http.client.HTTPSConnection(*where, context=context, timeout=30)
            if port
            else http.client.HTTPConnection(*where, timeout=30)
        )
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, f"{path}?{query}", body=body, headers=names)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("others")
    site, _ = create_site(folder / "site", who="test", now=now())
    (site.path / "trust").mkdir(exist_ok=True)
    assert AUTHORITY.above is not None
    (site.path / "trust/root.pem").write_bytes(AUTHORITY.above.pem)
    (site.path / "trust/revoked.crl").write_bytes(AUTHORITY.crl())
    with (site.path / "gitupd.toml").open("a") as file:
        file.write(LISTENERS)
    files = {
        "policies/transport.yaml": b"client_certificate: required\n",
        "policies/firmware.yaml": b"firmware: none\nbootcode: none\n",
        "policies/backup.yaml": b"enabled: true\n",
        "queries.yaml": b"queries: {probe: {title: Probe, command: mod cmd CMD0 xml-info}}\n",
        "snippets/all-all-all.txt": f"config add ALL /pw {FOR_ALL}\n".encode(),
        "snippets/all-gw-all.txt": f"config add GW /pw {FOR_GATEWAYS}\n".encode(),
        f"snippets/all-all-{UNDERSCORED}.txt": f"config add OTHER /pw {CANARY}\n".encode(),
    }
    commit = site.config.commit_files(files, "Secrets", "Test <test@localhost>")
    deploy(site, commit, who="test", now=now())
    with serving(site.path, options=[]) as server:
        server.ready(commit)
        yield Scene(site, server, folder)
    site.close()


def as_device(serial: str, name: str, kind: str = "IP222", rest: str = REST) -> str:
    return f"type={kind}&sn={serial}&hwid={name}&{rest}"


def test_each_device_gets_its_own(scene: Scene) -> None:
    status, script = scene.ask(as_device(OWN, OWN_NAME))
    assert (status, FOR_ALL in script, CANARY in script) == (200, True, False), script
    assert FOR_ALL in scene.ask(as_device(OWN, OWN_NAME), BY_SERIAL)[1]
    assert CANARY in scene.ask(as_device(OTHER, OTHER_NAME), AUTHORITY.device(OTHER_NAME))[1]


TRICKS = {
    "serial and hardware id": as_device(OTHER, OTHER_NAME),
    "the other's serial": as_device(OTHER, OWN_NAME),
    "the other's hardware id": as_device(OWN, OTHER_NAME),
    "no hardware id": as_device(OTHER, ""),
    "hardware id left out": f"type=IP222&sn={OTHER}&{REST}",
    "serial twice, own last": f"{as_device(OTHER, OTHER_NAME)}&sn={OWN}&hwid={OWN_NAME}",
    "serial twice, own first": f"sn={OWN}&hwid={OWN_NAME}&{as_device(OTHER, OTHER_NAME)}",
    "serial mangled": f"{as_device(OWN, OWN_NAME)}&+sn={OTHER}",
    "serial escaped": f"{as_device(OWN, OWN_NAME)}&%73n={OTHER}",
    "serial in capitals": as_device(OTHER.upper(), OTHER_NAME.upper()),
    "serial with colons": as_device(OTHER.replace("-", ":"), OTHER_NAME),
    "serial without dashes": as_device(OTHER.replace("-", ""), OTHER_NAME),
    "serial as an environment": as_device(OWN, OWN_NAME, rest=REST.replace("default", UNDERSCORED)),
    "serial as an environment, too": as_device(OWN, OWN_NAME, rest=REST.replace("default", f"default,{UNDERSCORED}")),
    "serial as an environment with dashes": as_device(OWN, OWN_NAME, rest=REST.replace("default", OTHER)),
    "serial as a phase": as_device(OWN, OWN_NAME, rest=REST.replace("update", UNDERSCORED)),
    "serial as a type": as_device(OWN, OWN_NAME, UNDERSCORED),
    "two hardware ids in one": as_device(OTHER, quote(f"{OWN_NAME},{OTHER_NAME}")),
    "hardware id with both ends": as_device(OTHER, f"{OWN_NAME}-30-00-b0"),
    "own certificate's name as serial": as_device(OWN_NAME, OTHER_NAME),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_request_brings_what_another_device_gets(scene: Scene, trick: str) -> None:
    for method in ("GET", "PUT", "POST", "HEAD"):
        for shown in (SHOWN, BY_SERIAL):
            assert CANARY not in scene.ask(TRICKS[trick], shown, method=method)[1], method
    for port in range(3):
        assert CANARY not in scene.ask(TRICKS[trick], None, port=port)[1], port


def test_the_body_of_a_form_changes_nobody(scene: Scene) -> None:
    form = as_device(OTHER, OTHER_NAME).encode()
    _, script = scene.ask(as_device(OWN, OWN_NAME), method="POST", body=form)
    assert CANARY not in script


def test_a_phone_is_not_told_what_is_for_gateways(scene: Scene) -> None:
    for name in (OWN_NAME, "IP6010-30-00-af"):
        assert FOR_GATEWAYS not in scene.ask(as_device(OWN, name, "IP6010"))[1]
    gateway = AUTHORITY.device("IP6010-30-00-af")
    assert FOR_GATEWAYS in scene.ask(as_device(OWN, "IP6010-30-00-af", "IP6010"), gateway)[1]


@pytest.mark.parametrize("fault", BAD)
def test_no_certificate_but_its_own_brings_it(scene: Scene, fault: str) -> None:
    for _ in range(2):  # the second time an answer may be kept
        status, script = scene.ask(as_device(OTHER, OTHER_NAME), BAD[fault])
        assert status == 200
        assert CANARY not in script
        assert FOR_ALL not in script


def test_nothing_is_taken_in_for_another(scene: Scene) -> None:
    body = b"config change CMD0 /name Mine\r\n"
    for mode in ("backup", "query&id=probe", "vardump&file=x", "other"):
        for who in (
            f"sn={OTHER}&hwid={OTHER_NAME}",
            f"sn={OTHER}&hwid={OWN_NAME}",
            f"sn={OTHER}",
            f"hwid={OTHER_NAME}",
        ):
            for shown in (SHOWN, BY_SERIAL, None):
                status, said = scene.ask(f"mode={mode}&{who}", shown, method="PUT", body=body)
                assert status in (400, 403), (mode, who, said)
    status, said = scene.ask(f"mode=backup&sn={OWN}&hwid={OWN_NAME}", method="PUT", body=body)
    assert status == 200, said
