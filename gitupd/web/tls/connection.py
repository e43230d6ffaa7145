"""A TLS connection: outwards a protocol that gets records, inwards the transport of a protocol that gets plain text.

The handshake is a state with a clock and a bound as the others (docs/explanation/connections.md).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL, crypto

from gitupd.store.certificates.reading import UNREADABLE
from gitupd.web.asgi.conclusion import HandshakeEnd
from gitupd.web.asgi.log import Seldom
from gitupd.web.asgi.protocol import CERTIFICATES
from gitupd.web.tls.contexts import is_signed, objection
from gitupd.web.tls.prelude import Prelude, peer_of
from gitupd.web.tls.records import Records, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.web.asgi.protocol import BoundedProtocol
    from gitupd.web.tls.chains import SharedChains
    from gitupd.web.tls.prelude import PreludeBounds

LARGEST_HANDSHAKE = 32 * 1024
"""What a client may send for its handshake, and show of certificates: these are kept as long as it is connected."""

_RECORD = 16 * 1024
_MOST_READ = 256 * 1024
_HANDSHAKE = 0x16
_ADDRESSES = frozenset({"peername", "sockname"})
_PLAIN = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 36\r\n"
    b"connection: close\r\n\r\nThis port speaks HTTPS, and no HTTP.\n"[:-1]
)

_OF_CERTIFICATES = frozenset({"certificate verify failed", "peer did not return a certificate"})

_tell = Seldom()


class TlsConnection(asyncio.Transport, Prelude):
    """Presents what comes by TLS to the protocol that *inner* makes, once the handshake is through."""

    def __init__(
        self,
        bounds: PreludeBounds,
        inner: Callable[[], BoundedProtocol],
        connection: SSL.Connection,
        chains: SharedChains,
    ) -> None:
        """Speak TLS by *connection*, which is the server's side of a new one; *chains* completes resumed sessions."""
        asyncio.Transport.__init__(self)
        Prelude.__init__(self, bounds)
        self._tls, self._make, self._chains = connection, inner, chains
        self._inner: BoundedProtocol | None = None
        self._received = 0
        self._records, self._unread = Records(), 0
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._closing = self._reading_paused = self._has_eof = False
        self._certificates: tuple[bytes, ...] = ()

    # What the transport below tells

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # no other comes here
        """Start to wait for the handshake, if there is room for one more connection."""
        self._below = transport
        self._closing = not self.begin(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the inner protocol."""
        self.end()
        self._closing = True
        if self._inner is not None:
            self._inner.connection_lost(exc)
        # uvicorn's protocol refers to itself, and stays until garbage is collected; OpenSSL's buffers need not.
        self._inner = None
        del self._tls

    def data_received(self, data: bytes) -> None:
        """Take records."""
        if self._closing and self._inner is None:
            return
        if self._inner is None:
            if not self._received and data[0] != _HANDSHAKE:
                self._refuse_plain(data)
                return
            self._received += len(data)
        try:
            self._unread += self._records.feed(data)
        except TooLarge:
            self.abort()
            return
        self._tls.bio_write(data)
        if self._inner is not None or self._shake():
            self._hand_on()
        elif self._received > LARGEST_HANDSHAKE:
            self.abort()

    def eof_received(self) -> bool | None:
        """Hand the end on; the transport closes itself when all is written."""
        if self._inner is None:
            return None
        if not self._has_eof:
            self._has_eof = True
            self._inner.eof_received()
        self._send()
        return None

    def pause_writing(self) -> None:
        """Have the inner protocol wait for the client to read."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Let the inner protocol go on."""
        if self._inner is not None:
            self._inner.resume_writing()

    # What the inner protocol asks of its transport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection."""
        if name == CERTIFICATES:
            return self._certificates
        if name == "sslcontext":
            return self._tls.get_context()
        if name == "socket":
            return default  # uvicorn would ask the system for addresses that are known
        info = self._below.get_extra_info(name, default)
        return info[:2] if name in _ADDRESSES and info else info

    def is_closing(self) -> bool:
        """Return whether it is closed, or about to be."""
        return self._closing or self._below.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send *data*; what the client has not read yet is in the buffer of the transport below."""
        if self.is_closing() or not data:
            return
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._send)
        self._unsent.append(bytes(data))
        self._unsent_bytes += len(data)
        if self._unsent_bytes >= _RECORD:
            self._send()

    def writelines(self, list_of_data: Any) -> None:
        """Send all of it."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Return False: uvicorn asks for nothing of this kind."""
        return False

    def close(self) -> None:
        """Say goodbye, and close when the client has read what was sent."""
        if self._closing:
            return
        self._send()
        self._closing = True
        with suppress(SSL.Error):  # in the middle of a handshake there is nobody to say goodbye to
            self._tls.shutdown()
        self._flush()
        self._below.close()

    def abort(self) -> None:
        """End at once."""
        self._closing = True
        self._below.abort()

    def pause_reading(self) -> None:
        """Take nothing more from the client; what has come is kept as it came."""
        self._reading_paused = True
        if not self._below.is_closing():
            self._below.pause_reading()

    def resume_reading(self) -> None:
        """Go on."""
        if self._reading_paused:
            self._reading_paused = False
            asyncio.get_running_loop().call_soon(self._go_on)

    def is_reading(self) -> bool:
        """Return whether it takes what comes."""
        return not self._reading_paused and not self.is_closing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the limits of the transport below: there is no other buffer."""
        self._below.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how much has yet to be sent, as records."""
        return self._below.get_write_buffer_size()

    def is_late(self) -> None:
        """End a handshake that has taken too long."""
        self._bounds.count(HandshakeEnd.LATE)
        self.drop()

    def drop(self) -> None:
        """End at once."""
        self.abort()

    # The handshake

    def _shake(self) -> bool:
        """Go on with the handshake; return whether it is through."""
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        except SSL.Error as error:
            self._fail(error)
            return False
        self._flush()
        self._certificates = _shown(self._tls, self._chains)
        if sum(map(len, self._certificates)) > LARGEST_HANDSHAKE:
            self._bounds.count(HandshakeEnd.FAILED)
            self.abort()
            return False
        self._bounds.count(HandshakeEnd.COMPLETE)
        self._inner = self._make()
        self.hand_over(self._inner, self)
        return True

    def _fail(self, error: SSL.Error) -> None:
        """Close with the alert that says why, and tell of it."""
        reason = _reason(error)
        self._bounds.count(HandshakeEnd.REFUSED if reason in _OF_CERTIFICATES else HandshakeEnd.FAILED)
        why = objection(self._tls)
        _tell("a TLS handshake failed", why=f"{reason}: {why}" if why else reason, peer=peer_of(self._below))
        self._flush()
        self._closing = True
        self._below.close()

    def _refuse_plain(self, data: bytes) -> None:
        """Answer somebody who speaks no TLS, if it looks as if an answer would be read."""
        self._closing = True
        self._bounds.count(HandshakeEnd.PLAIN)
        if data[:1].isalpha():
            self._below.write(_PLAIN)
        self._below.close()

    # Records

    def _hand_on(self) -> None:
        """Hand on what has come, unless the inner protocol wants nothing now."""
        inner = self._inner
        while self._unread and inner is not None and not self._reading_paused and not self.is_closing():
            self._unread -= 1
            try:
                data = self._tls.recv(_RECORD)
            except SSL.WantReadError:
                self._unread = 0
                self._flush()  # records that are not for the inner protocol may have been answered
                return
            except SSL.ZeroReturnError:
                self._end_of_input()
                return
            except SSL.Error:
                self._flush()
                self.abort()
                return
            inner.data_received(data)

    def _go_on(self) -> None:
        if self._reading_paused or self.is_closing():
            return
        self._hand_on()
        if not self._reading_paused and not self.is_closing():
            self._below.resume_reading()

    def _end_of_input(self) -> None:
        """Take the client's goodbye: as at the end of a plain connection, all that it is owed is sent."""
        if not self._has_eof and self._inner is not None:
            self._has_eof = True
            self._inner.eof_received()
            self.close()

    def _send(self) -> None:
        """Make records of all that was written since the last turn of the loop: an answer is one, head and body."""
        if not self._unsent or self.is_closing():
            return
        data = self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent)
        self._unsent.clear()
        self._unsent_bytes = 0
        try:
            self._tls.sendall(data)
        except SSL.Error:
            self.abort()
            return
        self._flush()

    def _flush(self) -> None:
        """Hand the records that OpenSSL has made to the transport below."""
        while True:
            try:
                records = self._tls.bio_read(_MOST_READ)
            except SSL.WantReadError:
                return
            if not self._below.is_closing():
                self._below.write(records)
            if len(records) < _MOST_READ:
                return


def _reason(error: SSL.Error) -> str:
    """Return why OpenSSL has given up, in its own words, of which there are only so many."""
    listed = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return str(listed[-1][-1]) if listed else "the client went away"


def _shown(connection: SSL.Connection, chains: SharedChains) -> tuple[bytes, ...]:
    """Return the certificates that the client has shown, in this session or in the one that it resumes."""
    own = connection.get_peer_certificate()
    if own is None:
        return ()
    leaf = _encoded(own)
    shown = tuple(each for each in map(_encoded, connection.get_peer_cert_chain() or ()) if each != leaf)
    signed = is_signed(connection)
    if signed and shown and not chains.is_known(shown):
        path = tuple(map(_encoded, connection.get_verified_chain() or ()))
        chains.remember(_issuer(own), [each for each in path if each in shown])
    elif signed is None and not shown:
        shown = chains.above(_issuer(own))
    return (leaf, *shown)


def _encoded(certificate: crypto.X509) -> bytes:
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)


def _issuer(certificate: crypto.X509) -> bytes:
    """Return the issuer's name in DER, b"" for that of a certificate which OpenSSL accepts, but nobody else reads."""
    try:
        return certificate.to_cryptography().issuer.public_bytes()
    except UNREADABLE:
        return b""
