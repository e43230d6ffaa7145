"""Roll-outs that the PHP server had begun go on where they are: no device makes another request for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.core.caller import Serial
from gitupd.core.certificates.report import QUERY
from gitupd.core.certificates.request import RequestWords
from gitupd.core.certificates.rollout import Enrolment, Rollout, Stage, need
from gitupd.errors import InvalidEntry
from gitupd.importer.rollouts import RememberedRollout
from gitupd.service.answers import plain
from gitupd.service.certificates.enrolling import first_end
from gitupd.service.certificates.handing_in import SignedAnswer, fitting
from gitupd.service.certificates.reporting import report_in
from gitupd.service.certificates.requests import objection
from gitupd.service.importing import time_of
from gitupd.store.certificates.rollouts import RolloutRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gitupd.core.certificates.report import CertificateReport
    from gitupd.core.certificates.rollout import Need
    from gitupd.core.policy import Certificates
    from gitupd.importer.devices import RememberedDevice
    from gitupd.importer.rollouts import KeptFile
    from gitupd.store.certificates.rollouts import Rollouts

Notes = list[tuple[str, str]]
"""What there is to tell of files: their places, and a text on each."""

_LONGEST_ERROR = 500
_SERVED = frozenset({Stage.GOOD, Stage.ABSENT, Stage.REQUEST})
"""Stages at which files of a roll-out are of an earlier one: the device has no request any more."""


@dataclass(frozen=True, slots=True)
class Importing:
    """What roll-outs are taken over by: the policy, the authority's certificates that go along, who does it, when."""

    policy: Certificates
    chain: Sequence[bytes]
    who: str
    now: datetime

    def take_over(
        self, rollouts: Rollouts, files: Sequence[RememberedRollout], devices: Sequence[RememberedDevice]
    ) -> Notes:
        """Remember how far each roll-out is; return what there is to tell of files: those left out, those of nobody."""
        if not self.policy.enabled:
            return []
        notes: Notes = []
        rollout_files = {each.serial: each for each in files}
        known = {device.serial: device for device in devices}
        records = []
        for serial in sorted(rollout_files.keys() | known.keys()):
            kept = rollout_files.get(serial, RememberedRollout(serial))
            if serial not in known:
                notes += ((file.place, _OF_NOBODY) for file in kept.files)
            record = self._record(kept, known.get(serial), notes)
            if record is not None:
                records.append(record)
        rollouts.adopt(records)
        return notes

    def _record(self, files: RememberedRollout, device: RememberedDevice | None, notes: Notes) -> RolloutRecord | None:
        """Return how far the roll-out of one device is, None if nothing is known of one."""
        report = None if device is None else _report(device)
        rollout = self._rollout(files, notes)
        if report is None and rollout == Rollout() and not (device and device.skips):
            return None
        if self._needed(files.serial, rollout, report).stage in _SERVED:
            notes += ((file.place, "left out: its device has no such request any more") for file in _of_request(files))
            rollout = Rollout()
        if device is not None and device.skips:
            told = Stage.INSTALL if rollout.signed else Stage.REQUEST
            rollout = rollout.after(told, time_of(device.skips, self.now))
        needed = self._needed(files.serial, rollout, report)
        since = _since(needed.stage, rollout, device, self.now)
        error = self._error(files, report, notes)
        return RolloutRecord(
            Serial(files.serial), rollout, needed.stage, since, needed.reason, error, first_end(report)
        )

    def _rollout(self, files: RememberedRollout, notes: Notes) -> Rollout:
        """Return what the request and the signed certificate among *files* come to."""
        serial = Serial(files.serial)
        request = _request(files, notes)
        if request is None:
            if files.signed is not None:
                notes.append((files.signed.place, "left out: there is no request for which it could have been signed"))
            return Rollout()
        file, content = request
        rollout = Rollout(content, time_of(file.at, self.now))
        if files.signed is None:
            return rollout
        answer = SignedAnswer(serial, files.signed.content, self.who, self.now)
        try:
            signed = fitting(x509.load_der_x509_csr(content), answer, self.policy, self.chain)
        except (InvalidEntry, ValueError, UnsupportedAlgorithm) as error:
            notes.append((files.signed.place, f"left out: {error}; the request waits for another one"))
            return rollout
        ordered = tuple(certificate.public_bytes(Encoding.DER) for certificate in signed)
        return rollout.answered(ordered, f"{self.who}, by the import", time_of(files.signed.at, self.now))

    def _needed(self, serial: str, rollout: Rollout, report: CertificateReport | None) -> Need:
        return need(Enrolment(rollout, report, RequestWords({}), serial=serial), self.policy, self.now)

    def _error(self, files: RememberedRollout, report: CertificateReport | None, notes: Notes) -> str:
        """Return what the device has said of a failure, if that is not over."""
        if files.error is None:
            return ""
        if report is not None and report.error is None:
            notes.append((files.error.place, "left out: the device reports no error any more"))
            return ""
        return plain(files.error.content.decode(errors="replace"))[:_LONGEST_ERROR]


_OF_NOBODY = "kept, and used once its device polls, of which no status is there"


def _report(device: RememberedDevice) -> CertificateReport | None:
    """Return what *device* had reported of its certificates, None if nothing that can be read."""
    for answer in device.answers:
        if answer.query == QUERY:
            return report_in(answer.xml.decode(errors="replace"))
    return None


def _request(files: RememberedRollout, notes: Notes) -> tuple[KeptFile, bytes] | None:
    """Return the signing request (DER) among *files*, and which one it is in; None if there is none that is fit."""
    found: tuple[KeptFile, bytes] | None = None
    for file, read in ((files.request, bytes), (files.request_as_text, _der)):
        if file is None:
            continue
        try:
            content = read(file.content)
            request = x509.load_der_x509_csr(content)
            is_signed = request.is_signature_valid
            fault = objection(request, Serial(files.serial)) if is_signed else "it is not signed by its own key"
        except (ValueError, TypeError, UnsupportedAlgorithm):
            content, fault = b"", "that is no signing request"
        if fault is None and found is not None and content != found[1]:
            fault = f"{found[0].place} holds another request, which counts"
        if fault is not None:
            notes.append((file.place, f"left out: {fault}"))
        elif found is None:
            found = file, content
    return found


def _der(text: bytes) -> bytes:
    return x509.load_pem_x509_csr(text).public_bytes(Encoding.DER)


def _of_request(files: RememberedRollout) -> Iterator[KeptFile]:
    return (file for file in (files.request, files.request_as_text, files.signed) if file is not None)


def _since(stage: Stage, rollout: Rollout, device: RememberedDevice | None, now: datetime) -> datetime:
    """Return since when a roll-out is at *stage*, as far as files and status tell."""
    if stage is Stage.SIGNING and rollout.request_at is not None:
        return rollout.request_at
    if stage is Stage.INSTALL and rollout.signed_at is not None:
        return rollout.signed_at
    return now if device is None else time_of(device.seen, now)
