"""What proxies tell of those whom they pass on."""

from __future__ import annotations

import pytest

from gitupd.errors import MalformedRequest
from gitupd.web.asgi.forwarded import forwarded_addresses, forwarded_schemes, parse_address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("[203.0.113.7]:51234", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:DB8::0007", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:51234", "2001:db8::7"),
        ("::ffff:10.1.1.1", "10.1.1.1"),
        ("::FFFF:10.1.1.1", "10.1.1.1"),
        ("[::ffff:10.1.1.1]:80", "10.1.1.1"),
        ("unknown", None),
        ("_hidden:80", None),
        ("10.1.1.1.1", None),
        ("[10.1.1.1", None),
        ("", None),
        (":80", None),
    ],
)
def test_an_address(written: str, address: str | None) -> None:
    assert parse_address(written) == address


@pytest.mark.parametrize(
    ("header", "addresses"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", ["192.0.2.60"]),
        ('For="[2001:db8:cafe::17]:4711"', ["2001:db8:cafe::17"]),
        ("for=192.0.2.43, for=198.51.100.17", ["192.0.2.43", "198.51.100.17"]),
        ('for="192.0.2.43:80" ; by="a, b;for=1.1.1.1",for=_gazonk', ["192.0.2.43", None]),
        ("proto=https", []),
        ("", []),
    ],
)
def test_the_standard_header(header: str, addresses: list[str | None]) -> None:
    assert list(forwarded_addresses([(b"forwarded", header.encode())])) == addresses


def test_the_scheme_is_told_in_whatever_letter_case() -> None:
    assert list(forwarded_schemes([(b"x-forwarded-proto", b"http, HTTPS")])) == ["http", "https"]
    assert list(forwarded_schemes([(b"forwarded", b"for=1.1.1.1;Proto=HTTPS")])) == ["https"]
    assert list(forwarded_schemes([])) == []


def test_what_a_stranger_adds_to_a_proxys_word_is_refused() -> None:
    both = [(b"x-forwarded-for", b"198.51.100.1"), (b"forwarded", b"for=203.0.113.7")]
    with pytest.raises(MalformedRequest, match="x-forwarded-for and forwarded contradict each other"):
        forwarded_addresses(both)
    alike = [(b"x-forwarded-for", b"6.6.6.6, 203.0.113.7"), (b"forwarded", b'for="203.0.113.7:80"')]
    assert forwarded_addresses(alike)[-1] == "203.0.113.7"
