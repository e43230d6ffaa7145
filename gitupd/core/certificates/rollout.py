"""How far the roll-out of a certificate to a device has come, and what it needs next: a decision without any I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, assert_never

from gitupd.core.certificates.report import NEEDS_ANOTHER, WRONG_AT_ONCE, ChainVerdict, is_revoked, judge
from gitupd.core.certificates.request import awaited, requested_names
from gitupd.core.identity import VENDOR_AUTHORITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.certificates.report import CertificateReport, ReportedCertificate
    from gitupd.core.certificates.request import RequestWords
    from gitupd.core.policy import Certificates

MOST_INSTALLATIONS = 3
"""So often a device is sent the same certificate before that counts as failed."""

_MOST_TRIES = 10
"""So often a device is told to make a request, to upload it, or to remove it, before that is given up."""

_MOST_REMOVALS = 3
"""So often a device is told to remove what is left, if its reports show that it has not."""

_FRESH = timedelta(days=7)
"""For so long a certificate that was just signed can't be due already, nor one that was just installed be foreign."""

PROVED = "certificate"
"""The proof of a request that came by a connection which had shown a trusted certificate of the device."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=4)
"""Between two attempts to have a request signed elsewhere."""

_RELEASE = re.compile(r"(?P<major>\d{1,3})r(?P<minor>\d{1,2})\b(?:.*?\bsr(?P<service>\d{1,3}))?", re.IGNORECASE)
_FIRST_RELEASE = (12, 1, 8)
"""V12r1 SR8: older firmware takes no signed certificate (docs/reference/device-protocol.md)."""


class Stage(StrEnum):
    """What the certificate of a device is at, or needs next."""

    UNKNOWN = "unknown"  # it has not reported yet
    GOOD = "good"
    ABSENT = "absent"  # it has none, and is to have none
    NOT_YET_VALID = "not-yet-valid"
    BUSY = "busy"  # it makes a key and a request
    FAILED = "failed"  # it reports an error, or does not take what it is sent
    OLD_FIRMWARE = "old-firmware"
    NAMELESS = "nameless"  # a word of the template is not known yet
    REQUEST = "request"  # it is told to make a signing request
    FETCH = "fetch"  # it is told to upload its request
    SIGNING = "signing"  # its request waits for a signature
    REJECTED = "rejected"  # somebody has decided that its request is not to be signed
    INSTALL = "install"  # it is sent a signed certificate
    CLEAN_UP = "clean-up"  # it is told to remove a request that has served
    START_OVER = "start-over"  # it is told to remove all that is left of a roll-out that failed
    LOOK_AGAIN = "look-again"  # it is only asked how things stand after the step before


COMMANDING = frozenset({Stage.REQUEST, Stage.FETCH, Stage.INSTALL, Stage.CLEAN_UP, Stage.START_OVER})
"""Stages at which a device is told to do something, and gets nothing else."""

WAITING_FOR_PEOPLE = frozenset({Stage.FAILED, Stage.SIGNING, Stage.REJECTED})
"""Stages at which nothing goes on before somebody does something."""

SETTLED = frozenset({Stage.GOOD, Stage.ABSENT})
"""Stages at which a device has what it is to have."""

_WAITING = frozenset(
    {Stage.UNKNOWN, Stage.BUSY, Stage.FAILED, Stage.OLD_FIRMWARE, Stage.NAMELESS, Stage.SIGNING, Stage.REJECTED}
)
"""Stages at which nothing is to be told; updates go on meanwhile unless certificates are required."""


@dataclass(frozen=True, slots=True)
class Need:
    """What the certificate of a device needs next, and a sentence that says why.

    ``names`` are those that it is told to put into its request, at :attr:`Stage.REQUEST`.
    """

    stage: Stage
    reason: str
    names: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether the certificate is not what it should be, and nothing can be told to the device for that."""
        return self.stage in _WAITING


