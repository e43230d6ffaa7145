"""An authority that speaks ACME (RFC 8555) as one who signs requests."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from josepy.b64 import b64encode
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from gitupd.errors import InvalidEntry
from gitupd.service.certificates.handing_in import common_name, in_order, read_certificates
from gitupd.service.certificates.signers import SigningDelayed, SigningRefused
from gitupd.store.certificates.naming import names_in

if TYPE_CHECKING:
    from gitupd.service.certificates.signers import SigningOrder
    from gitupd.settings import SigningSettings
    from gitupd.store.certificates.account import AcmeFolder

_NETWORK_SECONDS = 20
_REFUSALS = frozenset({"rejectedIdentifier", "unsupportedIdentifier", "badCSR", "malformed", "badPublicKey"})
"""What an authority says of a request that it will not sign, as it is; whatever else it says may change."""

_LONGEST_REASON = 300


class AcmeSigner:
    """Has requests signed by an authority that speaks ACME, with an account whose key is in the site."""

    def __init__(self, settings: SigningSettings, folder: AcmeFolder, eab_key: str) -> None:
        """Ask the authority that *settings* name; *folder* has the account, *eab_key* is what binds it, if anything."""
        self._settings, self._folder, self._eab_key = settings, folder, eab_key
        self._registering = threading.Lock()

    @property
    def name(self) -> str:
        """Where the authority is."""
        return f"ACME at {urlsplit(self._settings.acme).netloc}"

    def sign(self, order: SigningOrder) -> tuple[bytes, ...]:
        """Return what the authority has signed for *order*; raises SigningRefused or SigningDelayed."""
        request = x509.load_der_x509_csr(order.request)
        digest = hashlib.sha256(order.request).hexdigest()
        name = common_name(request.subject)
        if f"DNS={name.lower()}" not in names_in(request):  # authorities sign it, or look at it, nowhere else
            hint = "add it to request: {dns: [...]} of policies/certificates.yaml"
            raise SigningRefused(f"the common name {name!r} must be among the alternative names, too; {hint}")
        try:
            chain = self._signed(request.public_bytes(Encoding.PEM), digest)
            ordered = in_order(read_certificates(chain.encode()), request)
        except messages.Error as error:
            kind = SigningRefused if error.code in _REFUSALS else SigningDelayed
            raise kind(_said(error)) from error
        except errors.IssuanceError as error:
            self._folder.forget_order(digest)
            raise SigningRefused(f"it does not issue the certificate: {_said(error.error)}") from error
        except errors.ValidationError as error:
            self._folder.forget_order(digest)
            raise SigningDelayed(f"it found no proof of a name: {_unproved(error)}") from error
        except errors.TimeoutError as error:
            raise SigningDelayed(f"it has not decided within {self._settings.seconds:g} seconds") from error
        except InvalidEntry as error:
            raise SigningRefused(f"it has signed, but: {error}") from error
        except (errors.Error, JoseError, OSError, ValueError) as error:
            raise SigningDelayed(f"it does not answer as it should: {_line(str(error))}") from error
        self._folder.forget_order(digest)
        return tuple(each.public_bytes(Encoding.DER) for each in ordered)

    def _signed(self, request: bytes, digest: str) -> str:
        """Return the chain that the authority gives for *request*, both in PEM; raises what ACME does."""
        connection = self._connection()
        order = self._resumed(connection, request, digest)
        if order is None:
            order = connection.new_order(request)
            self._folder.note_order(digest, order.uri)
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_PENDING:
                self._answer(connection, authorization)
        deadline = datetime.now() + timedelta(seconds=self._settings.seconds)  # noqa: DTZ005, TID251 - the library's clock
        if order.body.status in (messages.STATUS_PENDING, messages.STATUS_READY):
            order = connection.poll_authorizations(order, deadline)
            return str(connection.finalize_order(order, deadline).fullchain_pem)
        return str(connection.poll_finalization(order, deadline).fullchain_pem)

    def _resumed(self, connection: client.ClientV2, request: bytes, digest: str) -> messages.OrderResource | None:
        """Return the order that was placed for the same request before, None if there is none that helps."""
        uri = self._folder.order(digest)
        if uri is None:
            return None
        post = connection._post_as_get  # noqa: SLF001 - the library places orders, and finds none again
        try:
            body = messages.Order.from_json(post(uri).json())
            if body.status == messages.STATUS_INVALID:
                return None
            found = [
                messages.AuthorizationResource(body=messages.Authorization.from_json(post(url).json()), uri=url)
                for url in body.authorizations
            ]
        except (messages.Error, errors.ClientError):
            return None  # it has forgotten the order
        return messages.OrderResource(body=body, uri=uri, authorizations=found, csr_pem=request)

    @staticmethod
    def _answer(connection: client.ClientV2, authorization: messages.AuthorizationResource) -> None:
        """Have the authority look for the proof of a name, which any worker gives: see AcmeFolder.thumbprint."""
        name = authorization.body.identifier.value
        for offered in authorization.body.challenges:
            if isinstance(offered.chall, challenges.HTTP01):
                if offered.status == messages.STATUS_PENDING:
                    connection.answer_challenge(offered, offered.chall.response(connection.net.key))
                return
        kinds = ", ".join(sorted(str(offered.chall.typ) for offered in authorization.body.challenges))
        raise SigningDelayed(f"it wants a proof of the name {name} that gitupd can't give: {kinds}, and not http-01")

    def _connection(self) -> client.ClientV2:
        """Return a connection for one order, with the account; the site's, made when it is first needed."""
        key = JWKEC(key=self._key())
        network = client.ClientNetwork(
            key, alg=ES256, user_agent="gitupd", timeout=_NETWORK_SECONDS, verify_ssl=self._trusted()
        )
        network.session.trust_env = False  # settings say whom to ask, and nothing else does
        directory = client.ClientV2.get_directory(self._settings.acme, network)
        made = client.ClientV2(directory, network)
        with self._registering:
            uri = self._folder.account(self._settings.acme) or self._registered(made, key)
        network.account = messages.RegistrationResource(uri=uri, body=messages.Registration())
        return made

    def _trusted(self) -> Any:
        """Return the file of authorities that the authority's own server is held against, True for public ones."""
        return str(self._folder.site / self._settings.acme_ca_file) if self._settings.acme_ca_file else True

    def _key(self) -> ec.EllipticCurvePrivateKey:
        pem = self._folder.key(_new_key)
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError) as error:
            raise SigningDelayed(f"the key of the account can't be read: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SigningDelayed("the key of the account is none of an elliptic curve")
        return key

    def _registered(self, connection: client.ClientV2, key: JWKEC) -> str:
        """Return the address of the account, which is made unless there is one for its key."""
        said: dict[str, Any] = {"terms_of_service_agreed": True}
        if self._settings.acme_contact:
            said["contact"] = (self._settings.acme_contact,)
        if self._settings.acme_key_id:
            said["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                key.public_key(), self._settings.acme_key_id, self._eab_key, connection.directory
            )
        try:
            uri = str(connection.new_account(messages.NewRegistration(**said)).uri)
        except errors.ConflictError as error:
            uri = str(error.location)
        self._folder.note_account(self._settings.acme, uri, b64encode(key.thumbprint()).decode())
        return uri


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _unproved(error: errors.ValidationError) -> str:
    said = [
        f"{authorization.body.identifier.value}: {_said(offered.error)}"
        for authorization in error.failed_authzrs
        for offered in authorization.body.challenges
        if offered.error is not None
    ]
    return "; ".join(said)[:_LONGEST_REASON]


def _said(error: Any) -> str:
    code = getattr(error, "code", None) or "error"
    return _line(f"{code}: {getattr(error, 'detail', None) or error}")


def _line(text: str) -> str:
    words = " ".join(text.split())
    return "".join(letter if letter.isprintable() else " " for letter in words)[:_LONGEST_REASON]
