"""Whom a request of a device comes from, and whether it may have, or bring, what needs trust."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.core.identity import NOT_BY_HTTP, identify, refusal
from gitupd.service.clock import now
from gitupd.web.asgi.conclusion import UploadMode

if TYPE_CHECKING:
    from starlette.types import Scope

    from gitupd.core.identity import Claim, Identity, Shown
    from gitupd.service.certificates.trusting import Trusting
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.web.asgi.request import Requests


class Trust:
    """Holds what was shown with a request against what is deployed."""

    def __init__(self, trusting: Trusting, requests: Requests, follower: Follower) -> None:
        """Judge certificates by *trusting*, which *requests* finds, as what *follower* knows demands."""
        self._trusting, self._requests, self._follower = trusting, requests, follower

    def shown(self, scope: Scope) -> Shown | None:
        """Return the certificate that came with a request and what it leads up to, None without one."""
        return self._trusting.shown(self._requests.certificates(scope))

    def address(self, scope: Scope) -> str:
        """Return from where a request came, in front of a trusted proxy; empty if that is not known."""
        return self._requests.origin(scope).address or ""

    def refusal(self, scope: Scope, claim: Claim) -> str | None:
        """Return why a request that makes this *claim* is refused, None if it is not.

        While nothing is deployed, nothing is demanded, and nothing taken in either.
        """
        live = self._follower.live
        return None if live is None else self._refusal(live, scope, claim)

    def _refusal(self, live: Live, scope: Scope, claim: Claim) -> str | None:
        transport = live.snapshot.policy.transport
        if not (transport.wants_certificate or transport.https == "required"):
            return None
        return refusal(transport, self._requests.scheme(scope), self._identity(live, scope, claim))

    def may_enrol(self, scope: Scope, mode: UploadMode, query: str | None) -> bool:
        """Whether a device without a good certificate may bring this all the same, for it is on the way to one.

        That is what the roll-out depends on, by HTTPS where that is required: what the device reports of its
        certificates, and variables that it was told to upload.
        """
        live = self._follower.live
        if live is None or not live.snapshot.policy.certificates.enabled:
            return False
        if live.snapshot.policy.transport.https == "required" and self._requests.scheme(scope) != "https":
            return False
        if mode is UploadMode.QUERY:
            return query in live.snapshot.policy.needed_queries
        return mode is UploadMode.VARDUMP

    @property
    def wants_certificate(self) -> bool:
        """Whether a client certificate is required."""
        live = self._follower.live
        return live is not None and live.snapshot.policy.transport.wants_certificate

    def is_trusted(self, scope: Scope, claim: Claim) -> bool:
        """Whether a request is known to come from the device that it claims to be, demanded or not."""
        live = self._follower.live
        return live is not None and self._identity(live, scope, claim).is_trusted

    def proof(self, scope: Scope, claim: Claim) -> bytes:
        """Return the certificate (DER) by which a request is known to come from the device that it claims to be.

        Any authority of the site counts, whichever identify devices otherwise: who has a certificate of its factory is
        to get another one. What is good for every device counts for none. Empty if it is not known.
        """
        live = self._follower.live
        if live is None or self._requests.scheme(scope) != "https":
            return b""
        policy = replace(live.snapshot.policy.certificates, authorities=(), wildcard=None)
        is_proved = identify(self.shown(scope), claim, policy, now()).is_trusted
        return self._requests.certificates(scope)[0] if is_proved else b""

    def _identity(self, live: Live, scope: Scope, claim: Claim) -> Identity:
        if self._requests.scheme(scope) != "https":
            return NOT_BY_HTTP
        return identify(self.shown(scope), claim, live.snapshot.policy.certificates, now())
