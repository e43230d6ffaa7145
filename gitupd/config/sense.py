"""What is allowed in a configuration and hardly meant: what is odd once documents and snippets are seen together."""

from __future__ import annotations

import base64
import binascii
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitupd.config.documents import Document
    from gitupd.core.policy import Policy
    from gitupd.core.snapshot import Snapshot

_CERTIFICATES = "certificates/"
_WORD = re.compile(r"\{[^{}]*\}")
_STORAGE_WORDS = ("{build}", "{model}", "{filetype}", "{filename}")
_REQUEST_WORDS = ("{sn}", "{hwid}", "{name}", "{ip}", "{realip}", "{proxy}", "{rdns}")
_RESTARTING = re.compile(rb"^[ \t]*vars create ", re.MULTILINE | re.IGNORECASE)
_BITS = re.compile(r"([0-9]{3,6})-bit")
_MOST_BITS = 2048
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE = b"\x30"
_LEAST_BYTES = 64


def unfit(snapshot: Snapshot, documents: Mapping[str, Document], files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Yield what of *snapshot*, which *documents* and *files* make, can hardly be meant."""
    yield from _restarts(snapshot)
    yield from _unknown_words(snapshot.policy, documents)
    yield from _large_keys(snapshot.policy, documents["certificates"])
    for path, content in files.items():
        if path.startswith(_CERTIFICATES):
            yield from _certificate_file(path, content, snapshot.policy)


def _restarts(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield warnings on commands after which a device restarts (docs/reference/device-protocol.md), at every poll."""
    if snapshot.policy.delivery.check:
        return
    for snippet in snapshot.snippets:
        match = _RESTARTING.search(snippet.content)
        if match:
            line = snippet.content.count(b"\n", 0, match.start()) + 1
            message = "'vars create' with check: false, so that devices restart at every poll"
            hint = "set check: true in policies/delivery.yaml"
            yield Problem(snippet.path, line, 0, message, hint, Severity.WARNING)


def _unknown_words(policy: Policy, documents: Mapping[str, Document]) -> Iterator[Problem]:
    certificates = policy.certificates
    templates: list[tuple[str, list[str | int], str, Sequence[str]]] = [
        ("firmware", ["storage"], policy.firmware.storage, _STORAGE_WORDS),
        ("backup", ["upload_url"], policy.backup.upload_url, ()),
        ("queries", ["upload_url"], policy.queries_url, ()),
    ]
    requested: list[tuple[str, str | int, str]] = [
        *(("dn", part, text) for part, text in certificates.dn.items()),
        *(("dns", at, text) for at, text in enumerate(certificates.dns)),
        *(("ip", at, text) for at, text in enumerate(certificates.ip)),
    ]
    templates += [("certificates", ["request", part, at], text, _REQUEST_WORDS) for part, at, text in requested]
    for name, place, text, words in templates:
        for word in dict.fromkeys(_WORD.findall(text)):
            if word not in words:
                hint = f"known: {' '.join(words)}" if words else "nothing is filled in there but #m and the like"
                yield documents[name].problem(place, f"{word} is filled in by nobody", hint, warning=True)


def _large_keys(policy: Policy, document: Document) -> Iterator[Problem]:
    bits = _BITS.fullmatch(policy.certificates.key)
    if bits and int(bits[1]) > _MOST_BITS:
        message = f"keys of {bits[1]} bits are more than devices are known to make"
        yield document.problem(["request", "key"], message, f"write {_MOST_BITS}-bit", warning=True)


def _certificate_file(path: str, content: bytes, policy: Policy) -> Iterator[Problem]:
    if b"PRIVATE KEY-----" in content:
        message = "a private key, which everybody gets who may read the configuration"
        yield Problem(path, 0, 0, message, "remove it, and replace the key: it stays in the history")
    elif fnmatchcase(path, policy.certificates.chain) and not _is_certificate(content):
        message = "no certificate, neither in PEM nor in DER"
        yield Problem(path, 0, 0, message, "put the certificate of the authority here", Severity.WARNING)


def _is_certificate(content: bytes) -> bool:
    match = _PEM.search(content)
    if match is None:
        return content.startswith(_SEQUENCE) and len(content) > _LEAST_BYTES
    try:
        return base64.b64decode(b"".join(match[1].split()), validate=True).startswith(_SEQUENCE)
    except binascii.Error:
        return False
