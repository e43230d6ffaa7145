"""What proxies tell of those whom they pass on: ``X-Forwarded-For`` and ``-Proto``, or ``Forwarded`` of RFC 7239."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, TypeVar

from gitupd.errors import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Headers = Iterable[tuple[bytes, bytes]]

_T = TypeVar("_T")

_HOP = re.compile(r"\[(?P<inner>[^]]*)](?::[0-9]+)?|(?P<plain>[^:]*)(?::[0-9]+)?|(?P<colons>.*)")
_PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*))\s*(?:;|$)')
_QUOTED_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,')


def parse_address(text: str) -> str | None:
    """Return the address in *text*, None if there is none.

    Proxies write it with the port behind it, with brackets, or as IPv4 within IPv6; none of that is told on.
    """
    hop = _HOP.fullmatch(text.strip())
    written = "" if hop is None else hop["inner"] or hop["plain"] or hop["colons"] or ""
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def forwarded_addresses(headers: Headers) -> Sequence[str | None]:
    """Return whom each proxy says to have seen, the last one first asked last; None where that is no address.

    Raises MalformedRequest if the two headers contradict each other: one of them is not the proxy's, then.
    """
    return _either(headers, b"x-forwarded-for", "for", parse_address)


def forwarded_schemes(headers: Headers) -> Sequence[str]:
    """Return by which scheme each proxy was asked, in small letters; raises MalformedRequest as above."""
    return _either(headers, b"x-forwarded-proto", "proto", lambda text: text.strip().lower())


def _either(headers: Headers, name: bytes, parameter: str, parse: Callable[[str], _T]) -> Sequence[_T]:
    listed = [parse(each) for each in _joined(headers, name).split(",") if each.strip()]
    standard = [parse(each) for each in _parameters(_joined(headers, b"forwarded"), parameter)]
    if listed and standard and listed[-1] != standard[-1]:
        raise MalformedRequest(f"{name.decode()} and forwarded contradict each other")
    return listed or standard


def _joined(headers: Headers, name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in headers if key == name)


def _parameters(text: str, name: str) -> Iterable[str]:
    """Yield the parameter *name* of each element of a ``Forwarded`` header, empty where it is not there."""
    elements = _QUOTED_COMMA.sub(lambda found: found[1] or "\0", text).split("\0") if text else []
    for element in elements:
        pairs = {pair[1].lower(): pair[2] if pair[2] is not None else pair[3] for pair in _PAIR.finditer(element)}
        if name in pairs:
            yield pairs[name]
