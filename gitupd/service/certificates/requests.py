"""Variables that devices upload because they were told to: a signing request, and what went wrong with one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from gitupd.core.certificates.commands import REQUEST_ERROR, asked_file
from gitupd.core.certificates.rollout import PROVED
from gitupd.core.identity import names_another
from gitupd.errors import MalformedRequest
from gitupd.store.certificates.naming import names_in_certificate
from gitupd.store.certificates.reading import UNREADABLE

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.store.certificates.rollouts import RolloutRecord, Rollouts

LARGEST = 64 * 1024
_LARGEST_REQUEST = 16 * 1024
_ANSWER_WITHIN = timedelta(hours=1)
_BREAK = re.compile(r"\r\n|\n|\r")
_PARTS = 3  # name, flags, value

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Dump:
    """The value of a variable that a device uploads, from ``address``.

    ``proof`` is the trusted certificate of the device that the connection has shown (DER), empty if it has shown none.
    """

    serial: Serial
    variable: str
    body: bytes
    address: str = ""
    proof: bytes = b""


def parse_dump(serial: Serial, sent_serial: str, variable: str, file: str | None) -> str:
    """Return the name of the *variable* that a device uploads, as it calls itself *sent_serial*.

    Raises MalformedRequest for a variable, or a name of a *file*, that no device was ever given (recording 205).
    """
    expected = {asked_file(text, variable) for text in (sent_serial, str(serial))}
    if file is None or file not in expected:
        raise MalformedRequest("nobody was told to upload that")
    return variable


class RequestUploads:
    """Takes in what devices were told to upload, and nothing else; each call takes the time of the database."""

    def __init__(self, rollouts: Rollouts) -> None:
        """Keep requests in *rollouts*."""
        self._rollouts = rollouts

    def take(self, dump: Dump, now: datetime) -> str:
        """Keep what *dump* says, and return a sentence on what became of it; raises MalformedRequest if it is unfit."""
        record = self._rollouts.of(dump.serial)
        value = value_in(dump.variable, dump.body)
        if dump.variable == REQUEST_ERROR:
            return self._take_error(dump.serial, value, record, now)
        if record is None or not _was_asked(record, now):
            return "not kept: this device was not told to upload a request"
        if value is None:
            return "not kept: there is no request in it"
        request = read_request(value)
        if (fault := objection(x509.load_der_x509_csr(request), dump.serial)) is not None:
            log.warning("a signing request is refused", serial=str(dump.serial), reason=fault)
            self._rollouts.fail(dump.serial, f"its signing request was refused: {fault}", now)
            raise MalformedRequest(f"the signing request is refused: {fault}")
        proof, names = (PROVED, sorted(names_in_certificate(dump.proof))) if dump.proof else ("", [])
        self._rollouts.change(
            dump.serial, now, lambda rollout: rollout.uploaded(request, now, dump.address, proof, names)
        )
        if record.error:
            self._rollouts.fail(dump.serial, "", now)
        return "signing request kept"

    def _take_error(self, serial: Serial, value: str | None, record: RolloutRecord | None, now: datetime) -> str:
        if record is None:
            return "not kept: this device was not told to upload an error"
        if record.error != (value or ""):
            self._rollouts.fail(serial, value or "", now)
        return "error kept" if value else "no error"


def _was_asked(record: RolloutRecord, now: datetime) -> bool:
    asked = record.rollout.asked
    return asked is not None and now - asked < _ANSWER_WITHIN


def value_in(variable: str, body: bytes) -> str | None:
    """Return the value of *variable* in what ``vars read`` has printed, None if it is not there (recording 175)."""
    for line in _BREAK.split(body.decode(errors="replace")):
        parts = line.split()
        if parts[:1] == [variable] and len(parts) >= _PARTS:
            return parts[2]
    return None


def objection(signed: x509.CertificateSigningRequest | x509.Certificate, serial: Serial) -> str | None:
    """Return why what the device with this *serial* number has *signed*, or was given, may be none of its own.

    A device chooses itself what stands in its request, and whoever signs may copy all of it: the name of another
    device, and the right to sign for others. None if it is all right.
    """
    names = [str(attribute.value) for attribute in signed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    for name in names:
        if names_another(name, serial.digits):
            return f"it is for {name!r}, which is another device"
    try:
        extensions = [extension.value for extension in signed.extensions]
    except UNREADABLE:
        return "its extensions can't be read"
    for value in extensions:
        if isinstance(value, x509.BasicConstraints) and value.ca:
            return "it is for an authority"
        if isinstance(value, x509.KeyUsage) and (value.key_cert_sign or value.crl_sign):
            return "it is for signing certificates of others"
    return None


def read_request(digits: str) -> bytes:
    """Return the signing request (DER) that is written in hexadecimal *digits*.

    Raises MalformedRequest if it is none, or not signed by the key that it is for.
    """
    if len(digits) > 2 * _LARGEST_REQUEST:
        raise MalformedRequest("a signing request is not that long")
    try:
        content = bytes.fromhex(digits)
        if x509.load_der_x509_csr(content).is_signature_valid:
            return content
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        log.info("what a device uploaded is no signing request", error=str(error))
        raise MalformedRequest("that is no signing request") from error
    raise MalformedRequest("the signing request is not signed by its own key")
