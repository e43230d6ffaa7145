"""As much of DER as a device needs for certificates: writing a few types, reading any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_ID, UTF8_STRING = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C
UTC_TIME, SEQUENCE, SET = 0x17, 0x30, 0x31
EXPLICIT_0 = 0xA0
COMMON_NAME = "2.5.4.3"


@dataclass(frozen=True, slots=True)
class Node:
    """One element; `whole` is the content with the tag and the length in front."""

    tag: int
    content: bytes
    whole: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a device tells about a certificate; dates as it writes them, in UTC."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    public_key: bytes = b""


def element(tag: int, *parts: bytes) -> bytes:
    """Write an element."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 - the short form of a length
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    """Write a sequence."""
    return element(SEQUENCE, *parts)


def integer(value: int) -> bytes:
    """Write a number that is not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def object_id(dotted: str) -> bytes:
    """Write an object identifier."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return element(OBJECT_ID, bytes([40 * first + second]), *(_base128(arc) for arc in rest))


def _base128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(0x80 | arc & 0x7F)
    return bytes(reversed(digits))


def bits(content: bytes, unused: int = 0) -> bytes:
    """Write a bit string."""
    return element(BIT_STRING, bytes([unused]), content)


def children(content: bytes) -> Iterator[Node]:
    """Read elements one after the other; raises ValueError where there is none."""
    at = 0
    while at < len(content):
        node = _node_at(content, at)
        yield node
        at += len(node.whole)


def _node_at(content: bytes, at: int) -> Node:
    head = content[at : at + 2]
    if len(head) < 2:  # noqa: PLR2004 - a tag and a length
        raise ValueError("an element is cut short")
    start, size = at + 2, head[1]
    if size & 0x80:
        digits = size & 0x7F
        size, start = int.from_bytes(content[start : start + digits], "big"), start + digits
    if start + size > len(content):
        raise ValueError("an element is longer than what holds it")
    return Node(head[0], content[start : start + size], content[at : start + size])


def read_certificate(blob: bytes) -> Certificate:
    """Read an X.509 certificate without checking its signature; raises ValueError if it is none."""
    outer = _only(blob)
    signed = list(children(outer))
    if not signed:
        raise ValueError("an empty certificate")
    fields = [node for node in children(signed[0].content) if node.tag != EXPLICIT_0]
    if len(fields) < 6:  # noqa: PLR2004 - serial, algorithm, issuer, validity, subject, key
        raise ValueError("a certificate without all its fields")
    _, _, issuer, validity, subject, key, *_ = fields
    dates = [_date(node) for node in children(validity.content)]
    if len(dates) != 2:  # noqa: PLR2004 - from and until
        raise ValueError("a validity without two dates")
    return Certificate(_common_name(subject), _common_name(issuer), dates[0], dates[1], key.whole)


def _only(blob: bytes) -> bytes:
    nodes: Sequence[Node] = list(children(blob))
    if len(nodes) != 1 or nodes[0].tag != SEQUENCE:
        raise ValueError("not one sequence")
    return nodes[0].content


def _common_name(name: Node) -> str:
    for group in children(name.content):
        for pair in children(group.content):
            parts = list(children(pair.content))
            if len(parts) == 2 and parts[0].whole == object_id(COMMON_NAME):  # noqa: PLR2004 - kind and value
                return parts[1].content.decode("utf-8", errors="replace")
    return ""


def _date(node: Node) -> str:
    pattern = "%y%m%d%H%M%SZ" if node.tag == UTC_TIME else "%Y%m%d%H%M%SZ"
    moment = datetime.strptime(node.content.decode("ascii", errors="replace"), pattern).replace(tzinfo=UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
