"""Who is asked for a certificate, whom that ends the handshake of, and what is told of those who pass."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from support.shaking import client

if TYPE_CHECKING:
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
