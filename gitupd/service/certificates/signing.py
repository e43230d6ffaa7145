"""What becomes of requests and certificates by decision: approved, rejected, revoked; each with its entry in the audit.

A certificate leaves this module when it is written down, with the roll-out that goes on by it, in one transaction:
none is issued that nobody knows, and none twice for the same request.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509

from gitupd.core.certificates.rollout import Approval, renewal
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import GitupdError, InvalidEntry, SiteError
from gitupd.service.certificates.external import external_signer
from gitupd.service.certificates.handing_in import check_certificate
from gitupd.service.certificates.own_signer import OwnSigner
from gitupd.service.certificates.requests import objection
from gitupd.service.certificates.revoked_lists import list_file, new_list, still_listed
from gitupd.service.certificates.signers import SigningOrder, SigningRefused
from gitupd.service.deployments.live import live_now
from gitupd.store.certificates.issued import Completion, IssuedCertificate, digest_of, issued_certificate
from gitupd.store.certificates.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.certificates.rollout import Rollout
    from gitupd.core.people.person import Actor
    from gitupd.core.policy import Certificates
    from gitupd.service.certificates.signers import Signer
    from gitupd.service.site import Site
    from gitupd.store.certificates.authority import OwnAuthority
    from gitupd.store.certificates.rollouts import RolloutRecord

_Item = TypeVar("_Item")

_MOST_DECIDED = 200
"""So many are rejected, or revoked, in one transaction."""

_AT_ONCE = 50
"""So many are written down in one transaction, for which everybody else waits who writes."""


@dataclass(frozen=True, slots=True)
class SigningOutcome:
    """What became of one device: whether it was done, and a clause that says what was, or why it was not."""

    serial: Serial
    is_done: bool
    detail: str


def outcome_facts(outcome: SigningOutcome) -> dict[str, Any]:
    """Return what became of a device as values of JSON."""
    return {"serial": str(outcome.serial), "done": outcome.is_done, "detail": outcome.detail}


class Signing:
    """Decides on requests and certificates of devices, for whoever may."""

    def __init__(self, site: Site, policy: Certificates | None = None) -> None:
        """Decide for *site* by *policy*, None for the one that is deployed now; raises GitupdError."""
        self._site = site
        if policy is None:
            live = live_now(site)
            if live is None:
                raise SiteError("nothing is deployed yet, so nothing says whose certificates are good")
            policy = live.snapshot.policy.certificates
        self._policy = policy

    def waiting(self, limit: int | None = None) -> list[RolloutRecord]:
        """Return the roll-outs whose request waits to be approved or rejected, the oldest first."""
        return self._site.rollouts.waiting(limit)

    def approve(
        self, serials: Sequence[Serial], actor: Actor, now: datetime, seen: Mapping[Serial, str] | None = None
    ) -> list[SigningOutcome]:
        """Have the requests of devices signed, by whom the policy says; return what became of each.

        *seen* are the digests (``digest_of``) of the requests that somebody has looked at: another one that has come in
        since is not signed. Raises SiteError if nobody can sign.
        """
        signer = signer_for(self._site, self._policy)
        if self._policy.signing == "external":
            return [self._hand_over(serial, signer, actor, now, (seen or {}).get(serial)) for serial in _each(serials)]
        return self.issue(serials, signer, actor, now, grounds=dict.fromkeys(serials, "approved"), seen=seen)

    def _hand_over(
        self, serial: Serial, signer: Signer, actor: Actor, now: datetime, seen: str | None
    ) -> SigningOutcome:
        """Note that the request of a device is to be signed elsewhere, which the server has done: it takes its time."""
        record = self._site.rollouts.of(serial)
        try:
            _order(serial, record, now, seen)
        except GitupdError as error:
            return SigningOutcome(serial, is_done=False, detail=str(error))
        approval = Approval(actor.name, now, "approved")
        event = Event(now, actor.name, Kind.CERTIFICATE_APPROVE, str(serial), f"for {signer.name}", actor.address)
        done = record is not None and self._site.rollouts.change_waiting(
            record, lambda waiting: replace(waiting, rollout=waiting.rollout.approved(approval)), event
        )
        said = f"{signer.name} is asked for it" if done else "it was decided on by somebody else meanwhile"
        return SigningOutcome(serial, is_done=done, detail=said)

    def issue(
        self,
        serials: Sequence[Serial],
        signer: Signer,
        actor: Actor,
        now: datetime,
        *,
        grounds: Mapping[Serial, str],
        seen: Mapping[Serial, str] | None = None,
    ) -> list[SigningOutcome]:
        """Have the requests of devices signed by *signer*, on *grounds* that the audit tells; as :meth:`approve`."""
        outcomes: dict[Serial, SigningOutcome] = {}
        devices = list(dict.fromkeys(serials))
        for start in range(0, len(devices), _AT_ONCE):
            records = self._site.rollouts.some(devices[start : start + _AT_ONCE])
            before = self._site.issued.for_requests(
                record.rollout.request for record in records.values() if record.rollout.request is not None
            )
            made: list[Completion] = []
            for serial in devices[start : start + _AT_ONCE]:
                try:
                    order = _order(serial, records.get(serial), now, (seen or {}).get(serial))
                    entry = before.get(digest_of(order.request))
                    made.append(self._completion(order, entry, signer, actor, grounds.get(serial, "")))
                except GitupdError as error:
                    outcomes[serial] = SigningOutcome(serial, is_done=False, detail=str(error))
            done = set(self._site.issued.complete(made, now))
            for each in made:
                serial = each.certificate.serial
                is_done = serial in done
                said = each.event.detail if is_done else "it was decided on by somebody else meanwhile"
                outcomes[serial] = SigningOutcome(serial, is_done=is_done, detail=said)
        return [outcomes[serial] for serial in devices]

    def _completion(
        self, order: SigningOrder, entry: IssuedCertificate | None, signer: Signer, actor: Actor, why: str
    ) -> Completion:
        """Have an order signed, unless *entry* is what was signed for its request before; raises GitupdError."""
        spent = entry if entry is not None and self._is_spent(entry, order) else None
        if entry is None or spent is not None:
            chain = signer.sign(order)
            issuer = signer.issuer if isinstance(signer, OwnSigner) else ""
            said = {"issuer": issuer, "who": actor.name, "signer": signer.name, "why": why}
            entry = issued_certificate(order.serial, order.request, chain[0], order.now, **said)
        else:
            chain = self._known_chain(entry, order)
        own, *above = map(x509.load_der_x509_certificate, chain)
        request = x509.load_der_x509_csr(order.request)
        if own.public_key() != request.public_key():
            raise InvalidEntry("what was signed is for another key")
        if (fault := objection(own, order.serial)) is not None:
            raise InvalidEntry(f"what was signed is refused: {fault}")
        check_certificate(own, request, self._policy, above, order.now)
        detail = f"{entry.number}, by {entry.signer}, until {entry.not_after:%Y-%m-%d}{_lacking(own, request)}"
        event = Event(order.now, actor.name, Kind.CERTIFICATE_SIGN, str(order.serial), detail, actor.address)
        event = replace(event, detail=f"{detail}: {why}" if why else detail)
        return Completion(entry, chain, order.request, event, spent)

    def _is_spent(self, entry: IssuedCertificate, order: SigningOrder) -> bool:
        """Whether what was signed for a request is so old that the device, which asks with its old key, is renewed."""
        ahead = timedelta(seconds=renewal(self._policy, order.serial.digits))
        return entry.serial == order.serial and entry.revoked is None and entry.not_after - order.now <= ahead

    def _known_chain(self, entry: IssuedCertificate, order: SigningOrder) -> tuple[bytes, ...]:
        """Return what was signed for a request before, and goes to the device once more; raises SigningRefused."""
        if entry.serial != order.serial or entry.revoked is not None or entry.not_after <= order.now:
            raise SigningRefused(f"its request was signed before, as {entry.number}; have it start over")
        known = {each.reading.certificate.fingerprint: each.chain for each in self._site.authority.all()}
        return (entry.certificate, *known.get(entry.issuer, ()))

    def reject(self, serials: Sequence[Serial], reason: str, actor: Actor, now: datetime) -> list[SigningOutcome]:
        """Have the requests of devices stay unsigned for a *reason*, until they start over; return what became of each.

        Raises InvalidEntry without a reason.
        """
        devices = list(dict.fromkeys(serials))
        event = Event(now, actor.name, Kind.CERTIFICATE_REJECT, detail=_reason(reason), address=actor.address)
        done: set[Serial] = set()
        for some in _parts_of(devices):
            done.update(self._site.rollouts.reject(some, _reason(reason), now, event))
        said = {True: "rejected", False: "it has no request that waits"}
        return [SigningOutcome(serial, serial in done, said[serial in done]) for serial in devices]

    def revoke(self, serials: Sequence[Serial], reason: str, actor: Actor, now: datetime) -> list[SigningOutcome]:
        """Revoke all certificates of devices that the site's authority has signed, and that are good still.

        Raises InvalidEntry without a reason, and SiteError if the authority can't say so.
        """
        _reason(reason)
        chosen = {serial: self._current(serial, now) for serial in dict.fromkeys(serials)}
        for some in _parts_of([each for several in chosen.values() for each in several]):
            self._revoke(some, reason, actor, now)
        return [
            SigningOutcome(serial, bool(several), ", ".join(each.number for each in several) or _NOTHING)
            for serial, several in chosen.items()
        ]

    def revoke_number(self, number: str, reason: str, actor: Actor, now: datetime) -> SigningOutcome:
        """Revoke the certificate with that serial number, in hexadecimal digits; raises as :meth:`revoke`."""
        entry = self._site.issued.numbered(number)
        if entry is None:
            raise SiteError(f"the site's authority has signed no certificate with the serial number {number}")
        if entry.revoked is not None or entry.not_after < now:
            return SigningOutcome(entry.serial, is_done=False, detail="it is revoked already, or over")
        self._revoke([entry], reason, actor, now)
        return SigningOutcome(entry.serial, is_done=True, detail=entry.number)

    def _current(self, serial: Serial, now: datetime) -> list[IssuedCertificate]:
        return [
            each
            for each in self._site.issued.of(serial)
            if each.issuer and each.revoked is None and each.not_after >= now
        ]

    def _revoke(self, chosen: Sequence[IssuedCertificate], reason: str, actor: Actor, now: datetime) -> None:
        said = _reason(reason)
        by_issuer: dict[str, list[IssuedCertificate]] = defaultdict(list)
        for each in chosen:
            by_issuer[each.issuer].append(each)
        known = {each.reading.certificate.fingerprint: each for each in self._site.authority.all()}
        if lost := by_issuer.keys() - known.keys():
            raise SiteError(f"the authority that signed it is not here any more: SHA-256 {lost.pop()}")
        event = Event(now.replace(microsecond=0), actor.name, Kind.CERTIFICATE_REVOKE, address=actor.address)
        with ExitStack() as claims:
            if by_issuer:
                claims.enter_context(self._site.trust.claimed())
            asides = []
            with self._site.database.connection() as connection:
                for issuer, several in by_issuer.items():
                    self._site.issued.revoke_within(connection, several, said, event)
                    listed = self._site.issued.revoked_within(connection, issuer, still_listed(now))
                    content = new_list(self._site, known[issuer], listed, now)
                    asides.append(
                        self._site.trust.lay_aside_list(
                            connection, list_file(known[issuer]), content, _listing(event, known[issuer], len(listed))
                        )
                    )
            self._site.trust.put(asides)


def _each(serials: Sequence[Serial]) -> list[Serial]:
    """Return each of *serials* once."""
    return list(dict.fromkeys(serials))


_NOTHING = "it has no certificate of the site's authority that is good"


def signer_for(site: Site, policy: Certificates) -> Signer:
    """Return who signs what a person approves; raises SiteError if nobody does."""
    match policy.signing:
        case "authority" | "automatic":
            return OwnSigner(site, policy)
        case "manual":
            raise SiteError("requests are signed by hand; for the site's authority to sign, set signing: authority")
        case "external":
            return external_signer(site)


def _order(serial: Serial, record: RolloutRecord | None, now: datetime, seen: str | None) -> SigningOrder:
    """Return the order for the request of a device; raises SigningRefused if it may not be signed."""
    rollout = record.rollout if record else None
    if rollout is None or rollout.request is None:
        raise SigningRefused("it has uploaded no signing request")
    if (fault := _decided(rollout)) is not None:
        raise SigningRefused(fault)
    if seen is not None and seen != digest_of(rollout.request):
        raise SigningRefused("it has uploaded another request since; look at that one")
    try:
        fault = objection(x509.load_der_x509_csr(rollout.request), serial)
    except UNREADABLE as error:
        raise SigningRefused("its request can't be read") from error
    if fault is not None:
        raise SigningRefused(f"its request is refused: {fault}")
    return SigningOrder(serial, rollout.request, now)


def _decided(rollout: Rollout) -> str | None:
    """Return why a request waits for no decision any more, None if it does."""
    if rollout.start_over:
        return "its roll-out starts over when it polls next"
    if rollout.rejected:
        return f"its request was rejected ({rollout.rejected}); have it start over"
    return "its request was signed already" if rollout.signed else None


def _parts_of(several: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Yield parts of *several* of a size that nobody else waits for long."""
    for start in range(0, len(several), _MOST_DECIDED):
        yield several[start : start + _MOST_DECIDED]


def _reason(reason: str) -> str:
    text = " ".join(reason.split())
    if not text:
        raise InvalidEntry("say why")
    return text[:_LONGEST_REASON]


_LONGEST_REASON = 200


def _lacking(own: x509.Certificate, request: x509.CertificateSigningRequest) -> str:
    """Return a clause on what the request has asked for, and the certificate has not; empty if there is nothing."""
    wanted = [*_parts(request.subject), *_alternative(request)]
    given = {*_parts(own.subject), *_alternative(own)}
    lacking = [each for each in wanted if each not in given]
    return f", without {', '.join(lacking)}" if lacking else ""


def _parts(name: x509.Name) -> list[str]:
    return [each.rfc4514_string() for each in name]


def _alternative(holder: x509.Certificate | x509.CertificateSigningRequest) -> list[str]:
    try:
        names = holder.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    return [str(getattr(each, "value", each)) for each in names]


def _listing(event: Event, authority: OwnAuthority, count: int) -> Event:
    """Return the entry for the list that goes with a revocation."""
    detail = f"trust/{list_file(authority)}, a list of {count:,} revoked certificates"
    return replace(event, kind=Kind.TRUST_ADD, subject=authority.reading.certificate.name, detail=detail)
