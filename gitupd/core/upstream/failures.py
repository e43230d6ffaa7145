"""What the program git says when a fetch fails, as what is wrong and how it is mended, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST = 300
_KNOWN: Sequence[tuple[tuple[str, ...], str]] = (
    (
        ("host key verification failed", "host key has changed", "identification has changed"),
        "the host key is not the one in known_hosts_file; if the host has a new one, put it there",
    ),
    (
        ("permission denied (", "no supported authentication methods"),
        "the host refuses the key in ssh_key_file; register its public half there, for reading",
    ),
    (
        ("authentication failed", "could not read username", "could not read password", "returned error: 401"),
        "the host refuses name and token; put a new one into token_file",
    ),
    (("returned error: 403",), "the token may not read this repository; give it the right to"),
    (
        (
            "repository not found",
            "returned error: 404",
            "does not appear to be a git repository",
            "' not found",
            "not exported",
        ),
        "there is no such repository, or the token may not see it; see url",
    ),
    (("could not resolve host",), "the name of the host is not known; see url, and the name service of this machine"),
    (("connection refused", "failed to connect"), "nobody answers there; see url, and whether the host runs"),
    (("certificate", "ssl"), "its TLS certificate is not trusted; name the authority of the host in ca_file"),
    (
        ("unable to update url base from redirection", "redirect"),
        "it has moved; put its new address into url",
    ),
    (("signal 25", "file too large", "file size limit"), "it sends more than largest; see whether that is meant"),
    (("out of memory", "cannot allocate memory", "malloc"), "it needs more memory than a fetch may take"),
    (("no space left on device", "disk quota"), "the disk of the site is full; make room"),
    (
        (
            "pack has bad",
            "invalid index-pack output",
            "pack is corrupted",
            "sha1 mismatch",
            "inflate",
            "index-pack failed",
            "early eof",
            "bad line",
        ),
        "what it sends is damaged or cut off; look at the repository there: git fsck",
    ),
    (
        ("did not send all necessary objects", "missing necessary objects"),
        "it does not send all of its branch",
    ),
    (("too slow", "timed out", "timeout"), "it is too slow, or does not answer"),
    (("hung up", "connection reset", "connection closed", "unexpected disconnect"), "it broke off in the middle"),
    (("mismatched algorithms", "object-format", "object format"), "its objects are named by SHA-256, ours by SHA-1"),
    (("shallow",), "it is a shallow clone, and has no whole history; follow the repository that it is from"),
    (("dubious ownership",), "the folder belongs to somebody else; give it to the account that gitupd runs as"),
)


def in_words(said: str, secrets: Iterable[str] = ()) -> str:
    """Return what is wrong when git has *said* something: the cause with its cure, and git's own words behind it.

    *secrets* are left out, wherever they come up.
    """
    line = _line(said, secrets)
    low = said.lower()
    for marks, words in _KNOWN:
        if any(mark in low for mark in marks):
            return f"{words} (git: {line})" if line else words
    return line or "git does not say why"


def _line(said: str, secrets: Iterable[str]) -> str:
    """Return the last words of *said* that can be shown, in one line."""
    for secret in secrets:
        if secret:
            said = said.replace(secret, "***")
    printable = "".join(letter if letter.isprintable() else " " for letter in said)
    words = " ".join(printable.split())
    return words if len(words) <= _LONGEST else f"…{words[1 - _LONGEST :]}"
