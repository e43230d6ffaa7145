"""Addresses, as a device reached the server."""

from __future__ import annotations

import pytest

from gitupd.core.endpoint import Endpoint, parse_place, quoted
from gitupd.errors import MalformedRequest


def test_addresses_lie_below_the_place_where_the_device_reached_the_server() -> None:
    endpoint = Endpoint("http", "upd.example", 8080, "/a%20b")
    assert endpoint.base == "http://upd.example:8080/a%20b"
    assert endpoint.full("fw/1/") == endpoint.full("/fw/1/") == "http://upd.example:8080/a%20b/fw/1/"
    assert endpoint.full("https://cdn.example/x") == "https://cdn.example/x"
    assert Endpoint("https", "[::1]", 443).base == "https://[::1]"


@pytest.mark.parametrize(
    ("base", "endpoint"),
    [
        ("http://upd.example", Endpoint("http", "upd.example", 80)),
        ("https://upd.example/a%20b", Endpoint("https", "upd.example", 443, "/a%20b")),
        ("http://[::1]:8080/x", Endpoint("http", "[::1]", 8080, "/x")),
    ],
)
def test_an_endpoint_is_known_by_its_base(base: str, endpoint: Endpoint) -> None:
    assert Endpoint.parsed(base) == endpoint
    assert endpoint.base == base


@pytest.mark.parametrize("base", ["", "upd.example", "/update.php", "http://"])
def test_what_is_no_endpoint(base: str) -> None:
    with pytest.raises(ValueError, match="no endpoint"):
        Endpoint.parsed(base)


def test_everything_is_percent_encoded_as_devices_expect_it() -> None:
    assert quoted("a-b_c.d~ /&ü\udcff") == "a-b_c.d~%20%2F%26%C3%BC%FF"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("upd.example", ("upd.example", None, "")),
        ("upd.example:8080", ("upd.example", 8080, "")),
        ("upd.example:8080/phones", ("upd.example", 8080, "/phones")),
    ],
)
def test_a_place_of_a_server(text: str, place: tuple[str, int | None, str]) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "a b", "upd.example:0", "upd.example:65536", "http://upd.example", "x\n"])
def test_what_is_no_place_of_a_server(text: str) -> None:
    with pytest.raises(MalformedRequest, match="is no place of a server; write HOST"):
        parse_place(text)
