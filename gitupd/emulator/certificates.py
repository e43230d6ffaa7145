"""How a device requests a certificate, and what it does with the one it is given.

When a delivered certificate takes effect is not known; here it is at `config activate`.
"""

import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from gitupd.emulator.clock import moment
from gitupd.emulator.factory import Credential, read_chain
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.script import CertificateRequest, number
from gitupd.emulator.signing import Key, facts, read_key, signing_request
from gitupd.emulator.state import Device, PendingRequest

REQUEST, REQUEST_KEY = "X509/REQUEST", "X509/REQUESTKEY"
RESPONSE, REQUEST_ERROR = "X509/REQUESTRESPONSE/", "X509/REQUESTERROR"
DEFAULT_KEY = 2048
FIRST_RELEASE = (12, 1, 8)
"""12r1 SR8, which was the first to install certificates."""
RELEASE = re.compile(r"(\d+)r(\d+)(?:.*?\bsr(\d+))?", re.IGNORECASE)


def begin_request(device: Device, command: CertificateRequest) -> None:
    """Start to make a key; the device is busy with it for a while."""
    device.pending_request = PendingRequest(device.clock.now() + device.habits.key_seconds, command.options)


def finish_request(device: Device) -> None:
    """Store key and request, if their time has come."""
    pending = device.pending_request
    if pending is None or device.clock.now() < pending.ready_at:
        return
    device.pending_request = None
    size = _key_size(pending)
    key = device.keys.key(size)
    if not device.habits.has(Misbehaviour.LOST_KEY):
        device.create_variable(REQUEST_KEY, "pb", key.private_key.hex())
    device.create_variable(REQUEST, "pb", signing_request(key, pending.options).hex())


def _key_size(pending: PendingRequest) -> int:
    size = dict(pending.options).get("key") or ""
    return number(size.removesuffix("-bit")) or DEFAULT_KEY


def take_response(device: Device) -> None:
    """Install a delivered chain, or leave a note why not."""
    parts = sorted(path for path in device.variables if path.startswith(RESPONSE))
    if not parts or not _knows_how(device):
        return
    try:
        chain = read_chain([bytes.fromhex(device.variables[part].value) for part in parts])
        key = _key_of(device, chain[0])
        _examine(device, chain)
    except ValueError as fault:
        device.create_variable(REQUEST_ERROR, "p", str(fault).replace(" ", "%20"))
    else:
        device.install(Credential(chain, key.secret))
        device.delete_variable(REQUEST)
        device.delete_variable(REQUEST_KEY)
    for part in parts:
        device.delete_variable(part)


def _knows_how(device: Device) -> bool:
    """Tell whether the firmware that runs knows what a delivered certificate is; a release without a number does."""
    release = RELEASE.match(device.release)
    known = release is None or (int(release[1]), int(release[2]), int(release[3] or 0)) >= FIRST_RELEASE
    return known and not device.habits.has(Misbehaviour.IGNORED_CERTIFICATES)


def _key_of(device: Device, leaf: x509.Certificate) -> Key:
    """Give the key of the request; raises ValueError unless the certificate is for it."""
    stored = device.variables.get(REQUEST_KEY)
    if stored is None:
        raise ValueError("there is no request")
    own = read_key(bytes.fromhex(stored.value))
    if own.public_key != facts(leaf).public_key:
        raise ValueError("the certificate does not match the key")
    return own


def _examine(device: Device, chain: tuple[x509.Certificate, ...]) -> None:
    """Raise ValueError for what some devices don't take."""
    if device.habits.has(Misbehaviour.NO_ECDSA) and any(_is_ecdsa(certificate) for certificate in chain):
        raise ValueError("a key of another kind")
    if not device.habits.has(Misbehaviour.CHECKS_DATES):
        return
    now = moment(device.clock.now() if device.clock_set else 0)
    if any(not one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in chain):
        raise ValueError("the certificate is not valid now")


def _is_ecdsa(certificate: x509.Certificate) -> bool:
    try:
        return isinstance(certificate.public_key(), EllipticCurvePublicKey)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise ValueError(f"a key of another kind: {fault}") from fault
