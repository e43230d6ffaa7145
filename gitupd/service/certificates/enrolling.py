"""How the roll-out of its certificate stands for the device that polls, and what is remembered once it was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gitupd.core.certificates.report import QUERY, ReportedCertificate
from gitupd.core.certificates.request import RequestWords, dns_name, uses
from gitupd.core.certificates.rollout import Enrolment, Rollout
from gitupd.service.answers import NAMING_QUERY, Fragment, UnusableAnswer
from gitupd.service.certificates.host_names import HostNames
from gitupd.service.certificates.reporting import report_in

if TYPE_CHECKING:
    from gitupd.core.caller import Caller, Origin, Serial
    from gitupd.core.certificates.report import CertificateReport
    from gitupd.core.certificates.rollout import Need
    from gitupd.core.identity import Identity
    from gitupd.core.policy import Certificates
    from gitupd.store.answers import Answers
    from gitupd.store.certificates.rollouts import RolloutRecord, Rollouts

_PATIENCE = 2.0
"""Seconds that a poll waits for a name server, where requests are not to wait for names."""


@dataclass(frozen=True, slots=True)
class DeviceEnrolment:
    """How the roll-out to a device stands, and what is remembered of it; None for nothing."""

    serial: Serial
    enrolment: Enrolment
    record: RolloutRecord | None


class Enrolling:
    """Looks up how roll-outs stand, and notes down how they go on; both take the time of the database."""

    def __init__(self, rollouts: Rollouts, answers: Answers) -> None:
        """Remember in *rollouts*; what devices report is among their *answers*."""
        self._rollouts, self._answers = rollouts, answers
        self._host_names = HostNames()

    def stop(self) -> None:
        """Look up no names any more."""
        self._host_names.stop()

    def look(
        self, serial: Serial, caller: Caller, origin: Origin, identity: Identity, policy: Certificates
    ) -> DeviceEnrolment:
        """Return how the roll-out to the device that polls stands, which is known as *identity* says."""
        record = self._rollouts.of(serial)
        answers = {answer.query: answer.xml for answer in self._answers.of(serial)}
        report = report_in(answers[QUERY]) if QUERY in answers else None
        words = self._words(caller, origin, policy, answers.get(NAMING_QUERY))
        rollout = record.rollout if record else Rollout()
        enrolment = Enrolment(rollout, report, words, caller.get("ver") or "", _proved(identity), serial.digits)
        return DeviceEnrolment(serial, enrolment, record)

    def note(self, device: DeviceEnrolment, need: Need, now: datetime) -> None:
        """Remember that *device* was answered as *need* says; to be called before it gets the answer."""
        self._rollouts.note(device.serial, need, now, first_end(device.enrolment.report), device.record)

    def _words(self, caller: Caller, origin: Origin, policy: Certificates, naming: str | None) -> RequestWords:
        own_name = _own_name(naming)
        address = caller.get("ip") or None
        host_name = self._host_name(address, policy)
        values = {
            "sn": caller.serial.digits if caller.serial else None,
            "hwid": caller.get("hwid") or None,
            "name": dns_name(own_name) if own_name else None,
            "ip": origin.address,
            "realip": address,
            "proxy": origin.proxy or "",
            "rdns": host_name,
        }
        pending = {"name": own_name is None, "rdns": address is not None and host_name is None}
        if not policy.wait_for_words:
            return RequestWords(values | ({"rdns": address} if pending["rdns"] else {}))
        return RequestWords(values, frozenset(word for word, is_pending in pending.items() if is_pending))

    def _host_name(self, address: str | None, policy: Certificates) -> str | None:
        if address is None or not uses(policy, "rdns"):
            return None
        return self._host_names.name(address, 0.0 if policy.wait_for_words else _PATIENCE)


def _proved(identity: Identity) -> ReportedCertificate | None:
    """Return the certificate that a device has shown, in the form of a report, if it speaks for it."""
    shown = identity.certificate
    if shown is None or not identity.is_trusted:
        return None
    return ReportedCertificate(shown.common_name or "", shown.issuer or "", shown.not_before, shown.not_after)


def first_end(report: CertificateReport | None) -> datetime | None:
    """Return when the first certificate of a reported chain ends, None if that is not known."""
    ends = [] if report is None else [certificate.not_after for certificate in report.chain]
    return min((end for end in ends if isinstance(end, datetime)), default=None)


def _own_name(xml: str | None) -> str | None:
    """Return the name that a device gives itself, empty for none, None if it has not answered yet."""
    if xml is None:
        return None
    try:
        return Fragment(xml).own_name or ""
    except UnusableAnswer:
        return ""
