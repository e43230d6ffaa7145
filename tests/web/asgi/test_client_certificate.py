from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from support.authorities import Authority

from gitupd.errors import MalformedRequest
from gitupd.settings import Settings, _network
from gitupd.web.asgi.client_certificate import _kept, certificates_in
from gitupd.web.asgi.request import Requests

SHOWN = Authority.root().issuing().device("IP222-30-00-af")
DER, (_, ABOVE) = SHOWN.der, SHOWN.presented
B64 = base64.b64encode(DER).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f":{B64}:", (DER,)),
        (B64, (DER,)),
        (quote(SHOWN.pem.decode(), safe=""), (DER,)),
        (quote(SHOWN.pem.decode(), safe="+/="), (DER,)),
        (quote(SHOWN.bundle.decode(), safe=""), (DER, ABOVE)),
        (SHOWN.pem.decode().replace("\n", "\n\t"), (DER,)),
        (SHOWN.pem.decode().replace("\n", " "), (DER,)),
        (f":{B64}:, :{base64.b64encode(ABOVE).decode()}:", (DER, ABOVE)),
        (f"  {B64} ", (DER,)),
        ("", ()),
        (" ", ()),
        ("(null)", ()),
        ("-", ()),
    ],
)
def test_each_proxy_has_its_own_way_to_write_it(text: str, expected: tuple[bytes, ...]) -> None:
    assert certificates_in(text) == expected


@pytest.mark.parametrize(
    "text", ["junk!", "::", ",", f":{B64[:-2]}:", "%zz", "-----BEGIN CERTIFICATE-----", "\xff", "ü"]
)
def test_what_can_t_be_understood_is_not_nothing(text: str) -> None:
    assert certificates_in(text) == (text.encode(),)


def scope(peer: str, *headers: tuple[bytes, bytes], shown: tuple[bytes, ...] = ()) -> dict[str, Any]:
    return {"client": (peer, 1), "headers": list(headers), "gitupd.certificates": shown}


PROXIED = Requests(Settings(trusted_proxies=(_network("10.0.0.0/8"),), client_certificate_header="client-cert"))
HEADER = (b"client-cert", f":{B64}:".encode())


def test_a_header_is_believed_of_a_trusted_proxy_alone() -> None:
    assert PROXIED.certificates(scope("10.0.0.1", HEADER)) == (DER,)
    assert PROXIED.certificates(scope("192.0.2.1", HEADER)) == ()
    assert PROXIED.certificates(scope("192.0.2.1", HEADER, shown=(ABOVE,))) == (ABOVE,)
    unset = Requests(Settings(trusted_proxies=(_network("10.0.0.0/8"),)))
    assert unset.certificates(scope("10.0.0.1", HEADER)) == ()
    no_proxy = Requests(Settings(client_certificate_header="client-cert"))
    assert no_proxy.certificates(scope("10.0.0.1", HEADER)) == ()


def test_a_proxy_that_hands_on_none_has_no_device_that_shows_one() -> None:
    """What came with its own handshake is its own certificate, and no device's."""
    assert PROXIED.certificates(scope("10.0.0.1", shown=(DER,))) == ()
    assert PROXIED.certificates(scope("10.0.0.1", (b"client-cert", b""), shown=(DER,))) == ()


def test_a_header_that_is_there_twice_is_no_request() -> None:
    with pytest.raises(MalformedRequest):
        PROXIED.certificates(scope("10.0.0.1", HEADER, (b"client-cert", b"")))


def test_the_rest_of_the_chain_has_a_header_of_its_own() -> None:
    chain = (b"client-cert-chain", f":{base64.b64encode(ABOVE).decode()}:".encode())
    assert PROXIED.certificates(scope("10.0.0.1", HEADER, chain)) == (DER, ABOVE)
    assert PROXIED.certificates(scope("10.0.0.1", chain)) == ()
    other = Requests(Settings(trusted_proxies=(_network("10.0.0.0/8"),), client_certificate_header="x-cert"))
    assert other.certificates(scope("10.0.0.1", (b"x-cert", HEADER[1]), chain)) == (DER,)


def test_without_proxies_it_is_what_the_handshake_had() -> None:
    assert Requests(Settings()).certificates(scope("10.0.0.1", HEADER, shown=(DER, ABOVE))) == (DER, ABOVE)
    assert Requests(Settings()).certificates({"client": ("10.0.0.1", 1), "headers": []}) == ()


def test_what_is_endless_is_read_and_not_remembered() -> None:
    endless = base64.b64encode(b"x" * 20_000).decode()
    before = _kept.cache_info().currsize
    assert certificates_in(endless) == (b"x" * 20_000,)
    assert _kept.cache_info().currsize == before
