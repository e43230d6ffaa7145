"""The authority's certificates in a repository, which go along with a signed one."""

from __future__ import annotations

import base64
import binascii
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE = b"\x30"


def read_chain(files: Mapping[str, bytes], pattern: str) -> tuple[bytes, ...]:
    """Return the certificates (DER) in those *files* whose paths fit *pattern*, in the order of the paths.

    A file may hold several, one behind the other. What is no certificate is left out: the check of the configuration
    names it.
    """
    paths = sorted(path for path in files if fnmatchcase(path, pattern))
    return tuple(certificate for path in paths for certificate in certificates_in(files[path]))


def certificates_in(content: bytes) -> Iterator[bytes]:
    """Yield what seems to be certificates (DER) in a file, which has one as it is, or any number in PEM."""
    if content.startswith(_SEQUENCE):
        yield content
    for block in _PEM.findall(content):
        try:
            yield base64.b64decode(b"".join(block.split()), validate=True)
        except binascii.Error:
            continue
