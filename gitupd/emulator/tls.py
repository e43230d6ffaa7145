"""A device's side of TLS: what it shows, what it accepts, and the sessions that it resumes."""

import ssl
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509

from gitupd.emulator.clock import moment
from gitupd.emulator.factory import Credential
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.state import Device

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: dates are compared with the device's own clock
CIPHERS = "DEFAULT:@SECLEVEL=0"  # what servers ask for is their affair
MOST_SESSIONS = 4


class TlsVersion(StrEnum):
    """The latest version of TLS that a device speaks."""

    TLS_1_0 = "1.0"
    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


VERSIONS = {
    TlsVersion.TLS_1_0: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}


class UntrustedError(Exception):
    """The device does not accept the server's certificate."""


@dataclass(frozen=True, slots=True)
class TlsHabits:
    """How devices speak TLS, apart from what they show."""

    authorities: str | None = None
    """In PEM: certificates of servers must come from one of them. None: any certificate will do."""
    version: TlsVersion = TlsVersion.TLS_1_3


def read_trust(path: Path) -> str:
    """Read certificates of authorities; raises ValueError if there is none in the file."""
    try:
        text = path.read_text("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError, ssl.SSLError) as fault:
        raise ValueError(f"{path} can't be read as certificates of authorities: {fault}") from fault
    return text


class _Context(ssl.SSLContext):
    """Offers a session for resumption; asyncio knows no way to ask for that."""

    offered: ssl.SSLSession | None = None

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:
        """Begin a connection."""
        return super().wrap_bio(*args, **{"session": self.offered, **named})


Server = tuple[bool, str, int]


@dataclass(slots=True)
class TlsSide:
    """How a device speaks TLS; without a device as one does that has no certificate."""

    habits: TlsHabits = field(default_factory=TlsHabits)
    device: Device | None = None
    handshakes: Counter[str] = field(default_factory=Counter)
    """By kind, such as `TLSv1.3 resumed`; many devices may share it."""
    sessions: dict[Server, ssl.SSLSession] = field(default_factory=dict)
    _made: _Context | None = None
    _shown: Credential | None = None

    def context(self, server: Server) -> ssl.SSLContext:
        """Give what a connection to a server begins with."""
        credential = self.device.credential if self.device else None
        if self._made is None or credential is not self._shown:
            self.sessions.clear()
            self._made, self._shown = self._context(credential), credential
        self._made.offered = self.sessions.get(server)
        return self._made

    def name(self, host: str) -> str:
        """Give the name that the device says in the handshake; "" for none."""
        return "" if self._has(Misbehaviour.NO_SNI) else host

    def accept(self, peer: ssl.SSLObject) -> None:
        """Look at what came of a handshake; raises UntrustedError if the certificate is out of date for the device."""
        self.handshakes[f"{peer.version()} {'resumed' if peer.session_reused else 'full'}"] += 1
        shown = peer.getpeercert(binary_form=True)
        if self.habits.authorities is None or self.device is None or shown is None:
            return
        certificate, now = x509.load_der_x509_certificate(shown), _time(self.device)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise UntrustedError(f"the server's certificate is not valid at {now:%Y-%m-%d %H:%M}, the device's time")

    def remember(self, server: Server, peer: ssl.SSLObject) -> None:
        """Keep a session for the next connection."""
        if self._has(Misbehaviour.NO_RESUMPTION) or peer.session is None or peer.context is not self._made:
            return
        self.sessions.pop(server, None)
        self.sessions[server] = peer.session
        while len(self.sessions) > MOST_SESSIONS:
            del self.sessions[next(iter(self.sessions))]

    def _has(self, misbehaviour: Misbehaviour) -> bool:
        return self.device is not None and self.device.habits.has(misbehaviour)

    def _context(self, credential: Credential | None) -> _Context:
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = self.habits.authorities is not None and not self._has(Misbehaviour.NO_SNI)
        if self.habits.authorities is None:
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_verify_locations(cadata=self.habits.authorities)
            context.verify_flags |= NO_CHECK_TIME
        context.set_ciphers(CIPHERS)
        self._bound(context)
        if credential:
            _load(context, credential)
        return context

    def _bound(self, context: ssl.SSLContext) -> None:
        """Set the versions of TLS, and whether a server may begin another handshake."""
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # old devices know nothing newer
            context.minimum_version = min(VERSIONS[self.habits.version], ssl.TLSVersion.TLSv1_2)
            context.maximum_version = VERSIONS[self.habits.version]
        if self._has(Misbehaviour.NO_RENEGOTIATION):
            context.maximum_version = min(context.maximum_version, ssl.TLSVersion.TLSv1_2)
            context.options |= ssl.OP_NO_RENEGOTIATION


def _time(device: Device) -> datetime:
    return moment(device.clock.now() if device.clock_set else 0)


def _load(context: ssl.SSLContext, credential: Credential) -> None:
    """Give a context certificates and key; OpenSSL reads them from a file only, which is gone at once."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(credential.pem)
        file.flush()
        context.load_cert_chain(file.name)