@dataclass(frozen=True, slots=True)
class Approval:
    """That a request is to be signed: ``by`` whom, a person or a rule, when and why.

    ``attempts`` is how often the signer has put it off, and ``again`` when it is asked next; None at once.
    """

    by: str
    at: datetime
    why: str
    attempts: int = 0
    again: datetime | None = None

    def delayed(self, now: datetime) -> Approval:
        """Return what is so once the signer has put it off: each pause is twice as long as the one before."""
        pause = min(_FIRST_PAUSE * 2 ** min(self.attempts, 20), _LONGEST_PAUSE)
        return replace(self, attempts=self.attempts + 1, again=now + pause)


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far a roll-out has come, as far as the server remembers it.

    ``request`` is the signing request that the device has uploaded (DER), ``signed`` the certificate for it and those
    of its issuers that came with it (DER). ``asked`` is when the device was last told to upload its request.
    ``look_again`` is set once a step was sent: what the device reports with the next poll was uploaded before that.
    ``start_over`` is what an operator has asked for. ``rejected`` is why the request is not to be signed, empty if
    nobody has decided so. ``request_address`` is from where the request was uploaded, empty if that is not known, and
    ``request_proof`` is :data:`PROVED` if the device had proved itself then, else empty. ``revoked`` is from when
    the last certificate of the device is valid that was revoked: that one and those before it are to be replaced.
    ``told`` is what the device was told last, ``tries`` how often in succession.
    ``names`` are those that the request may have if they are to be the same as before. ``verdict`` is a clause that
    says why the request is not signed yet, empty for nothing special; ``approval`` is None until it is to be signed.
    """

    request: bytes | None = field(default=None, repr=False)
    request_at: datetime | None = None
    signed: tuple[bytes, ...] = field(default=(), repr=False)
    signed_at: datetime | None = None
    signed_by: str = ""
    asked: datetime | None = None
    requested: datetime | None = None
    installed: datetime | None = None
    installations: int = 0
    look_again: bool = False
    start_over: bool = False
    rejected: str = ""
    request_address: str = ""
    request_proof: str = ""
    revoked: datetime | None = None
    told: Stage | None = None
    tries: int = 0
    names: tuple[str, ...] = ()
    verdict: str = ""
    approval: Approval | None = None

    def after(self, stage: Stage, now: datetime, names: tuple[str, ...] = ()) -> Rollout:
        """Return what is so once the device was answered at *stage*, by a need with these *names*."""
        match stage:
            case Stage.REQUEST:
                return replace(self._anew(stage, requested=now, look_again=True), names=names)
            case Stage.FETCH:
                return replace(self, asked=now, told=stage, tries=self._tries(stage))
            case Stage.INSTALL:
                again = self.installations + 1
                return replace(self, installed=now, installations=again, look_again=True, told=stage, tries=again)
            case Stage.CLEAN_UP | Stage.START_OVER:
                return self._anew(stage, look_again=stage is Stage.START_OVER)
            case Stage.GOOD:
                return self._settled()
            case Stage.LOOK_AGAIN:
                return replace(self, look_again=False)
            case (
                Stage.UNKNOWN
                | Stage.ABSENT
                | Stage.NOT_YET_VALID
                | Stage.BUSY
                | Stage.FAILED
                | Stage.OLD_FIRMWARE
                | Stage.NAMELESS
                | Stage.SIGNING
                | Stage.REJECTED
            ):
                return self
            case _:
                assert_never(stage)

    def _tries(self, stage: Stage) -> int:
        """Return how often a device will have been told *stage* in succession; what a person asks for begins anew."""
        return self.tries + 1 if self.told is stage and not self.start_over else 1

    def _anew(self, stage: Stage, *, requested: datetime | None = None, look_again: bool = False) -> Rollout:
        """Return what is left once a device was told to begin again at *stage*.

        What people have decided since the device was looked at stays, unless this is what they have decided.
        """
        left = Rollout(requested=requested, look_again=look_again, revoked=self.revoked, told=stage)
        decided = Rollout() if self.start_over and stage is Stage.START_OVER else self
        return replace(left, tries=self._tries(stage), start_over=decided.start_over, rejected=decided.rejected)

    def _settled(self) -> Rollout:
        """Return what is left once a device is good: what was revoked, unless it was replaced since."""
        revoked = self.revoked if self.rejected or self.told is not Stage.INSTALL else None
        settled = Rollout(revoked=revoked, rejected=self.rejected if revoked else "")
        if self.told is Stage.CLEAN_UP:  # what a device does not remove it is not told for ever
            return replace(settled, told=self.told, tries=self.tries)
        return settled

    def is_replaced(self, report: CertificateReport) -> bool:
        """Whether the device has installed what it was sent last, and nobody has revoked anything since."""
        return self.told is Stage.INSTALL and not report.request and not self.rejected

    def uploaded(
        self, request: bytes, now: datetime, address: str = "", proof: str = "", names: Iterable[str] = ()
    ) -> Rollout:
        """Return what is so once *request* was uploaded from *address*, with a *proof* of who that was.

        *names* are those of the certificate that is the proof. A request for another key makes a signature void. The
        same once more may come from anybody who has listened, and takes no proof away.
        """
        usual = tuple(dict.fromkeys((*self.names, *names)))
        if request == self.request:
            known = replace(self, request_at=now, names=usual)
            return known if self.request_proof else replace(known, request_address=address, request_proof=proof)
        return Rollout(
            request,
            now,
            asked=self.asked,
            requested=self.requested,
            look_again=self.look_again,
            rejected=self.rejected,
            request_address=address,
            request_proof=proof,
            revoked=self.revoked,
            names=usual,
        )

    def approved(self, approval: Approval | None) -> Rollout:
        """Return what is so once the request is to be signed elsewhere; None if it is not any more."""
        return replace(self, approval=approval, verdict="")

    def answered(self, signed: tuple[bytes, ...], by: str, now: datetime) -> Rollout:
        """Return what is so once somebody has handed in the certificate for the request."""
        done = replace(self, signed=signed, signed_at=now, signed_by=by, installations=0, installed=None)
        return replace(done, verdict="", approval=None)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """All that the next step of a device's roll-out depends on; ``report`` is None if it has not reported yet.

    ``serial`` are the digits of the device's serial number, by which renewals are spread over time. ``version`` is the
    version line that it sends with each poll, empty if it sends none. ``proved`` is the certificate that it has just
    shown, if that speaks for it: unlike a report, nobody else can say so.
    """

    rollout: Rollout
    report: CertificateReport | None
    words: RequestWords
    version: str = ""
    proved: ReportedCertificate | None = None
    serial: str = ""


def renewal(policy: Certificates, serial: str) -> int:
    """Return how many seconds before its end the certificate of the device with that *serial* number is renewed.

    Chance would have a device renewed at one poll and not at the next: its part of ``renew_spread`` is always the same.
    """
    if not policy.renew_spread:
        return policy.renew_before
    part = int.from_bytes(sha256(serial.encode()).digest()[:8])
    return policy.renew_before + policy.renew_spread * part // 2**64


def need(enrolment: Enrolment, policy: Certificates, now: datetime) -> Need:
    """Return what the certificate of a device needs next."""
    rollout, report = enrolment.rollout, enrolment.report
    if rollout.look_again:
        return Need(Stage.LOOK_AGAIN, "What the device reports is older than the last step; it is only asked again.")
    if rollout.start_over:
        return Need(Stage.START_OVER, "An operator has its roll-out start over.")
    if enrolment.proved is not None and (settled := _by_proof(enrolment, enrolment.proved, policy, now)) is not None:
        return settled
    if report is None:
        return Need(Stage.UNKNOWN, "The device has not reported its certificates yet.")
    if rollout.told is Stage.START_OVER and rollout.tries < _MOST_REMOVALS and _is_left(report, rollout):
        return Need(Stage.START_OVER, "It was told to remove what is left of its roll-out, and has not done so yet.")
    if report.error is not None:
        return Need(Stage.FAILED, f"The device reports an error with its certificate{_quoted(report.error)}.")
    if report.busy:
        return Need(Stage.BUSY, "The device makes a key and a signing request.")
    return _by_chain(enrolment, report, policy, now)


def _by_proof(enrolment: Enrolment, proved: ReportedCertificate, policy: Certificates, now: datetime) -> Need | None:
    """Return that nothing is needed if what the device has *proved* is good, whatever is reported; None if it isn't."""
    report, ahead = enrolment.report, renewal(policy, enrolment.serial)
    judgement = judge((proved,), policy.authorities or (proved.issuer,), ahead, now)
    if judgement.verdict is not ChainVerdict.GOOD:
        return None
    if enrolment.rollout.rejected and is_revoked((proved,), enrolment.rollout.revoked):
        return None  # whoever has judged the proof has not heard of it yet
    if report is not None and report.request and report.error is None:
        return _clean_up(enrolment.rollout, judgement.reason, Stage.GOOD)
    return Need(Stage.GOOD, judgement.reason)


