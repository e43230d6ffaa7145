"""The certificate of a device in a header, as proxies write it that end TLS in front of the server."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_NONE = frozenset({"", "-", "(null)"})
_MOST = 10
_LONGEST_KEPT = 8 * 1024  # a usual one is two or three KiB; of what strangers make up, little is kept


def certificates_in(text: str) -> tuple[bytes, ...]:
    """Return the certificates in the value of a header, in DER and in its order; none for an empty one.

    It is written as RFC 9440 has it (``:BASE64:``), as PEM with its line ends escaped or folded, or as plain Base64 of
    DER; several have commas between them. What is none of these is a certificate that can't be read, and not none.
    """
    return _kept(text) if len(text) <= _LONGEST_KEPT else _parsed(text)


def _parsed(text: str) -> tuple[bytes, ...]:
    text = text.strip()
    if text in _NONE:
        return ()
    try:
        if "BEGIN" in text:
            blocks = _PEM.findall(unquote_to_bytes(text.replace("+", "%2B")))
            listed = [b"".join(block.split()) for block in blocks]
        else:
            listed = [part.strip().removeprefix(":").removesuffix(":").encode() for part in text.split(",")]
        decoded = tuple(base64.b64decode(each, validate=True) for each in listed[:_MOST])
    except (binascii.Error, ValueError):
        decoded = ()
    return decoded if decoded and all(decoded) else (text.encode(),)


_kept = lru_cache(maxsize=4096)(_parsed)
