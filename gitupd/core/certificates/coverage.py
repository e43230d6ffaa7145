"""Which names of a signing request belong into the device's certificate: those that the policy has it ask for.

A device writes its request itself, and somebody else may write one in its name. What is signed is not what the
request says, but as much of that as the template of the policy covers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.certificates.request import SUBJECT_PARTS
from gitupd.core.identity import Claim, corrected, names_another

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gitupd.core.policy import Certificates

_WORD = re.compile(r"(\{(?:sn|hwid|name|ip|realip|proxy|rdns)\})")
_LABEL = r"[A-Za-z0-9-]{1,63}"
_HOST = r"[A-Za-z0-9_.:-]{1,253}"
_ADDRESS = r"[0-9A-Fa-f.:]{2,45}"
_OF_ADDRESSES = ("{ip}", "{realip}", "{proxy}")


@dataclass(frozen=True, slots=True)
class AskedNames:
    """The names in a request: ``parts`` of its subject by their names in policies, in order; alternative names."""

    parts: tuple[tuple[str, str], ...]
    dns: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What of the names is covered, and what is not, as texts such as ``DNS www.example.com``.

    ``fault`` is why nothing is to be signed at all, None if something may be.
    """

    covered: AskedNames
    left_out: tuple[str, ...]
    fault: str | None


def covered(asked: AskedNames, policy: Certificates, serial: str, known: Collection[str]) -> Coverage:
    """Return what of the names that were *asked* for the device with this *serial* is covered by *policy*.

    Addresses in it are to be among those that are *known* of the device, unless the policy names them as they are.
    """
    template = _Template(serial, frozenset(known))
    names = [value for part, value in asked.parts if part == "cn"]
    fault = template.misnomer(names, policy.dn.get("cn", ""))
    kept = tuple(
        (part, value)
        for part, value in asked.parts
        if part == "cn" or (part in SUBJECT_PARTS and template.fits(policy.dn.get(part, ""), value))
    )
    dns = tuple(name for name in asked.dns if template.names_host(policy.dns, name))
    addresses = tuple(address for address in asked.addresses if template.names_address(policy.ip, address))
    left_out = (
        *(f"{part.upper()} {value}" for part, value in asked.parts if (part, value) not in kept),
        *(f"DNS {name}" for name in asked.dns if name not in dns),
        *(f"IP {address}" for address in asked.addresses if address not in addresses),
    )
    return Coverage(AskedNames(kept, dns, addresses), left_out, fault)


@dataclass(frozen=True, slots=True)
class _Template:
    """Holds names against templates, of which each word stands for what it may for the device with this serial."""

    serial: str
    addresses: frozenset[str]

    def fits(self, template: str, value: str) -> bool:
        """Whether *value* is what *template* may have become."""
        return bool(template) and re.fullmatch(self._pattern(template), value, re.ASCII) is not None

    def misnomer(self, names: list[str], template: str) -> str | None:
        """Return why the common *names* are not for this device, None if there is one, and it is."""
        if len(names) != 1:
            return "it has no common name" if not names else "it has more than one common name"
        name = names[0]
        if Claim(self.serial).is_named(corrected(name)) or self.fits(template, name):
            return None
        return f"it is for {name!r}, which the policy does not have it ask for"

    def names_host(self, templates: Iterable[str], name: str) -> bool:
        """Whether a DNS name is one of *templates*, and no other device's."""
        is_foreign = any(names_another(label, self.serial) for label in (name, name.partition(".")[0]))
        return not is_foreign and any(self.fits(template, name) for template in templates)

    def names_address(self, templates: Iterable[str], address: str) -> bool:
        """Whether an address is one that the templates name, or of the device where they have a word for that."""
        return any(
            address in self.addresses if any(word in template for word in _OF_ADDRESSES) else address == template
            for template in templates
        )

    def _pattern(self, template: str) -> str:
        return "".join(self._part(part) for part in _WORD.split(template))

    def _part(self, part: str) -> str:
        match part:
            case "{sn}":
                return f"(?i:{re.escape(self.serial)})"
            case "{hwid}":
                return rf"[^\x00-\x1f]{{1,40}}-(?i:{'-'.join(re.findall('..', self.serial[-6:]))})"
            case "{name}":
                return _LABEL
            case "{rdns}":
                return _HOST
            case "{ip}" | "{realip}" | "{proxy}":
                return _ADDRESS
            case _:
                return re.escape(part)
