"""Addresses, as a device reached the server."""

from __future__ import annotations

from gitupd.core.endpoint import Endpoint


def test_addresses_lie_below_the_place_where_the_device_reached_the_server() -> None:
    endpoint = Endpoint("http", "upd.example", 8080, "/a%20b")
    assert endpoint.base == "http://upd.example:8080/a%20b"
    assert endpoint.full("fw/1/") == endpoint.full("/fw/1/") == "http://upd.example:8080/a%20b/fw/1/"
    assert endpoint.full("https://cdn.example/x") == "https://cdn.example/x"
    assert Endpoint("https", "[::1]", 443).base == "https://[::1]"
    assert endpoint.moved_to_https(None) == Endpoint("https", "upd.example", 443, "/a%20b")
