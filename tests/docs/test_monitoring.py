"""The page of metrics, the alerts and the dashboard name what a server really tells."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from support.authorities import Authority
from support.fleets import fill
from support.rollouts import fill_rollouts
from support.scraping import Scrape, scrape_all
from support.serving import serving
from support.signing_sites import FOUNDING, PASSPHRASE, VERA
from support.upstreams import follow
from support.visitors import add_key, add_person

from docs.pages import ROOT
from gitupd.core.people.audit import Event, Kind
from gitupd.resources import template_files
from gitupd.service.certificates.founding import found
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_TO = ROOT / "docs/how-to"
REFERENCE = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
ALERTS = yaml.safe_load((HOW_TO / "alert-rules.yaml").read_text("utf-8"))
DASHBOARD = json.loads((HOW_TO / "grafana-dashboard.json").read_text("utf-8"))
NAME = re.compile(r"\bgitupd_\w+")
SELECTOR = re.compile(r"(gitupd_\w+)\{([^}]*)\}")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Scrape:
    """What a server tells."""
    site, _ = create_site(tmp_path_factory.mktemp("monitoring") / "site", who="test", now=now())
    fill(site, 40, now())
    site.config.commit_files({**template_files(), "tests/more.yaml": b"tests: []\n"}, "Next", "Tess <t@localhost>")
    deploy(site, "main", who="test", now=now())
    fill(site, 40, now())  # which have confirmed that
    fill_rollouts(site, 40, now())
    found(site, FOUNDING, PASSPHRASE, VERA, now())
    add_person(site, "prometheus")
    key = add_key(site, "prometheus")
    root = Authority.root()
    site.trust.add(root.pem + root.crl(), Event(now(), "test", Kind.TRUST_ADD))
    site.close()
    follow(site, site.path / "config.git")
    with serving(site.path, options=["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]) as server:
        server.ready()
        return scrape_all(server, key)


def rows() -> Iterator[list[str]]:
    for line in REFERENCE.splitlines():
        if line.startswith("| `gitupd_"):
            yield [cell.strip() for cell in line.strip("|").split(" |")]


def test_every_metric_is_described(told: Scrape) -> None:
    described = {}
    for name, kind, labels, meaning in rows():
        described[name.strip("`")] = (kind, set(re.findall(r"`(\w+)`", labels)), meaning.removesuffix(" Always 1."))
    found = {}
    for family in told.families:
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels, family.documentation)
    assert described == found


def test_every_value_of_a_label_is_described(told: Scrape) -> None:
    table = REFERENCE.partition("## Labels")[2].partition("## ")[0]
    for name, label in (
        ("gitupd_polls_total", "outcome"),
        ("gitupd_uploads_total", "outcome"),
        ("gitupd_uploads_total", "mode"),
        ("gitupd_http_requests_total", "kind"),
        ("gitupd_http_requests_total", "status"),
        ("gitupd_devices", "state"),
        ("gitupd_commits", "state"),
        ("gitupd_device_certificates", "ends"),
        ("gitupd_certificates_issued", "state"),
        ("gitupd_tls_handshakes_total", "outcome"),
        ("gitupd_connections_shed_total", "want"),
    ):
        for value in told.labels(name, label):
            assert f"`{value}`" in table


def alerts() -> list[dict[str, Any]]:
    return [rule for group in ALERTS["groups"] for rule in group["rules"]]


def expressions() -> Iterator[Any]:
    """Yield every expression of alerts and dashboard, called after what it is for."""
    for rule in alerts():
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for each in DASHBOARD["annotations"]["list"]:
        yield pytest.param(each["expr"], id=each["name"])
    yield pytest.param(DASHBOARD["templating"]["list"][1]["query"], id="instance")


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_names_what_there_is(told: Scrape, expression: str) -> None:
    samples = [sample for family in told.families for sample in family.samples]
    assert expression.count("(") == expression.count(")")
    for name in NAME.findall(expression):
        assert name in {sample.name for sample in samples}
    for name, selector in SELECTOR.findall(expression):
        labels = {label for sample in samples if sample.name == name for label in sample.labels}
        assert set(re.findall(r"(\w+)\s*[!=]", selector)) <= labels | {"instance", "job"}
        for label, value in re.findall(r'(\w+)\s*!?=~?\s*"([\w|]+)"', selector):
            assert set(value.split("|")) <= told.labels(name, label) | {"gitupd"}


def test_every_alert_is_explained_and_complete() -> None:
    page = (HOW_TO / "monitor-with-prometheus.md").read_text("utf-8")
    assert re.findall(r"^\| `(Gitupd\w+)` \|", page, re.MULTILINE) == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]


def test_the_dashboard_shows_something_in_every_place() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    covered = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(covered) == len(set(covered))
    assert {x for x, _ in covered} == set(range(24))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
    assert "gitupd_convergence_ratio" in json.dumps(DASHBOARD)
