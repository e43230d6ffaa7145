"""What the page of a device tells of its certificate: the chain, shown and reported, and the roll-out step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gitupd.core.certificates.meaning import meaning
from gitupd.core.certificates.report import QUERY, ChainVerdict, judge
from gitupd.core.certificates.rollout import SETTLED, Stage, renewal
from gitupd.core.certificates.steps import steps
from gitupd.core.identity import VENDOR_AUTHORITIES
from gitupd.core.policy import Policy
from gitupd.service.certificates.reporting import report_in
from gitupd.service.certificates.rolling import RequestNames, RolloutView, way_on
from gitupd.service.clock import now
from gitupd.web.context import served
from gitupd.web.pages.certificate_deeds import offered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitupd.core.answers import QueryAnswer
    from gitupd.core.certificates.report import ReportedCertificate, ReportedTime
    from gitupd.core.certificates.steps import RolloutStep
    from gitupd.core.device import Device
    from gitupd.core.identity import Identity
    from gitupd.core.policy import Certificates
    from gitupd.service.certificates.rolling import DeviceRollout
    from gitupd.service.deployments.live import Live

_VERDICTS = {
    ChainVerdict.GOOD: "good",
    ChainVerdict.DUE: "to be renewed",
    ChainVerdict.EXPIRED: "has ended",
    ChainVerdict.FOREIGN: "of none of the policy's authorities",
    ChainVerdict.NOT_YET_VALID: "not valid yet",
    ChainVerdict.UNREADABLE: "its dates can't be read",
}


@dataclass(frozen=True, slots=True)
class ChainLine:
    """One certificate of a chain; ``said`` is what there is to say of it, and ``is_good`` whether that is good.

    A time is None if it is not known.
    """

    subject: str
    issuer: str
    not_before: datetime | None
    not_after: datetime | None
    said: str
    is_good: bool


@dataclass(frozen=True, slots=True)
class CertificatePanel:
    """All that the page tells: ``deeds`` are what an operator can do now.

    ``shown`` is the chain that the device has proved with, ``reported`` what it says that it has; either may be empty.
    """

    shown: tuple[ChainLine, ...]
    reported: tuple[ChainLine, ...]
    rollout: DeviceRollout | None
    steps: tuple[RolloutStep, ...] = ()
    meaning: str = ""
    way_on: str = ""
    names: RequestNames | None = None
    deeds: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return self.rollout is None and not self.shown and not self.reported


def certificate_panel(device: Device, live: Live | None, answers: Sequence[QueryAnswer]) -> CertificatePanel:
    """Return what is known of the certificate of *device*, which has given *answers*."""
    policy = (live.snapshot.policy if live else Policy()).certificates
    shown = tuple(_shown(device.identity)) if device.identity is not None else ()
    ahead = renewal(policy, device.serial.digits)
    reported = tuple(_line(each, policy, ahead) for each in _chain(answers))
    record = RolloutView(served().site).of(device.serial)
    if record is None:
        return CertificatePanel(shown, reported, None)
    rollout = record.rollout
    return CertificatePanel(
        shown,
        reported,
        record,
        steps(record.stage, rollout),
        meaning(record.stage, rollout, record.error),
        way_on(record.stage, policy.signing),
        RequestNames.of(rollout.request) if rollout.request is not None else None,
        tuple(_deeds(record, policy)),
    )


def _deeds(record: DeviceRollout, policy: Certificates) -> Iterator[str]:
    possible = offered(policy)
    if record.stage is Stage.SIGNING:
        yield from (deed for deed in ("approve", "reject") if deed in possible)
    if record.rollout.request is not None and record.stage is not Stage.START_OVER:
        yield "hand-in"
    if record.stage not in SETTLED and record.stage is not Stage.START_OVER:
        yield "restart"
    if record.stage is Stage.GOOD and "revoke" in possible:
        yield "revoke"


def _shown(identity: Identity) -> Iterator[ChainLine]:
    """Yield the certificate that was shown, and those above it up to the authority that the site trusts."""
    if identity.certificate is None:
        return
    chain = (identity.certificate, *identity.path)
    for height, each in enumerate(chain):
        untimely = each.untimely(now())
        said = untimely or ("the site trusts it" if height and height == len(chain) - 1 else "")
        if not height:
            said = untimely or ("proves who it is" if identity.is_trusted else "proves nothing")
        is_good = untimely is None and (identity.is_trusted or height > 0)
        yield ChainLine(each.name, each.issuer or "", each.not_before, each.not_after, said, is_good)


def _chain(answers: Sequence[QueryAnswer]) -> tuple[ReportedCertificate, ...]:
    """Return the chain that a device reports, if it has."""
    report = next((report_in(answer.xml) for answer in answers if answer.query == QUERY), None)
    return report.chain if report is not None else ()


def _line(each: ReportedCertificate, policy: Certificates, ahead: int) -> ChainLine:
    """Return how a certificate stands to *policy*, by which it is renewed so many seconds *ahead* of its end."""
    verdict = judge((each,), policy.authorities or VENDOR_AUTHORITIES, ahead, now()).verdict
    is_good = verdict in {ChainVerdict.GOOD, ChainVerdict.DUE}
    start, end = _known(each.not_before), _known(each.not_after)
    return ChainLine(each.subject, each.issuer, start, end, _VERDICTS.get(verdict, ""), is_good)


def _known(time: ReportedTime) -> datetime | None:
    return time if isinstance(time, datetime) else None
