"""The command that has a device make a signing request: the words of its template filled in."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from gitupd.core.endpoint import quoted
from gitupd.core.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.core.policy import Certificates

SUBJECT_PARTS = ("cn", "ou", "o", "l", "st", "c")
MOST_DNS_NAMES, MOST_ADDRESSES = 3, 2
_WORD = re.compile(r"\{(sn|hwid|name|ip|realip|proxy|rdns)\}")
_NO_DNS_NAME = re.compile(r"[^a-z0-9-]+", re.IGNORECASE | re.ASCII)
_TYPED_WITH_PLUS = frozenset({"mypbxi", "mypbxa"})


@dataclass(frozen=True, slots=True)
class RequestWords:
    """What the words of a template stand for; None is not known, and not known yet if ``pending`` names the word."""

    values: Mapping[str, str | None]
    pending: frozenset[str] = frozenset()

    def filled(self, template: str) -> str:
        """Return *template* with its words filled in; empty if one of them is not known (recording 166b)."""
        unknown = any(self.values.get(word) is None for word in _WORD.findall(template))
        return "" if unknown else _WORD.sub(lambda word: self.values[word[1]] or "", template)


def dns_name(text: str) -> str:
    """Return *text* as a label of a DNS name: small letters, and a dash for whatever has no place there."""
    return _NO_DNS_NAME.sub("-", text).lower()


def uses(policy: Certificates, word: str) -> bool:
    """Whether the template of *policy* has *word* in it."""
    return any(f"{{{word}}}" in template for template in _templates(policy))


def awaited(policy: Certificates, words: RequestWords) -> tuple[str, ...]:
    """Return the words of the template that are not known yet, and may be known later."""
    used = {word for template in _templates(policy) for word in _WORD.findall(template)}
    return tuple(sorted(used & words.pending))


def written_name(kind: str, value: str) -> str:
    """Return a name as it is compared: ``CN=…``, ``O=…`` and the like of a subject, or ``DNS=…``, ``IP=…``.

    Letter case counts in a subject, and in no name of DNS; addresses may be written in more than one way.
    """
    if kind == "DNS":
        value = value.rstrip(".").lower()
    elif kind == "IP":
        with suppress(ValueError):
            value = str(ip_address(value))
    return f"{kind}={value.strip()}"


def requested_names(policy: Certificates, words: RequestWords) -> tuple[str, ...]:
    """Return the names that a device is told to put into its request, as :func:`written_name` writes them."""
    subject = [(part.upper(), policy.dn.get(part, "")) for part in SUBJECT_PARTS]
    others = [*(("DNS", name) for name in policy.dns), *(("IP", name) for name in policy.ip)]
    filled = ((kind, words.filled(template)) for kind, template in (*subject, *others))
    return tuple(dict.fromkeys(written_name(kind, value) for kind, value in filled if value))


def request_command(policy: Certificates, words: RequestWords, model: str) -> str:
    """Return the command that has a device of *model* make a request as *policy* says.

    Options that are not set are sent empty, and two blanks stand behind the type, as the PHP server had it (recordings
    165, 179b). Two apps for mobiles want a plus instead of an encoded blank.
    """
    kind = "Signing+request" if fold(model) in _TYPED_WITH_PLUS else "Signing%20request"
    options = "".join(f" /{name} {quoted(value)}" for name, value in _options(policy, words))
    return f"mod cmd X509 servercert-create /cmd servercert-create /redirect /target device /type {kind} {options}"


def _options(policy: Certificates, words: RequestWords) -> Iterator[tuple[str, str]]:
    yield "key", words.filled(policy.key)
    yield "signature", words.filled(policy.signature)
    for part in SUBJECT_PARTS:
        yield f"dn-{part}", words.filled(policy.dn.get(part, ""))
    for name, templates, most in (("san-dns", policy.dns, MOST_DNS_NAMES), ("san-ip", policy.ip, MOST_ADDRESSES)):
        for template in (*templates, *[""] * most)[:most]:
            yield name, words.filled(template)


def _templates(policy: Certificates) -> tuple[str, ...]:
    return (policy.key, policy.signature, *policy.dn.values(), *policy.dns, *policy.ip)
