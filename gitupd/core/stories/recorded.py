"""One request of a device and what it was answered with, as it is kept for those who watch that device."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from gitupd.core.admission.codes import ARGUMENT
from gitupd.core.concealing import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.concealing import Veil

LARGEST_TEXT = 64 * 1024
"""Bytes of an answer that are kept."""

_MOST_HEADERS = 50
_LONGEST = {"method": 16, "target": 8_200, "name": 100, "value": 1_000, "certificate": 200, "address": 64}
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_RESTORE = re.compile(r"(?i)((?:/|%(?:25)*2f)restore(?:/|%(?:25)*2f))[0-9a-z_-]+")
"""Until it is fetched, the address of a restore is as good as a password."""

Headers = tuple[tuple[str, str], ...]
"""Names in small letters, and values, in the order in which they were sent."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request of the device with that ``serial`` number, and what came of it.

    ``target`` is path and query as they were sent, ``status`` 0 if there was no answer, ``seconds`` how long it took.
    ``by_address`` says that the request names no device, and comes from the ``address`` where this one is.
    ``certificate`` is whom the certificate names that came along, empty for none or nobody. ``received`` and
    ``answered`` are bytes of both bodies, of which only the answer's text is kept: ``body`` is None for any other, and
    ``is_cut`` says that there was more of it.
    """

    serial: Serial
    at: datetime
    method: str
    target: str
    status: int = 0
    seconds: float = 0.0
    address: str = ""
    by_address: bool = False
    certificate: str = ""
    headers: Headers = ()
    received: int = 0
    answer_headers: Headers = ()
    answered: int = 0
    body: str | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """That the requests of a device are recorded: ``who`` wanted it, ``since`` when, and ``until`` when.

    ``gone`` counts those that had to make room for later ones.
    """

    serial: Serial
    since: datetime
    until: datetime
    who: str
    gone: int = 0

    def is_on(self, now: datetime) -> bool:
        """Whether it goes on."""
        return now < self.until


def text_of(body: bytes, *, is_whole: bool) -> str:
    """Return an answer's *body* as text, with LF at the ends of lines.

    Of one that is not whole, the last line is left out: nobody could tell what half a secret is.
    """
    if not is_whole:
        body = body.rpartition(b"\n")[0].removesuffix(b"\r")
    return body.decode(errors="replace").replace("\r\n", "\n")


def concealed(request: RecordedRequest, hide: Veil, secret_headers: Iterable[str] = ()) -> RecordedRequest:
    """Return *request* without what *hide* hides, one-time codes, and what lets somebody in; each text bounded.

    *secret_headers* are further names of headers whose values are nobody's business.
    """
    secret = _SECRET_HEADERS.union(secret_headers)
    body = request.body
    return replace(
        request,
        method=request.method[: _LONGEST["method"]],
        target=_target(request.target, hide)[: _LONGEST["target"]],
        address=request.address[: _LONGEST["address"]],
        certificate=hide.line(request.certificate)[: _LONGEST["certificate"]],
        headers=_headers(request.headers, hide, secret),
        answer_headers=_headers(request.answer_headers, hide, secret),
        body=None
        if body is None
        else "\n".join(_RESTORE.sub(rf"\1{HIDDEN}", hide.line(line)) for line in body.split("\n")),
    )


def _headers(headers: Headers, hide: Veil, secret: frozenset[str]) -> Headers:
    return tuple(
        (
            name[: _LONGEST["name"]],
            HIDDEN if name in secret else hide.variable(name, value)[: _LONGEST["value"]],
        )
        for name, value in headers[:_MOST_HEADERS]
    )


def _target(target: str, hide: Veil) -> str:
    path, mark, query = target.partition("?")
    plain = unquote_plus(path)
    path = _RESTORE.sub(rf"\1{HIDDEN}", hide.line(path) if hide.line(plain) == plain else hide.line(plain))
    return path + mark + "&".join(_argument(part, hide) for part in query.split("&"))


def _argument(part: str, hide: Veil) -> str:
    """Return ``NAME=VALUE`` as it was sent, with ``***`` for what is secret, however it is encoded."""
    name, equals, value = part.partition("=")
    plain = unquote_plus(value)
    if ARGUMENT in unquote_plus(name).lower():
        return f"{hide.line(name)}{equals}{HIDDEN}"
    seen = hide.variable(unquote_plus(name), plain)
    return hide.line(part) if seen == plain else f"{hide.line(name)}{equals}{quote(seen, safe='*')}"
