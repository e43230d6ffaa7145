"""What is allowed in a configuration and hardly meant: what is odd once documents and snippets are seen together."""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gitupd.config.chain import certificates_in
from gitupd.config.schema import suggestion
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitupd.config.documents import Document
    from gitupd.core.policy import Certificates, Policy
    from gitupd.core.snapshot import Snapshot

_CERTIFICATES = "certificates/"
_WORD = re.compile(r"\{[^{}]*\}")
_STORAGE_WORDS = ("{build}", "{model}", "{filetype}", "{filename}")
_REQUEST_WORDS = ("{sn}", "{hwid}", "{name}", "{ip}", "{realip}", "{proxy}", "{rdns}")
_RESTARTING = re.compile(rb"^[ \t]*vars create ", re.MULTILINE | re.IGNORECASE)
_BITS = re.compile(r"([0-9]{3,6})-bit")
_MOST_BITS = 2048
_SEQUENCE = b"\x30"
_SIGNATURE = re.compile(r"SHA-?(1|224|256|384|512)|SH256", re.IGNORECASE)
"""Names of algorithms; the last one is how the PHP server wrote its own."""
_COUNTRY = re.compile(r"[A-Za-z]{2}|\{.*", re.ASCII)
_LEAST_BYTES = 64
_DNS_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
_NO_BRANCH = ("refs/", "origin/", "heads/")


def unfit(snapshot: Snapshot, documents: Mapping[str, Document], files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Yield what of *snapshot*, which *documents* and *files* make, can hardly be meant."""
    yield from _restarts(snapshot)
    yield from _unknown_words(snapshot.policy, documents)
    yield from _odd_requests(snapshot.policy.certificates, documents["certificates"])
    yield from _odd_policies(snapshot.policy, documents)
    for path, content in files.items():
        if path.startswith(_CERTIFICATES):
            yield from _certificate_file(path, content, snapshot.policy)


def _restarts(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield warnings on commands after which a device restarts (docs/reference/device-protocol.md), at every poll."""
    if snapshot.policy.delivery.check:
        return
    for snippet in (each for each in snapshot.snippets if each.seal is None):
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


def _odd_requests(policy: Certificates, document: Document) -> Iterator[Problem]:
    """Yield what devices may not be able to put into a request, or authorities do not sign."""
    bits = _BITS.fullmatch(policy.key)
    if bits and int(bits[1]) > _MOST_BITS:
        message = f"a key of {bits[1]} bits takes a device very long to make, and each connection long to open"
        yield document.problem(["request", "key"], message, f"write {_MOST_BITS}-bit", warning=True)
    if not _SIGNATURE.fullmatch(policy.signature):
        message = f"{policy.signature!r} is no signature that devices are known to make"
        yield document.problem(["request", "signature"], message, "write SHA256", warning=True)
    for at, name in enumerate(policy.dns):
        if not _DNS_NAME.fullmatch(_WORD.sub("x", name)):
            yield document.problem(["request", "dns", at], f"{name!r} is no name of DNS", "", warning=True)
    for at, address in enumerate(policy.ip):
        if not _WORD.search(address) and not _is_address(address):
            yield document.problem(["request", "ip", at], f"{address!r} is no IP address", "", warning=True)
    country = policy.dn.get("c", "")
    if country and not _COUNTRY.fullmatch(country):
        message = f"{country!r} is no country: authorities sign codes of two letters only"
        yield document.problem(["request", "dn", "c"], message, "write a code such as DE", warning=True)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _odd_policies(policy: Policy, documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Yield what contradicts something else, or fits all or nothing."""
    if policy.status.forget_after <= policy.status.missing_after:
        message = "devices are forgotten before they count as missing"
        yield documents["status"].problem(["forget_after"], message, "make it longer than missing_after", warning=True)
    if policy.deploy.branch.startswith(_NO_BRANCH):
        name = policy.deploy.branch.rpartition("/")[2]
        message = f"{policy.deploy.branch!r} is what a clone calls a branch"
        yield documents["deploy"].problem(["branch"], message, f"write {name}", warning=True)
    for at, pattern in enumerate(policy.backup.ignore if "ignore" in documents["backup"].said else ()):
        if pattern.search("") is not None:
            message = "fits every line, so that no version is ever kept but the first"
            yield documents["backup"].problem(
                ["ignore", at], message, "write what is in those lines only", warning=True
            )
    models = {model for device_class in policy.classes for model in device_class.models}
    for at, rule in enumerate(policy.admission.accept):
        if rule.model is not None and rule.model not in models:
            message = f"no class has the model {rule.model!r}"
            hint = suggestion(rule.model, sorted(models))
            yield documents["admission"].problem(["accept", at, "type"], message, hint, warning=True)


def _certificate_file(path: str, content: bytes, policy: Policy) -> Iterator[Problem]:
    if b"PRIVATE KEY-----" in content:
        message = "a private key, which everybody gets who may read the configuration"
        yield Problem(path, 0, 0, message, "remove it, and replace the key: it stays in the history")
    elif fnmatchcase(path, policy.certificates.chain) and not _is_certificate(content):
        message = "no certificate, neither in PEM nor in DER"
        yield Problem(path, 0, 0, message, "put the certificate of the authority here", Severity.WARNING)


def _is_certificate(content: bytes) -> bool:
    return any(der.startswith(_SEQUENCE) and len(der) > _LEAST_BYTES for der in certificates_in(content))
