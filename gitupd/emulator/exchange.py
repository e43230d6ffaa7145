"""What passes between a device, which does no I/O, and whoever drives it.

A device is a generator. It yields a `Request` or a `Pause`; it is sent a `Response` or a `Failure` for the first, and
None for the second, when the pause is over.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar


class Purpose(Enum):
    """Why a device makes a request."""

    POLL = "poll"
    FIRMWARE = "firmware"
    CONFIG = "config"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, and how to send it."""

    purpose: Purpose
    method: str
    url: str
    chunks: tuple[bytes, ...] | None = None
    """The body, one HTTP chunk each; None for no body, () for an empty one."""
    cut_after: int | None = None
    """Close the connection after so many chunks; None: send them all."""
    slow: bool = False
    copies: int = 1
    """How many identical requests to make at the same time, each on a connection of its own."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The device does nothing on the network for so many seconds of device time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, of whatever status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name; of repeated headers the last."""
    body: bytes = b""
    """Empty for firmware, of which only the length matters."""
    length: int = 0
    """Bytes of the body that arrived."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer; `kind` is a word to count by, `reason` a sentence."""

    kind: str
    reason: str


Step = Request | Pause
Answer = Response | Failure | None
Result = TypeVar("Result")
Talk = Generator[Step, Answer, Result]


def ask(request: Request) -> Talk[Response | Failure]:
    """Make one request."""
    answer = yield request
    return Failure("unanswered", "the driver sent nothing back") if answer is None else answer


def answered(body: bytes | str = b"", status: int = 200, **headers: str) -> Response:
    """Write a response by hand; a header's underscores stand for dashes."""
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Response(status, named, content, len(content))
