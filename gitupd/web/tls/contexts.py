"""How one listener speaks TLS: versions, ciphers, the server's certificates, and whom it asks for one.

Sessions are resumed with tickets, and OpenSSL makes the keys of tickets with a context. So the context that sessions
belong to is made by the supervisor before it forks, and stays; certificates are in contexts of their own, which are
exchanged when files change, and to which each connection is switched before its handshake begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from OpenSSL import SSL, crypto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.listeners import Listener, TlsSettings
    from gitupd.web.tls.files import KeyMaterial

SESSION_SECONDS = 2 * 60 * 60
_DEEPEST_CHAIN = 8
_PROTOCOL = b"http/1.1"
# Those with forward secrecy, and encryption that authenticates; of TLS 1.3 all.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_OLD_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:RSA+AES:@SECLEVEL=0"

_UNKNOWN, _WEAK = "it leads to no authority of the site", "key or signature are too weak; old_devices allows them"
_OBJECTIONS: Mapping[int, str] = {
    7: "its signature is wrong",
    9: "it is not yet valid",
    10: "it has expired",
    18: "it is signed by itself",
    **dict.fromkeys((2, 19, 20, 21), _UNKNOWN),
    26: "it is not made for clients",
    **dict.fromkeys((66, 67, 68), _WEAK),
}
"""What the likely errors of OpenSSL's verification mean, by number (``x509_vfy.h``)."""

_OF_SIGNED = frozenset({9, 10, 26, 66, 67, 68})
"""Those which say nothing against the signatures up to an authority."""


def session_context() -> SSL.Context:
    """Return a context that holds nothing yet but the keys of tickets."""
    return SSL.Context(SSL.TLS_SERVER_METHOD)


class TlsContext:
    """What connections to one listener begin with."""

    def __init__(self, listener: Listener, settings: TlsSettings, sessions: SSL.Context, material: KeyMaterial) -> None:
        """Speak as *settings* say, with *material*; *sessions* was made before the process was forked."""
        self._listener, self._settings, self._sessions = listener, settings, sessions
        self._configure(sessions)
        sessions.set_tlsext_servername_callback(self._choose)
        self._default, self._named = self._contexts(material)

    def take_over(self, material: KeyMaterial) -> None:
        """Use *material* for new connections; those that there are, and their sessions, go on."""
        self._default, self._named = self._contexts(material)

    def connection(self) -> SSL.Connection:
        """Return the server's side of a new connection."""
        connection = SSL.Connection(self._sessions, None)
        connection.set_context(self._default)
        connection.set_accept_state()
        return connection

    def _contexts(self, material: KeyMaterial) -> tuple[SSL.Context, Mapping[str, SSL.Context]]:
        """Return a context for whoever asks for no name that is known, and one for each name."""
        authorities = [crypto.X509.from_cryptography(authority) for authority in material.authorities]
        named: dict[str, SSL.Context] = {}
        contexts: list[SSL.Context] = []
        for server, key in material.pairs:
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            self._configure(context)
            context.use_certificate(server.certificate)
            for above in server.chain:
                context.add_extra_chain_cert(above)
            context.use_privatekey(key)
            store = context.get_cert_store()
            if store is not None:
                store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # what is in the folder is trusted, root or not
                for authority in authorities:
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


def _accept(connection: SSL.Connection, _certificate: crypto.X509, error: int, _depth: int, verdict: int) -> bool:
    """Let every certificate pass: who shows one proves that he has its key, and what it is worth is judged later."""
    _note(connection, error, verdict)
    return True


def _judge(connection: SSL.Connection, _certificate: crypto.X509, error: int, _depth: int, verdict: int) -> bool:
    _note(connection, error, verdict)
    return bool(verdict)


def _note(connection: SSL.Connection, error: int, verdict: int) -> None:
    """Note on *connection* what is wrong with what was looked at, 0 if nothing is; the first that counts counts."""
    noted: int | None = connection.get_app_data()
    if not noted or (noted in _OF_SIGNED and not verdict and error not in _OF_SIGNED):
        connection.set_app_data(0 if verdict else error)


def is_signed(connection: SSL.Connection) -> bool | None:
    """Return whether an authority of the site has signed what the client shows, whatever else may be wrong with it.

    None if nobody looked, as in resumed sessions.
    """
    error: int | None = connection.get_app_data()
    return None if error is None else not error or error in _OF_SIGNED


def objection(connection: SSL.Connection) -> str:
    """Return in words why the client's certificate does not lead to an authority of the site, empty if it does."""
    error: int | None = connection.get_app_data()
    return _OBJECTIONS.get(error, f"OpenSSL's verification says {error}") if error else ""


def _select(_connection: SSL.Connection, offered: list[bytes]) -> Any:
    return _PROTOCOL if _PROTOCOL in offered else SSL.NO_OVERLAPPING_PROTOCOLS
