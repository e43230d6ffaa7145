"""Requests that are signed by themselves: by the site's authority what a rule covers, elsewhere what is approved."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from cryptography import x509

from gitupd.core.certificates.approval import Covered
from gitupd.core.certificates.rollout import Approval, renewal
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role
from gitupd.errors import GitupdError, SiteError
from gitupd.service.background import Recurring, Trouble
from gitupd.service.certificates.approving import Approving, is_rule
from gitupd.service.certificates.external import external_signer
from gitupd.service.certificates.own_signer import OwnSigner
from gitupd.service.certificates.signers import SigningOrder, SigningRefused
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now as clock_now
from gitupd.store.certificates.issued import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.policy import Certificates
    from gitupd.service.certificates.signers import Signer
    from gitupd.service.deployments.live import Follower, Live
    from gitupd.service.site import Site
    from gitupd.store.certificates.rollouts import RolloutRecord

_EVERY_SECONDS = 1.0
_AT_ONCE = 100
_REST_SECONDS = 300.0
"""How long what could not be signed here, although a rule covers it, is left alone."""

_RETRY_SECONDS = 10.0
_END_SECONDS = 5.0
_SLIGHTLY_AHEAD = timedelta(seconds=30)
"""By so much the clock of an authority may be ahead of ours: so long its certificate is waited for."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignedElsewhere:
    """A signer who has signed already, so that what comes back is looked at, and written down, as any other is."""

    name: str
    chain: tuple[bytes, ...] = field(repr=False)

    def sign(self, _order: SigningOrder) -> tuple[bytes, ...]:
        """Return what was signed."""
        return self.chain


