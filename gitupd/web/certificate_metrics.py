"""Metrics on certificates of devices, and on the authority of the site that signs them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import GaugeMetricFamily

from gitupd.core.certificates.rollout import Stage
from gitupd.service.certificates.own_authority import own_authority
from gitupd.service.rollouts.overview import CertificateOverview

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from prometheus_client.metrics_core import Metric

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

RANGES = (("ended", timedelta()), ("7d", timedelta(days=7)), ("30d", timedelta(days=30)), ("90d", timedelta(days=90)))
"""What ranges are called, and where they end; each begins where the one before does."""
_LATER = "later"

_ROLLOUTS = "Devices by the stage of their certificate's roll-out."
_ENDS = "Devices by when the first certificate of their chain ends: within so many days, and not within fewer."
_NEXT_END = "When the next certificate of a device ends."
_OLDEST = "Since when the oldest signing request waits."
_AUTHORITY = "When a certificate of the site's own authority expires."
_ISSUED = "Certificates that were signed for devices."
_LISTED = "When the authority's list of revoked certificates was made."


def certificate_families(site: Site, live: Live | None, now: datetime) -> Iterator[Metric]:
    """Yield all of them; raises GitupdError while the database does not answer."""
    overview = CertificateOverview(site, live, now)
    summary = overview.summary()
    rollouts = GaugeMetricFamily("gitupd_certificate_rollouts", _ROLLOUTS, labels=("stage",))
    for stage in Stage:
        rollouts.add_metric((stage.value,), summary.at(stage))
    yield rollouts
    ends = GaugeMetricFamily("gitupd_device_certificates", _ENDS, labels=("ends",))
    for name, count in overview.ends_within(RANGES, _LATER):
        ends.add_metric((name,), count)
    yield ends
    yield _at("gitupd_device_certificate_next_expiry_timestamp_seconds", _NEXT_END, summary.next_end)
    yield _at("gitupd_signing_request_oldest_timestamp_seconds", _OLDEST, summary.oldest_request)
    yield from _of_the_authority(site, now)


def _of_the_authority(site: Site, now: datetime) -> Iterator[Metric]:
    expiry = GaugeMetricFamily("gitupd_authority_expiry_timestamp_seconds", _AUTHORITY, labels=("authority",))
    issued = GaugeMetricFamily("gitupd_certificates_issued", _ISSUED, labels=("state",))
    facts = own_authority(site, now)
    if facts is not None:
        for each in (facts.issuing, *facts.above):
            expiry.add_metric((each.name,), each.not_after.timestamp())
        for state, count in (("current", facts.current), ("revoked", facts.revoked)):
            issued.add_metric((state,), count)
    yield from (expiry, issued)
    listed = facts.listed if facts is not None else None
    yield _at("gitupd_authority_list_updated_timestamp_seconds", _LISTED, listed.updated if listed else None)


def _at(name: str, meaning: str, at: datetime | None) -> Metric:
    """Return a metric that says when something is; it has no value if nothing is."""
    family = GaugeMetricFamily(name, meaning)
    if at is not None:
        family.add_metric((), at.timestamp())
    return family
