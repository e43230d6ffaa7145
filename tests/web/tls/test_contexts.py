"""Who is asked for a certificate, whom that ends the handshake of, and what is told of those who pass."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from support.authorities import Authority, rsa_key
from support.shaking import client, listener, shaking

from gitupd.listeners import KeyPair, TlsSettings
from gitupd.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from support.authorities import Files
    from support.shaking import Port

STRANGERS = ("without its chain", "self-signed", "of a stranger", "of one with a known name")
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def ask(port: int, shown: Files | None = None, version: ssl.TLSVersion | None = None) -> dict[str, Any]:
    context = client(shown)
    if version is not None:
        context.maximum_version = context.minimum_version = version
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    try:
        connection.request("GET", "/")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("kind", ["asked", "demanded"])
def test_the_application_is_told_of_the_whole_chain(tls: Port, kind: str, version: ssl.TLSVersion) -> None:
    said = ask(tls.port(kind), tls.files["good"], version)
    assert said["scheme"] == "https"
    assert said["listener"] == kind
    assert said["certificates"] == [each.hex() for each in tls.issued["good"].presented]


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_stranger_who_is_asked_is_answered(tls: Port, name: str, version: ssl.TLSVersion) -> None:
    said = ask(tls.port("asked"), tls.files[name], version)
    assert said["certificates"] == [each.hex() for each in tls.issued[name].presented]


def test_who_shows_none_where_it_is_asked_is_answered(tls: Port) -> None:
    assert ask(tls.port("asked"))["certificates"] == []


@pytest.mark.parametrize("name", [None, *STRANGERS])
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_stranger_is_refused_where_a_certificate_is_demanded(
    tls: Port, name: str | None, version: ssl.TLSVersion
) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        ask(tls.port("demanded"), None if name is None else tls.files[name], version)


def test_nobody_is_asked_where_none_is_wanted(tls: Port) -> None:
    assert ask(tls.port("none"), tls.files["good"])["certificates"] == []


def test_names_are_answered_with_the_certificates_that_have_them(tmp_path: Path) -> None:
    root = Authority.root("R")
    pairs = {"one": ("one.example",), "two": ("two.example", "*.two.example")}
    issued = {name: root.server(*names) for name, names in pairs.items()}
    for name, each in issued.items():
        each.files(tmp_path / "tls", name)
    first, further = (KeyPair(f"tls/{name}.pem", f"tls/{name}.key") for name in pairs)
    with shaking(tmp_path, Settings(tls=TlsSettings(first, (further,))), listener("none")) as workers:
        for name, answered in {
            None: "one",
            "one.example": "one",
            "TWO.example": "two",
            "a.two.example": "two",
            "a.b.two.example": "one",
            "three.example": "one",
            ("x" * 60 + ".") * 3 + "example": "one",
        }.items():
            assert presented(workers.ports[0], name) == issued[answered].der, name


def presented(port: int, name: str | None) -> bytes | None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as opened,
        client().wrap_socket(opened, server_hostname=name) as encrypted,
    ):
        return encrypted.getpeercert(binary_form=True)


OLD = {
    "TLS 1.0": (ssl.TLSVersion.TLSv1, "ALL"),
    "TLS 1.1": (ssl.TLSVersion.TLSv1_1, "ALL"),
    "no forward secrecy": (ssl.TLSVersion.TLSv1_2, "AES128-SHA"),
}


@pytest.mark.parametrize("what", OLD)
@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_what_only_old_devices_speak_is_understood_if_that_is_wanted(
    tmp_path: Path, what: str, *, allowed: bool
) -> None:
    context = client()
    version, ciphers = OLD[what]
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    settings = Settings(tls=TlsSettings(old_devices=allowed))
    with (
        shaking(tmp_path, settings, listener("none")) as workers,
        socket.create_connection(("127.0.0.1", workers.ports[0]), timeout=30) as opened,
    ):
        if allowed:
            context.wrap_socket(opened).close()
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(opened)


@pytest.mark.parametrize("allowed", [False, True])
def test_keys_of_old_devices_are_good_enough_if_that_is_wanted(tmp_path: Path, *, allowed: bool) -> None:
    root = Authority.root("R")
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "root.pem").write_bytes(root.pem)
    files = root.device("IP222-46-0a-f2", key=rsa_key(1024, 1024)).files(tmp_path)
    settings = Settings(tls=TlsSettings(old_devices=allowed))
    with shaking(tmp_path, settings, *map(listener, ("asked", "demanded"))) as workers:
        context = client()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(files.certificate, files.key)
        for port, passes in zip(workers.ports, (True, allowed), strict=True):
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
            if passes:
                connection.request("GET", "/")
                assert len(json.loads(connection.getresponse().read())["certificates"]) == 1
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):  # noqa: PT012 - TLS 1.3 tells later
                    connection.request("GET", "/")
                    connection.getresponse()
            connection.close()


def test_without_an_authority_nobody_passes_where_one_is_demanded(tmp_path: Path) -> None:
    files = Authority.root("R").device("IP222-46-0a-f2").files(tmp_path)
    with (
        shaking(tmp_path, Settings(), listener("demanded")) as workers,
        pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)),
    ):
        ask(workers.ports[0], files)


def test_an_authority_below_another_one_is_enough_where_a_certificate_is_demanded(tmp_path: Path) -> None:
    plant = Authority.root("R").issuing("Plant")
    files = plant.device("IP222-46-0a-f2").alone().files(tmp_path)
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "plant.pem").write_bytes(plant.pem)
    with shaking(tmp_path, Settings(), listener("demanded")) as workers:
        assert len(ask(workers.ports[0], files)["certificates"]) == 1