class SigningRounds:
    """Looks again and again which requests may be signed; an authority elsewhere takes its time in further threads."""

    def __init__(self, site: Site, follower: Follower, clock: Callable[[], datetime] = clock_now) -> None:
        """Sign for *site* by the policy that *follower* knows, at the times that *clock* tells."""
        self._site, self._follower, self._clock = site, follower, clock
        self._stopping = threading.Event()
        self._signer: Signer | None = None
        self._running: dict[Serial, threading.Thread] = {}
        self._resting: dict[str, float] = {}
        self._after: Serial | None = None
        trouble = Trouble("requests of devices can't be signed")
        self._recurring = Recurring("signing", _EVERY_SECONDS, self.round, trouble, retry=lambda _: _RETRY_SECONDS)

    def start(self) -> None:
        """Start to look in the background."""
        self._recurring.start()

    def stop(self) -> None:
        """Stop, and give up what is under way elsewhere: it is asked for again."""
        self._stopping.set()
        self._recurring.stop()
        until = time.monotonic() + _END_SECONDS
        for thread in self._running.values():
            thread.join(max(0.0, until - time.monotonic()))

    def round(self) -> bool:
        """Look once; return whether there is more to do at once. Raises GitupdError if nobody can sign."""
        live = self._follower.live
        if live is None or not live.snapshot.policy.certificates.enabled or self._is_behind(live):
            return False
        match live.snapshot.policy.certificates.signing:
            case "automatic":
                return self._judge(live, self._sign_here, here=True)
            case "external":
                more = self._judge(live, self._approve, here=False)
                self._have_signed(live)
                return more
            case "manual" | "authority":
                return False

    def _is_behind(self, live: Live) -> bool:
        """Whether something else is deployed by now: nothing is signed by rules that are not those any more."""
        deployed = self._site.deployments.live()
        return deployed is None or deployed.id != live.deployment.id

    def _judge(self, live: Live, act: Callable[[Live, _Covered], bool], *, here: bool) -> bool:
        """Hold a number of requests against the rules, and *act* on those that are covered; return if that helped.

        With each round come those behind the last ones, so that none waits for ever behind what no rule covers.
        """
        records = self._site.rollouts.undecided(self._after, _AT_ONCE, approved=here)
        self._after = records[-1].serial if len(records) == _AT_ONCE else None
        awake = [record for record in records if not self._rests(record)]
        if not awake:
            return False
        approving = Approving(self._site, live, self._clock())
        covered: _Covered = defaultdict(list)
        for record, verdict in zip(awake, approving.verdicts(awake), strict=True):
            if isinstance(verdict, Covered):
                covered[approving.name(verdict)].append((record, verdict.reason))
            else:
                self._say(record, verdict.reason)
        return act(live, covered) and len(records) == _AT_ONCE

    def _sign_here(self, live: Live, covered: _Covered) -> bool:
        """Have the site's authority sign; raises SiteError if it can't, once each request says so."""
        if not covered:
            return False
        policy = live.snapshot.policy.certificates
        try:
            signer = OwnSigner(self._site, policy)
        except SiteError as error:
            for record, reason in (each for several in covered.values() for each in several):
                self._say(record, f"{reason}, but {error}")
                self._rest(record)
            raise
        done = False
        for name, several in covered.items():
            records = {record.serial: record for record, _ in several}
            outcomes = Signing(self._site, policy).issue(
                list(records),
                signer,
                Actor(name, Role.OPERATOR, None),
                self._clock(),
                grounds={record.serial: reason for record, reason in several},
                seen={serial: digest_of(record.rollout.request or b"") for serial, record in records.items()},
            )
            for outcome in outcomes:
                done = done or outcome.is_done
                if not outcome.is_done:
                    self._say(records[outcome.serial], outcome.detail)
                    self._rest(records[outcome.serial])
        return done

    def _approve(self, _live: Live, covered: _Covered) -> bool:
        """Note that requests are to be signed elsewhere, each with its entry in the audit."""
        for name, several in covered.items():
            for record, reason in several:
                approval = Approval(name, self._clock(), reason)
                event = Event(approval.at, name, Kind.CERTIFICATE_APPROVE, str(record.serial), reason)
                self._change(record, _approved(approval), event)
        return bool(covered)

    def _have_signed(self, live: Live) -> None:
        """Have as many requests signed elsewhere as may be at once, which is not waited for."""
        self._running = {serial: thread for serial, thread in self._running.items() if thread.is_alive()}
        most = self._site.settings.signing.at_once
        if len(self._running) >= most or self._stopping.is_set():
            return
        due = self._site.rollouts.approved(self._clock(), most + len(self._running))
        due = [record for record in due if record.serial not in self._running]
        if not due:
            return
        try:
            self._signer = self._signer or external_signer(self._site, self._stopping)
        except SiteError as error:
            for record in due:
                self._say(record, str(error))
            raise
        for record in due[: most - len(self._running)]:
            thread = threading.Thread(target=self._have_one_signed, args=(live, self._signer, record), daemon=True)
            self._running[record.serial] = thread
            thread.start()

    def _have_one_signed(self, live: Live, signer: Signer, record: RolloutRecord) -> None:
        """Have one request signed elsewhere, and note what became of it; nothing is raised, for nobody waits."""
        try:
            self._sign_elsewhere(live, signer, record)
        except SigningRefused as error:
            self._refuse(signer, record, str(error))
        except GitupdError as error:
            self._put_off(record, f"{signer.name}: {error}")
        except Exception:
            log.exception("a request could not be signed elsewhere", serial=str(record.serial), signer=signer.name)
            self._put_off(record, f"{signer.name} can't be asked; the log says why")

    def _sign_elsewhere(self, live: Live, signer: Signer, record: RolloutRecord) -> None:
        approval, request = record.rollout.approval, record.rollout.request
        if approval is None or request is None:
            return
        if is_rule(approval.by) and not Approving(self._site, live, self._clock()).still_covers(record):
            self._change(record, _approved(None))  # the rules are others by now
            return
        policy = live.snapshot.policy.certificates
        chain = signer.sign(SigningOrder(record.serial, request, self._clock()))
        self._wait_for(chain[0])
        if (fault := _ends_early(chain, policy, record.serial, self._clock())) is not None:
            raise SigningRefused(fault)
        outcome = Signing(self._site, policy).issue(
            [record.serial],
            SignedElsewhere(signer.name, chain),
            Actor(approval.by, Role.OPERATOR, None),
            self._clock(),
            grounds={record.serial: approval.why},
            seen={record.serial: digest_of(request)},
        )[0]
        if outcome.is_done:
            log.info("signed elsewhere", serial=str(record.serial), signer=signer.name, detail=outcome.detail)
        else:
            raise SigningRefused(f"it has signed, but {outcome.detail}")

    def _wait_for(self, certificate: bytes) -> None:
        ahead = x509.load_der_x509_certificate(certificate).not_valid_before_utc - self._clock()
        if timedelta(0) < ahead <= _SLIGHTLY_AHEAD:
            self._stopping.wait(ahead.total_seconds())

    def _refuse(self, signer: Signer, record: RolloutRecord, said: str) -> None:
        """Note that a request is not signed, until somebody has the device start over."""
        at, reason = self._clock(), f"{signer.name}: {said}"
        event = Event(at, signer.name, Kind.CERTIFICATE_REJECT, str(record.serial), said)
        if self._change(record, lambda waiting: waiting.rejected(reason, at), event):
            log.warning("a request is not signed", serial=str(record.serial), reason=reason)

    def _put_off(self, record: RolloutRecord, reason: str) -> None:
        """Note that somebody is asked later, and why."""
        at = self._clock()

        def put_off(waiting: RolloutRecord) -> RolloutRecord:
            approval = waiting.rollout.approval and waiting.rollout.approval.delayed(at)
            return replace(waiting, rollout=replace(waiting.rollout, approval=approval, verdict=reason))

        if not self._stopping.is_set() and self._change(record, put_off):
            log.info("a request is signed later", serial=str(record.serial), reason=reason)

    def _say(self, record: RolloutRecord, verdict: str) -> None:
        """Have the page of a device say why its request waits."""
        if record.rollout.verdict != verdict:
            self._change(record, lambda waiting: replace(waiting, rollout=replace(waiting.rollout, verdict=verdict)))

    def _change(
        self, record: RolloutRecord, change: Callable[[RolloutRecord], RolloutRecord], event: Event | None = None
    ) -> bool:
        """Change what is remembered of a roll-out, unless its request is another one by now, or waits no more."""
        return self._site.rollouts.change_waiting(record, change, event)

    def _rests(self, record: RolloutRecord) -> bool:
        until = self._resting.get(digest_of(record.rollout.request or b""))
        return until is not None and time.monotonic() < until

    def _rest(self, record: RolloutRecord) -> None:
        if len(self._resting) > _AT_ONCE * 100:
            self._resting.clear()
        self._resting[digest_of(record.rollout.request or b"")] = time.monotonic() + _REST_SECONDS


_Covered = defaultdict[str, list[tuple["RolloutRecord", str]]]
"""By the name of the rule: what it covers, and why."""


def _approved(approval: Approval | None) -> Callable[[RolloutRecord], RolloutRecord]:
    return lambda record: replace(record, rollout=record.rollout.approved(approval))


def _ends_early(chain: Sequence[bytes], policy: Certificates, serial: Serial, now: datetime) -> str | None:
    """Return why a device would have to renew what it gets at once, again and again; None if it would not."""
    end = min(x509.load_der_x509_certificate(each).not_valid_after_utc for each in chain)
    ahead = timedelta(seconds=renewal(policy, serial.digits))
    if end - now > ahead:
        return None
    said = f"it has signed until {end:%Y-%m-%d %H:%M}, and policies/certificates.yaml renews {ahead.days} days before"
    return f"{said}: set renew_before to less"
