"""Metrics of the repository that a site follows; where none is followed, there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import GaugeMetricFamily

from gitupd.service.upstream.telling import followed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_FETCHED = "When the upstream was last asked with success."
_FAILURES = "How often in a row the upstream could not be fetched."
_REFUSED = "Whether the upstream's branch was rewound or rewritten, and waits for somebody to agree."


def upstream_families(site: Site, live: Live | None) -> Iterator[Metric]:
    """Yield how it stands with the repository that *site* follows."""
    fetched = GaugeMetricFamily("gitupd_upstream_last_success_timestamp_seconds", _FETCHED)
    failures = GaugeMetricFamily("gitupd_upstream_failures", _FAILURES)
    refused = GaugeMetricFamily("gitupd_upstream_refused", _REFUSED)
    if (stands := followed(site, live)) is not None:
        if stands.fetched_at is not None:
            fetched.add_metric((), stands.fetched_at.timestamp())
        failures.add_metric((), stands.failures)
        refused.add_metric((), bool(stands.refusal))
    yield from (fetched, failures, refused)
