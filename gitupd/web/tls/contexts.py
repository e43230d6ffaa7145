"""How one listener speaks TLS: versions, ciphers, the server's certificates, and whom it asks for one.

Sessions are resumed with tickets, and OpenSSL makes the keys of tickets with a context. So the context that sessions
belong to is made by the supervisor before it forks, and stays; certificates are in contexts of their own, which are
exchanged when files change, and to which each connection is switched before its handshake begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from OpenSSL import SSL, crypto

from gitupd.errors import SiteError
from gitupd.store.certificates.server import read_authorities, read_server_certificate, read_server_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitupd.listeners import Listener, Tls

TRUST = "trust"
"""The folder of a site with the authorities whose certificates identify devices."""

SESSION_SECONDS = 2 * 60 * 60
_DEEPEST_CHAIN = 8
_PROTOCOL = b"http/1.1"
# Those with forward secrecy, and encryption that authenticates; of TLS 1.3 all.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_OLD_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:RSA+AES:@SECLEVEL=0"

log = structlog.get_logger()


def session_context() -> SSL.Context:
    """Return a context that holds nothing yet but the keys of tickets."""
    return SSL.Context(SSL.TLS_SERVER_METHOD)


class TlsContext:
    """What connections to one listener begin with."""

    def __init__(self, listener: Listener, settings: Tls, site: Path, sessions: SSL.Context) -> None:
        """Speak as *settings* say, with the files of *site*; *sessions* was made before the process was forked.

        Raises SiteError for files that can't be used.
        """
        self._listener, self._settings, self._site, self._sessions = listener, settings, site, sessions
        self._configure(sessions)
        sessions.set_tlsext_servername_callback(self._choose)
        self._default, self._named = self._load()

    def reload(self) -> None:
        """Use the files as they are now for new connections; raises SiteError, and goes on as before, if it can't."""
        self._default, self._named = self._load()

    def connection(self) -> SSL.Connection:
        """Return the server's side of a new connection."""
        connection = SSL.Connection(self._sessions, None)
        connection.set_context(self._default)
        connection.set_accept_state()
        return connection

    def _load(self) -> tuple[SSL.Context, Mapping[str, SSL.Context]]:
        authorities = _authorities(self._site / TRUST)
        named: dict[str, SSL.Context] = {}
        contexts: list[SSL.Context] = []
        for pair in (self._settings.first, *self._settings.further):
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            self._configure(context)
            server = read_server_certificate(self._site / pair.certificate)
            context.use_certificate(server.certificate)
            for above in server.chain:
                context.add_extra_chain_cert(above)
            context.use_privatekey(read_server_key(self._site / pair.key, server))
            store = context.get_cert_store()
            for authority in authorities:
                if store is not None:
                    store.add_cert(authority)
            for name in server.names:
                named.setdefault(name.lower(), context)
            contexts.append(context)
        return contexts[0], named

    def _configure(self, context: SSL.Context) -> None:
        old = self._settings.old_devices
        context.set_min_proto_version(SSL.TLS1_VERSION if old else SSL.TLS1_2_VERSION)
        context.set_cipher_list(_OLD_CIPHERS if old else _CIPHERS)
        context.set_options(
            SSL.OP_NO_RENEGOTIATION
            | SSL.OP_NO_COMPRESSION
            | SSL.OP_CIPHER_SERVER_PREFERENCE
            | SSL.OP_IGNORE_UNEXPECTED_EOF
        )
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_session_id(str(self._listener.client_certificates).encode())
        context.set_timeout(SESSION_SECONDS)
        context.set_alpn_select_callback(_select)
        context.set_verify_depth(_DEEPEST_CHAIN)
        match self._listener.client_certificates:
            case "asked":
                context.set_verify(SSL.VERIFY_PEER, _accept)
            case "demanded":
                context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _judge)
            case "none":
                context.set_verify(SSL.VERIFY_NONE, _accept)

    def _choose(self, connection: SSL.Connection) -> None:
        """Switch *connection* to the certificate for the name that its client asks for."""
        name = (connection.get_servername() or b"").decode("ascii", errors="replace").lower().rstrip(".")
        context = self._named.get(name) or self._named.get(f"*.{name.partition('.')[2]}")
        if context is not None:
            connection.set_context(context)


def _authorities(folder: Path) -> Sequence[crypto.X509]:
    """Return the authorities in the files ``*.pem`` of *folder*; what can't be read is passed over, and told."""
    authorities: list[crypto.X509] = []
    for path in sorted(folder.glob("*.pem")):
        try:
            authorities += map(crypto.X509.from_cryptography, read_authorities(path))
        except SiteError as error:
            log.warning("an authority is passed over", error=str(error))
    return authorities


def _accept(*_: object) -> bool:
    """Let every certificate pass: who shows one proves that he has its key, and what it is worth is judged later."""
    return True


def _judge(_connection: SSL.Connection, _certificate: crypto.X509, _error: int, _depth: int, verdict: int) -> bool:
    return bool(verdict)


def _select(_connection: SSL.Connection, offered: list[bytes]) -> Any:
    return _PROTOCOL if _PROTOCOL in offered else SSL.NO_OVERLAPPING_PROTOCOLS