def _clean_up(rollout: Rollout, reason: str, otherwise: Stage) -> Need:
    """Return that a request is to be removed that has served, unless the device was told so often enough."""
    if _is_tried(rollout, Stage.CLEAN_UP):
        return Need(otherwise, f"{reason} A request is left on the device, which does not remove it.")
    return Need(Stage.CLEAN_UP, f"{reason} A request is left on the device.")


def _by_chain(enrolment: Enrolment, report: CertificateReport, policy: Certificates, now: datetime) -> Need:
    if is_revoked(report.chain, enrolment.rollout.revoked) and not enrolment.rollout.is_replaced(report):
        return _towards_another(enrolment, report, policy, "The certificate that the device has was revoked.")
    ahead = renewal(policy, enrolment.serial)
    authorities = policy.authorities or VENDOR_AUTHORITIES
    judgement = judge(report.chain, authorities, ahead, now)
    if judgement.verdict is ChainVerdict.NOT_YET_VALID:
        return Need(Stage.NOT_YET_VALID, judgement.reason)
    if _is_in_vain(enrolment.rollout, report, authorities, judgement.verdict, now):
        return Need(Stage.FAILED, f"{judgement.reason} It has just installed this one, so that another is of no use.")
    if judgement.verdict in NEEDS_ANOTHER or (judgement.verdict is ChainVerdict.NONE and policy.request_missing):
        return _towards_another(enrolment, report, policy, judgement.reason)
    settled = Stage.ABSENT if judgement.verdict is ChainVerdict.NONE else Stage.GOOD
    return (
        _clean_up(enrolment.rollout, judgement.reason, settled) if report.request else Need(settled, judgement.reason)
    )


