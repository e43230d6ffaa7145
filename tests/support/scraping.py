"""The metrics of a running server, as Prometheus takes them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from support.waiting import until

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from support.serving import Server


@dataclass(frozen=True)
class Scrape:
    """What one scrape has told."""

    families: tuple[Metric, ...]

    def __call__(self, name: str, **labels: str) -> float | None:
        """Return the sum of the samples called *name* that have these labels, None if there is none."""
        found = [
            sample.value
            for family in self.families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def labels(self, name: str, label: str) -> set[str]:
        """Return the values of a label."""
        samples = (sample for family in self.families for sample in family.samples)
        return {sample.labels[label] for sample in samples if sample.name == name}

    def counters(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Return everything that may only grow while a server runs."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            if family.type in ("counter", "histogram") and not family.name.startswith("gitupd_process_")
            for sample in family.samples
        }


def scrape(server: Server, key: str) -> Scrape:
    """Ask any of the workers of *server*."""
    status, body = server.get("/metrics", {"Authorization": f"Bearer {key}"})
    assert status == 200, body
    return Scrape(tuple(text_string_to_metric_families(body.decode())))


def scrape_all(server: Server, key: str) -> Scrape:
    """Ask once every process has had the time to say something; the keeper is not waited for when a server starts."""

    def told() -> Scrape | None:
        answer = scrape(server, key)
        return answer if answer("gitupd_keeper_last_tick_timestamp_seconds") is not None else None

    return until(told, "the keeper does nothing")
