"""The site's own authority as one who signs requests."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gitupd.core.certificates.coverage import AskedNames, covered
from gitupd.errors import SiteError
from gitupd.service.certificates.signers import SigningDelayed, SigningRefused
from gitupd.store.certificates.making import EARLIER, DeviceNames, is_fit, make_device
from gitupd.store.certificates.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.policy import Certificates
    from gitupd.service.certificates.signers import SigningOrder
    from gitupd.service.site import Site

_PARTS = {
    NameOID.COMMON_NAME: "cn",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "ou",
    NameOID.ORGANIZATION_NAME: "o",
    NameOID.LOCALITY_NAME: "l",
    NameOID.STATE_OR_PROVINCE_NAME: "st",
    NameOID.COUNTRY_NAME: "c",
}
_OIDS = {part: oid for oid, part in _PARTS.items()}


class OwnSigner:
    """Signs with the key of the site's own authority, what a policy covers, and as long as that policy says."""

    def __init__(self, site: Site, policy: Certificates) -> None:
        """Sign for *site* by *policy*; raises SiteError if the site has no authority, or its key can't be used."""
        authority = site.authority.current()
        if authority is None:
            raise SiteError("the site has no authority; make one: gitupd certificates init")
        self._site, self._policy, self._authority = site, policy, authority
        self._issuer = site.authority.issuer(authority)
        url = site.settings.signing.list_url
        self._list_url = url and f"{url}?authority={authority.number}"

    @property
    def name(self) -> str:
        """The name of the authority."""
        return self._authority.reading.certificate.name

    @property
    def issuer(self) -> str:
        """The SHA-256 of the certificate that signs."""
        return self._authority.reading.certificate.fingerprint

    @property
    def chain(self) -> tuple[bytes, ...]:
        """What goes along with a certificate of a device."""
        return self._authority.chain

    def sign(self, order: SigningOrder) -> tuple[bytes, ...]:
        """Return the certificate for *order*, and behind it those of the authority and of who is above it."""
        try:
            request = x509.load_der_x509_csr(order.request)
            key, asked, is_proved = request.public_key(), asked_names(request), request.is_signature_valid
        except UNREADABLE as error:
            raise SigningRefused("its request can't be read") from error
        if not is_proved:
            raise SigningRefused("its request is not signed by the key that it is for")
        if not is_fit(key):
            raise SigningRefused("its key is too weak, or of another kind than RSA of 2048 bits or more, or EC")
        coverage = covered(asked, self._policy, order.serial.digits, self._known(order.serial))
        if coverage.fault is not None:
            raise SigningRefused(f"{coverage.fault}; have it start over")
        try:
            names = device_names(coverage.covered)
            made = make_device(request, names, self._issuer, self._span(order.now), self._list_url)
        except UNREADABLE as error:
            raise SigningRefused(f"no certificate can be made of its request: {error}") from error
        return (made.public_bytes(Encoding.DER), *self.chain)

    def _span(self, now: datetime) -> tuple[datetime, datetime]:
        """Return from when until when a certificate is valid: not beyond any of those above it.

        Raises SigningDelayed if it would be renewed as soon as it is there, or the authority is over.
        """
        own = self._authority.reading.certificate
        line = [own, *(each.certificate for each in self._authority.above)]
        for each in line:
            if (fault := each.untimely(now)) is not None:
                raise SigningDelayed(f"the authority {each.name} {fault}")
        end = min(now + timedelta(seconds=self._policy.valid_for), *(each.not_after for each in line))
        if end - now <= timedelta(seconds=self._policy.renew_before + self._policy.renew_spread):
            raise SigningDelayed(
                f"the certificate would end on {end:%Y-%m-%d}, and be renewed as soon as it is there; "
                "make another authority (gitupd certificates init --again), or set renew_before lower"
            )
        return max(now - EARLIER, own.not_before), end

    def _known(self, serial: Serial) -> frozenset[str]:
        """Return the addresses that are known of a device; none where the policy has none of them in certificates."""
        if not self._policy.ip:
            return frozenset()
        record, device = self._site.rollouts.of(serial), self._site.inventory.device(serial)
        addresses = [] if record is None else [record.rollout.request_address]
        if device is not None:
            addresses += [device.address or "", device.own_address or "", device.proxy or ""]
        return frozenset(_canonical(addresses))


def asked_names(request: x509.CertificateSigningRequest) -> AskedNames:
    """Return the names in *request*; what is of another kind is not told. Raises one of UNREADABLE."""
    parts = tuple((_PARTS.get(each.oid, each.oid.dotted_string), str(each.value)) for each in request.subject)
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return AskedNames(parts)
    dns = tuple(dict.fromkeys(names.get_values_for_type(x509.DNSName)))
    addresses = tuple(dict.fromkeys(map(str, names.get_values_for_type(x509.IPAddress))))
    return AskedNames(parts, dns, addresses)


def device_names(names: AskedNames) -> DeviceNames:
    """Return *names* as a certificate has them."""
    subject = x509.Name([x509.NameAttribute(_OIDS[part], value) for part, value in names.parts])
    alternative = (
        *(x509.DNSName(name) for name in names.dns),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in names.addresses),
    )
    return DeviceNames(subject, alternative)


def _canonical(addresses: list[str]) -> Iterator[str]:
    for address in addresses:
        try:
            yield str(ipaddress.ip_address(address))
        except ValueError:
            continue