def _is_in_vain(
    rollout: Rollout, report: CertificateReport, authorities: Iterable[str], verdict: ChainVerdict, now: datetime
) -> bool:
    """Whether the device has installed what it was sent, and stands no better: one after the other would be signed.

    Such as by an authority whose own issuer is none of *authorities*, or for a shorter time than it is renewed before.
    """
    if rollout.told is not Stage.INSTALL or rollout.installed is None or report.request:
        return False
    if verdict not in WRONG_AT_ONCE or not any(one.issuer in authorities for one in report.chain):
        return False
    signed = rollout.signed_at if verdict is ChainVerdict.DUE else None
    return now - (signed or rollout.installed) < _FRESH


def _towards_another(enrolment: Enrolment, report: CertificateReport, policy: Certificates, reason: str) -> Need:
    rollout = enrolment.rollout
    if _is_too_old(enrolment.version):
        return Need(Stage.OLD_FIRMWARE, f"{reason} Its firmware is older than V12r1 SR8, and must be updated first.")
    if rollout.rejected:
        return Need(Stage.REJECTED, f"{reason} It gets none: {rollout.rejected}")
    return _install(rollout, reason) if report.request else _request(rollout, enrolment.words, policy, reason)


def _request(rollout: Rollout, words: RequestWords, policy: Certificates, reason: str) -> Need:
    """Return what is needed for a device to make a request."""
    if missing := awaited(policy, words):
        listed = ", ".join(f"{{{word}}}" for word in missing)
        return Need(Stage.NAMELESS, f"{reason} A request needs {listed}, not known yet.")
    if _is_tried(rollout, Stage.REQUEST):
        return Need(Stage.FAILED, f"{reason} It was told {_MOST_TRIES} times to make a request, and makes none.")
    return Need(Stage.REQUEST, reason, requested_names(policy, words))


def _install(rollout: Rollout, reason: str) -> Need:
    """Return what is needed for a device that has made a request."""
    if rollout.request is None:
        if _is_tried(rollout, Stage.FETCH):
            return Need(Stage.FAILED, f"{reason} It was told {_MOST_TRIES} times to upload its request: none was kept.")
        return Need(Stage.FETCH, f"{reason} The device has made a signing request.")
    if not rollout.signed:
        why = f": {rollout.verdict}" if rollout.verdict else ""
        waits = "is approved, and waits" if rollout.approval else "waits"
        return Need(Stage.SIGNING, f"{reason} Its signing request {waits} for a signature{why}.")
    if rollout.installations >= MOST_INSTALLATIONS:
        return Need(Stage.FAILED, f"{reason} The device was sent a new one {MOST_INSTALLATIONS} times, without effect.")
    return Need(Stage.INSTALL, f"{reason} It is sent the one that was signed.")


def _is_tried(rollout: Rollout, stage: Stage) -> bool:
    """Whether the device was told *stage* so often that once more is of no use."""
    return rollout.told is stage and rollout.tries >= _MOST_TRIES


def _is_left(report: CertificateReport, rollout: Rollout) -> bool:
    """Whether something is left on the device of a roll-out that is to start over, and may."""
    return (report.error is not None or report.request) and not rollout.rejected


def _is_too_old(version: str) -> bool:
    """Whether *version* names a release that takes no certificates; one that can't be read is not held back."""
    release = _RELEASE.match(version.strip())
    if release is None:
        return False
    return (int(release["major"]), int(release["minor"]), int(release["service"] or 0)) < _FIRST_RELEASE


def _quoted(error: str) -> str:
    return f": {error!r}" if error else ""
