"""What people do with roll-outs: look at them, fetch requests, hand in certificates, and have a device start over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.core.certificates.rollout import Stage
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import SiteError
from gitupd.service.certificates.handing_in import SignedAnswer, common_name, hand_in
from gitupd.service.deployments.live import live_now
from gitupd.service.facts import plain
from gitupd.store.certificates.issued import digest_of
from gitupd.store.certificates.reading import UNREADABLE
from gitupd.store.certificates.rollouts import RolloutRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.people.person import Actor
    from gitupd.service.site import Site

DeviceRollout = RolloutRecord
"""What pages and programs are told of a roll-out."""

WAYS_ON = {
    Stage.UNKNOWN: "It reports at its next poll.",
    Stage.GOOD: "",
    Stage.ABSENT: "Set missing: request in policies/certificates.yaml for it to get one.",
    Stage.NOT_YET_VALID: "Nothing is to be done but wait, and to look at the clock of whoever signs.",
    Stage.BUSY: "It goes on by itself at one of its next polls.",
    Stage.FAILED: "Somebody has it start over.",
    Stage.OLD_FIRMWARE: "Update its firmware: policies/firmware.yaml.",
    Stage.NAMELESS: "It goes on once the device has answered; or set unknown_words: leave-out.",
    Stage.REQUEST: "It makes a request, and reports it at its next poll but one.",
    Stage.FETCH: "It uploads its request at this poll.",
    Stage.SIGNING: "Somebody has its request signed, and hands the certificate in.",
    Stage.REJECTED: "Somebody has it start over, for it to make another request.",
    Stage.INSTALL: "It installs its certificate, and reports it at its next poll but one.",
    Stage.CLEAN_UP: "It removes the request that has served.",
    Stage.START_OVER: "It removes what is left, and begins anew at its next poll but one.",
    Stage.LOOK_AGAIN: "It goes on at its next poll.",
}
"""How it goes on from each stage: by itself, or by what somebody does."""

APPROVED = "Somebody approves its request, or rejects it."
"""How it goes on where requests are not signed by hand."""

_COMMANDS = {
    Stage.FAILED: " To do that: gitupd certificates restart SN",
    Stage.REJECTED: " To do that: gitupd certificates restart SN",
    Stage.SIGNING: " To do that: gitupd certificates request SN FILE, and gitupd certificates upload SN FILE",
}


def way_on(stage: Stage, signing: str) -> str:
    """Return how it goes on from *stage*, where requests are signed as *signing* in the policy says."""
    return APPROVED if stage is Stage.SIGNING and signing != "manual" else WAYS_ON[stage]


class RolloutView:
    """The roll-outs of a site, for whoever looks at them or takes part."""

    def __init__(self, site: Site) -> None:
        """Look at *site*."""
        self._site = site

    def counts(self) -> Mapping[Stage, int]:
        """Return how many devices are at each stage; stages without any are left out."""
        return self._site.rollouts.counts()

    def listed(self, stages: Collection[Stage], limit: int, offset: int = 0) -> list[RolloutRecord]:
        """Return roll-outs at one of *stages*: those that wait for people first, of them the longest."""
        return self._site.rollouts.at(stages, limit, offset)

    def expiring(self, until: datetime, limit: int) -> list[RolloutRecord]:
        """Return roll-outs to devices a certificate of which ends before *until*, the first end first."""
        return self._site.rollouts.expiring(until, limit)

    def of(self, serial: Serial) -> RolloutRecord | None:
        """Return the roll-out to a device, None if nothing is remembered of one."""
        return self._site.rollouts.of(serial)

    def record(self, serial: Serial) -> RolloutRecord:
        """Return the roll-out to a device; raises SiteError if nothing is remembered of one."""
        record = self._site.rollouts.of(serial)
        if record is None:
            raise SiteError(f"no certificate was ever rolled out to {serial}; see: gitupd certificates list")
        return record

    def request(self, serial: Serial, *, der: bool = False) -> bytes:
        """Return the signing request of a device, in PEM or *der*; raises SiteError if it has uploaded none."""
        request = self.record(serial).rollout.request
        if request is None:
            raise SiteError(f"device {serial} has uploaded no signing request")
        return request if der else x509.load_der_x509_csr(request).public_bytes(Encoding.PEM)

    def digests(self, records: Iterable[RolloutRecord]) -> dict[Serial, str]:
        """Return what tells the requests of *records* from others, for whoever has looked at them."""
        return {each.serial: digest_of(each.rollout.request) for each in records if each.rollout.request is not None}

    def hand_in(self, serial: Serial, content: bytes, actor: Actor, now: datetime) -> RolloutRecord:
        """Keep a signed certificate for the request of a device; raises as :func:`hand_in` does."""
        live = live_now(self._site)
        if live is None:
            raise SiteError("nothing is deployed yet, so nothing says whose certificates are good")
        answer = SignedAnswer(serial, content, actor.name, now, actor.address)
        return hand_in(self._site.rollouts, answer, live.snapshot.policy.certificates, live.snapshot.chain)

    def start_over(self, serial: Serial, actor: Actor, now: datetime) -> None:
        """Have the roll-out to a device start over when it polls next, with all removed that is left of it; audited."""
        self.record(serial)
        event = Event(now, actor.name, Kind.CERTIFICATE_RESTART, str(serial), address=actor.address)
        self._site.rollouts.change(serial, now, lambda rollout: replace(rollout, start_over=True), event)


@dataclass(frozen=True, slots=True)
class RequestNames:
    """What a signing request asks for: its subject, the common name in it, and the further names."""

    common_name: str
    subject: str
    alternative: tuple[str, ...]

    @classmethod
    def of(cls, content: bytes) -> RequestNames:
        """Return what stands in a request (DER)."""
        try:
            request = x509.load_der_x509_csr(content)
        except UNREADABLE:
            return cls("", "nobody knows what, for it can't be read", ())
        try:
            names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            alternative = tuple(str(getattr(name, "value", name)) for name in names)
        except (x509.ExtensionNotFound, *UNREADABLE):
            alternative = ()
        return cls(common_name(request.subject), request.subject.rfc4514_string(), alternative)


def rollout_facts(record: RolloutRecord, put: Callable[[Any], Any] = plain) -> dict[str, Any]:
    """Return what is told of a roll-out, with values as *put* writes them."""
    rollout = record.rollout
    return {
        "serial": str(record.serial),
        "stage": str(record.stage),
        "since": put(record.stage_at),
        "reason": record.reason,
        "next": _next(record),
        "error": record.error or None,
        "expires": put(record.expires),
        "request": None if rollout.request is None else _request_facts(rollout.request),
        "request_received": put(rollout.request_at),
        "signed_by": rollout.signed_by or None,
        "signed": put(rollout.signed_at),
        "start_over": rollout.start_over,
        "approved_by": rollout.approval.by if rollout.approval else None,
        "approved": put(rollout.approval.at if rollout.approval else None),
        "next_attempt": put(rollout.approval.again if rollout.approval else None),
        "waits": rollout.verdict or None,
        "rejected": rollout.rejected or None,
        "request_address": rollout.request_address or None,
        "request_proof": rollout.request_proof or None,
    }


def _next(record: RolloutRecord) -> str:
    if record.stage is Stage.SIGNING and record.rollout.approval is not None:
        return "It is approved, and an authority elsewhere is asked to sign it."
    return WAYS_ON[record.stage] + _COMMANDS.get(record.stage, "").replace("SN", str(record.serial))


def _request_facts(content: bytes) -> dict[str, Any]:
    names = RequestNames.of(content)
    return {
        "common_name": names.common_name,
        "subject": names.subject,
        "alternative_names": list(names.alternative),
    }
