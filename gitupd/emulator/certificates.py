"""How a device requests a certificate, and what it does with the one it is given.

When a delivered certificate takes effect is not known; here it is at `config activate`.
"""

from gitupd.emulator.factory import Credential, read_chain
from gitupd.emulator.script import CertificateRequest, number
from gitupd.emulator.signing import Certificate, Key, KeyRing, facts, signing_request
from gitupd.emulator.state import Device, PendingRequest

REQUEST, REQUEST_KEY = "X509/REQUEST", "X509/REQUESTKEY"
RESPONSE, REQUEST_ERROR = "X509/REQUESTRESPONSE/", "X509/REQUESTERROR"
DEFAULT_KEY = 2048


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
    device.create_variable(REQUEST_KEY, "pb", key.private_key.hex())
    device.create_variable(REQUEST, "pb", signing_request(key, pending.options).hex())


def _key_size(pending: PendingRequest) -> int:
    size = dict(pending.options).get("key") or ""
    return number(size.removesuffix("-bit")) or DEFAULT_KEY


def take_response(device: Device) -> None:
    """Install a delivered chain, or leave a note why not."""
    parts = sorted(path for path in device.variables if path.startswith(RESPONSE))
    if not parts:
        return
    try:
        chain = read_chain([bytes.fromhex(device.variables[part].value) for part in parts])
        key = _key_of(device, facts(chain[0]), device.keys)
    except ValueError as fault:
        device.create_variable(REQUEST_ERROR, "p", str(fault).replace(" ", "%20"))
    else:
        device.install(Credential(chain, key.secret))
        device.delete_variable(REQUEST)
        device.delete_variable(REQUEST_KEY)
    for part in parts:
        device.delete_variable(part)


def _key_of(device: Device, leaf: Certificate, keys: KeyRing) -> Key:
    """Give the key of the request; raises ValueError unless the certificate is for it."""
    stored = device.variables.get(REQUEST_KEY)
    if stored is None:
        raise ValueError("there is no request")
    own = next((key for key in keys.keys.values() if key.private_key.hex() == stored.value), None)
    if own is None or own.public_key != leaf.public_key:
        raise ValueError("the certificate does not match the key")
    return own
