"""Ways from a certificate up to an authority, and whether they hold.

Of our own and not the library's: its rules are those of browsers, which certificates of devices don't meet, and its
verdict is for one moment (docs/decisions/0017-identity.md).
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitupd.store.certificates.reading import CertificateReading

Way = tuple["CertificateReading", ...]
"""The certificates above one, the nearest first, up to an authority of the site."""

_HIGHEST = 8
_MOST_STEPS = 200
_MOST_WAYS = 8
_NOBODY = "leads to no authority of this site"


def ways(
    own: CertificateReading, shown: Iterable[CertificateReading], authorities: Sequence[CertificateReading]
) -> tuple[tuple[Way, ...], str]:
    """Return the ways that hold from *own* to one of *authorities*, and why none does, as a sentence ends.

    What else was *shown* may be in any order, and belong to something else.
    """
    by_name: Mapping[bytes, dict[bytes, CertificateReading]] = defaultdict(dict)
    for above in (*authorities, *shown):
        if above.der != own.der:
            by_name[above.subject].setdefault(above.der, above)
    trusted = frozenset(authority.der for authority in authorities)
    search = _Search(by_name, trusted)
    holding: list[Way] = []
    faults: list[str] = []
    for way in search.upwards(own):
        if len(holding) == _MOST_WAYS:
            break
        if (fault := search.fault_of(own, way)) is None:
            holding.append(way)
        else:
            faults.append(fault)
    issuer = own.certificate.issuer or "nobody"
    return tuple(holding), faults[0] if faults else f"{_NOBODY}, but to {issuer}"


class _Search:
    """Looks for ways, and holds each against the rules; every signature is checked once, and with known keys only."""

    def __init__(self, by_name: Mapping[bytes, dict[bytes, CertificateReading]], trusted: frozenset[bytes]) -> None:
        self._by_name, self._trusted = by_name, trusted
        self._signed: dict[tuple[bytes, bytes], bool] = {}
        self._steps = 0

    def upwards(self, own: CertificateReading, below: Way = ()) -> Iterator[Way]:
        """Yield the ways by names alone, short ones first among equals."""
        for above in self._by_name.get(own.issuer, {}).values():
            self._steps += 1
            if self._steps > _MOST_STEPS:
                return
            if above in below:
                continue
            if above.der in self._trusted:
                yield (*below, above)
            elif len(below) < _HIGHEST:
                yield from self.upwards(above, (*below, above))

    def fault_of(self, own: CertificateReading, way: Way) -> str | None:
        """Return why *way* does not hold for *own*, None if it does."""
        line = (own, *way)
        for reading in line:
            if reading.fault is not None:
                return (
                    reading.fault
                    if reading is own
                    else f"has {reading.certificate.name} above it, which {reading.fault}"
                )
        for height, above in enumerate(way):
            if (fault := _unfit(above, line[: height + 1], is_trusted=above.der in self._trusted)) is not None:
                return f"has {above.certificate.name} above it, which {fault}"
        # From above, so that no key is used before it is known whose it is.
        for above, below in zip(reversed(way), reversed(line[:-1]), strict=True):
            if not self._has_signed(above, below):
                return f"bears the name of {above.certificate.name}, but not its signature"
        return None

    def _has_signed(self, above: CertificateReading, below: CertificateReading) -> bool:
        key = above.der, below.der
        if key not in self._signed:
            try:
                below.parsed.verify_directly_issued_by(above.parsed)
                self._signed[key] = True
            except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
                self._signed[key] = False
        return self._signed[key]


def _unfit(above: CertificateReading, below: Sequence[CertificateReading], *, is_trusted: bool) -> str | None:
    """Return why *above* can't be the authority over all that is *below* it, None if it can."""
    old_root = is_trusted and above.is_old and above.is_self_issued
    if not above.may_sign and not old_root:
        return "may not sign others"
    between = sum(1 for reading in below[1:] if not reading.is_self_issued)
    if above.path_length is not None and between > above.path_length:
        return "allows no such authority below it"
    if above.constraints is not None:
        for height, reading in enumerate(below):
            if (height == 0 or not reading.is_self_issued) and not _is_within(reading, above.constraints):
                return "is for other names"
    return None


def _is_within(reading: CertificateReading, constraints: x509.NameConstraints) -> bool:
    """Whether every name of a certificate is allowed by *constraints*; what can't be compared is not."""
    names = _names(reading)
    excluded = any(
        _matches(name, subtree) is not False for subtree in constraints.excluded_subtrees or () for name in names
    )
    if excluded:
        return False
    permitted = tuple(constraints.permitted_subtrees or ())
    for name in names:
        of_its_kind = [subtree for subtree in permitted if type(subtree) is type(name)]
        if of_its_kind and not any(_matches(name, subtree) for subtree in of_its_kind):
            return False
    return True


def _names(reading: CertificateReading) -> tuple[x509.GeneralName, ...]:
    subject = (x509.DirectoryName(reading.parsed.subject),) if reading.parsed.subject.rdns else ()
    try:
        extension = reading.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return subject
    return (*subject, *extension.value)


def _matches(name: x509.GeneralName, subtree: x509.GeneralName) -> bool | None:
    """Whether *name* lies within *subtree*, None if they are of one kind that can't be compared here."""
    match name, subtree:
        case x509.DirectoryName(), x509.DirectoryName():
            base = _folded(subtree.value)
            return _folded(name.value)[: len(base)] == base
        case x509.DNSName(), x509.DNSName():
            return _is_below(name.value, subtree.value, ".")
        case x509.RFC822Name(), x509.RFC822Name():
            return _is_mailbox_within(name.value, subtree.value)
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            return None
        case x509.IPAddress(), x509.IPAddress():
            return _is_address_within(name.value, subtree.value)
    return None if type(name) is type(subtree) else False


def _folded(name: x509.Name) -> tuple[frozenset[tuple[str, str]], ...]:
    """Return the parts of a name as they are compared: without regard to letter case, blanks and encoding."""
    return tuple(
        frozenset((part.oid.dotted_string, " ".join(str(part.value).casefold().split())) for part in parts)
        for parts in name.rdns
    )


def _is_below(name: str, base: str, joint: str) -> bool:
    name, base = name.lower(), base.lower()
    return not base or name == base or name.endswith(base if base.startswith(joint) else joint + base)


def _is_mailbox_within(mailbox: str, base: str) -> bool:
    host = mailbox.rpartition("@")[2].lower()
    if "@" in base:
        return mailbox.lower() == base.lower()
    return host.endswith(base.lower()) if base.startswith(".") else host == base.lower()


def _is_address_within(address: object, network: object) -> bool:
    networks = (ipaddress.IPv4Network, ipaddress.IPv6Network)
    addresses = (ipaddress.IPv4Address, ipaddress.IPv6Address)
    return isinstance(network, networks) and isinstance(address, addresses) and address in network
