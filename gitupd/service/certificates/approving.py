"""Requests that wait, held against the rules of a policy: what is known of a device, and what a rule has approved."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from gitupd.core.admission.admittance import Appearance
from gitupd.core.certificates.approval import Application, Covered, approve
from gitupd.core.certificates.rollout import PROVED
from gitupd.store.certificates.naming import names_in
from gitupd.store.certificates.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.certificates.approval import ApprovalRule, Uncovered
    from gitupd.core.device import Device
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.store.certificates.rollouts import RolloutRecord

_RULE = "rule: "
_LONGEST = 90


def rule_name(rule: ApprovalRule) -> str:
    """Return what the audit calls a rule: the same for the same conditions, wherever it stands and whatever its bound.

    No person is called so, for there is a blank in it.
    """
    name = f"{_RULE}{rule.conditions}"
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}… {hashlib.sha256(name.encode()).hexdigest()[:8]}"


def is_rule(name: str) -> bool:
    """Whether something was approved by a rule, and not by a person of that *name*."""
    return name.startswith(_RULE)


class Approving:
    """Holds requests against the rules of what is deployed, and counts what these approve."""

    def __init__(self, site: Site, live: Live, now: datetime) -> None:
        """Judge by what *site* remembers as of *now*."""
        self._site, self._live = site, live
        self._rules = live.snapshot.policy.certificates.approve
        self._approved = [self._count(rule, now) for rule in self._rules]

    def verdicts(self, records: Sequence[RolloutRecord]) -> list[Covered | Uncovered]:
        """Return whether the requests of *records* are covered, each; those that are count from now on."""
        verdicts = []
        for application in self._applications(records):
            verdict = approve(application, self._rules, self._approved)
            if isinstance(verdict, Covered):
                self._approved[verdict.index] += 1
            verdicts.append(verdict)
        return verdicts

    def still_covers(self, record: RolloutRecord) -> bool:
        """Whether the rules cover a request that one has approved before, whatever the bounds are by now."""
        none = [0] * len(self._rules)
        return isinstance(approve(self._applications([record])[0], self._rules, none), Covered)

    def name(self, verdict: Covered) -> str:
        """Return what the audit calls the rule that covers a request."""
        return rule_name(self._rules[verdict.index])

    def _count(self, rule: ApprovalRule, now: datetime) -> int:
        """Return how many requests a rule has approved within the time of its bound, signed by now or not."""
        if rule.at_most is None:
            return 0
        name = rule_name(rule)
        since = now - timedelta(seconds=rule.at_most.seconds)
        return self._site.issued.count_since(since, name) + self._site.rollouts.count_approved(name)

    def _applications(self, records: Sequence[RolloutRecord]) -> list[Application]:
        devices = self._site.inventory.some([record.serial for record in records])
        return [self._application(record, devices.get(record.serial)) for record in records]

    def _application(self, record: RolloutRecord, device: Device | None) -> Application:
        rollout = record.rollout
        identified = rollout.request_proof == PROVED
        model = (device.model if device else None) or ""
        appearance = Appearance(
            model or None, device.hardware_id if device else None, rollout.request_address or None, trusted=identified
        )
        return Application(
            names=_names(rollout.request or b""),
            usual=frozenset(rollout.names),
            address=rollout.request_address,
            identified=identified,
            known=self._is_known(record, appearance),
            model=model,
            environments=self._environments(record, device),
        )

    def _is_known(self, record: RolloutRecord, appearance: Appearance) -> bool:
        """Whether somebody, or a rule, speaks for the device; without what people decided, nobody is known to."""
        if self._live.decisions is None:
            return False
        verdict = self._live.verdict_on(record.serial, appearance)
        return verdict.is_let_in and not verdict.is_unknown

    def _environments(self, record: RolloutRecord, device: Device | None) -> frozenset[str]:
        """Return the environments of a device: the configuration's if that names any, else those of its last poll."""
        policy = self._live.snapshot.policy
        known = self._live.snapshot.devices.get(record.serial.digits)
        named = known.environments if known else None
        names = named if named is not None else (device.environments if device else ())
        return frozenset(policy.expanded([name for name in names if name in policy.environments]))


def _names(request: bytes) -> frozenset[str]:
    try:
        return names_in(x509.load_der_x509_csr(request))
    except UNREADABLE:
        return frozenset()
