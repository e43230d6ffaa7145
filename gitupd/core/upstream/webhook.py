"""Word of news from a host of repositories: whether who sends it knows the secret.

GitHub, Gitea and Forgejo sign the body; GitLab signs it, or sends the secret itself. What the body says is of no
interest: it can only lead to a fetch.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEX = ("x-hub-signature-256", "x-gitea-signature", "x-forgejo-signature")
_SIGNED, _ID, _TIME = "webhook-signature", "webhook-id", "webhook-timestamp"
_TOKEN = "x-gitlab-token"  # noqa: S105 - the name of a header
HEADERS = frozenset({*_HEX, _SIGNED, _ID, _TIME, _TOKEN})
"""The headers that say who sends it, in lower case."""

_KEY = "whsec_"
_TOLERANCE = 300
_MOST_SIGNATURES = 10


class WebhookCheck:
    """A message that comes in part by part; it need not be kept for that."""

    def __init__(self, headers: Mapping[str, str], secret: str, now: float) -> None:
        """Look at a message with *headers*, in lower case, that came at *now*, in seconds since 1970."""
        self._body = hashlib.sha256()
        self._hmac = hmac.new(secret.encode(), digestmod=hashlib.sha256)
        self._is_known = False
        if _SIGNED in headers:
            self._hmac = hmac.new(_key(secret), _signed_before(headers), hashlib.sha256)
            self._signatures = [_decoded(each) for each in headers[_SIGNED].split(" ")[:_MOST_SIGNATURES]]
            self._is_timely = _is_timely(headers.get(_TIME, ""), now)
            return
        self._is_timely = True
        given = next((headers[name] for name in _HEX if name in headers), "")
        self._signatures = [_from_hex(given.removeprefix("sha256="))]
        if not given and _TOKEN in headers:
            self._is_known = _same(headers[_TOKEN].encode(), secret.encode())

    def add(self, part: bytes) -> None:
        """Take the next part of the body."""
        self._body.update(part)
        self._hmac.update(part)

    @property
    def is_genuine(self) -> bool:
        """Whether who has sent all of that knows the secret."""
        wanted = self._hmac.digest()
        matches = [hmac.compare_digest(wanted, signature) for signature in self._signatures]
        return self._is_known or (self._is_timely and any(matches))

    @property
    def fingerprint(self) -> bytes:
        """What the same message has in common with itself, when it comes again."""
        return self._body.digest()


def _key(secret: str) -> bytes:
    """Return the key that GitLab writes as ``whsec_`` and Base64."""
    if secret.startswith(_KEY):
        try:
            return base64.b64decode(secret.removeprefix(_KEY), validate=True)
        except ValueError:
            pass
    return secret.encode()


def _signed_before(headers: Mapping[str, str]) -> bytes:
    """Return what is signed in front of the body."""
    return f"{headers.get(_ID, '')}.{headers.get(_TIME, '')}.".encode()


def _is_timely(stamp: str, now: float) -> bool:
    return stamp.isascii() and stamp.isdecimal() and len(stamp) < 12 and abs(now - int(stamp)) <= _TOLERANCE  # noqa: PLR2004 - thousands of years


def _decoded(signature: str) -> bytes:
    version, _, text = signature.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else b""
    except ValueError:
        return b""


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text) if text.isascii() else b""
    except ValueError:
        return b""


def _same(one: bytes, other: bytes) -> bool:
    """Whether both are the same; how long that takes tells nobody how much of it is, nor how long they are."""
    return hmac.compare_digest(hashlib.sha256(one).digest(), hashlib.sha256(other).digest())
