"""Plans are kept for as long as they are true, and no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.fleets import fill

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Serial
from gitupd.core.comparison.numbers import numbers
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.service.comparison.kept import KeptPlan, PlanFailed, PlanInProgress, Plans, planned_now
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
MORE = {"snippets/update-gw-all.txt": "config add X /y 1\nreset\n"}
GATEWAYS = 22  # of 50 devices


@pytest.fixture
def head(sample: Sample) -> CommitId:
    fill(sample.site, 50, NOON)
    return sample.commit(MORE)


def made(sample: Sample, head: CommitId, at: datetime = NOON) -> KeptPlan:
    plan = planned_now(sample.site, sample.first, head, lambda: at)
    assert isinstance(plan, KeptPlan)
    return plan


def test_a_plan_is_made_once_it_is_wanted_and_then_kept(sample: Sample, head: CommitId) -> None:
    plans = Plans(sample.site)
    assert plans.known(sample.first, head) is None
    assert plans.wanted(sample.first, head, NOON) == PlanInProgress(0, 0)
    assert [(wish.base, wish.head) for wish in sample.site.plans.wishes()] == [(sample.first, head)]
    plan = made(sample, head)
    assert (plan.numbers.devices, plan.numbers.changed) == (50, GATEWAYS)
    assert (plan.active.devices, plan.active.changed) == (49, GATEWAYS)  # one has not called for weeks
    assert plan.summary.startswith("22 of 50 devices get something else")
    assert sample.site.plans.wishes() == []
    assert plans.wanted(sample.first, head, NOON + timedelta(seconds=1)) == plan
    comparison = plans.comparison(sample.first, head)
    assert comparison is not None
    assert numbers(comparison) == plan.numbers


def test_after_a_while_it_is_looked_at_again_and_told_meanwhile(sample: Sample, head: CommitId) -> None:
    plans, plan = Plans(sample.site), made(sample, head)
    later = NOON + timedelta(minutes=1)
    assert plans.wanted(sample.first, head, later) == PlanInProgress(0, 0, last=plan)
    again = made(sample, head, later)
    assert (again.made, again.checked) == (NOON, later)
    assert plans.wanted(sample.first, head, later) == again


@pytest.mark.parametrize("what", ["request", "decision", "name", "missing"])
def test_a_plan_is_made_anew_once_the_fleet_is_another(sample: Sample, head: CommitId, what: str) -> None:
    before, serial, site = made(sample, head), Serial("009033000003"), sample.site
    later = NOON + timedelta(minutes=1)
    device = site.inventory.device(serial)
    assert device is not None
    assert device.request is not None
    match what:
        case "request":
            said = {**device.request.arguments, "CHECK": "0" * 32}
            asking = replace(device.request, arguments=said)
            site.inventory.save_sightings([replace(device, request=asking, last_seen=later)])
        case "decision":
            event = Event(later, "ada", Kind.DEVICE_REFUSE)
            site.admissions.decide([serial], Decision.REFUSED, Admittance.REFUSED, event)
        case "name":
            site.inventory.save_sightings([replace(device, given_name="Other", last_seen=later)])
        case _:
            later = NOON + timedelta(days=30)
    assert made(sample, head, later).made == later > before.made


def test_when_a_device_calls_again_as_it_did_the_plan_holds(sample: Sample, head: CommitId) -> None:
    before = made(sample, head)
    device = sample.site.inventory.device(Serial("009033000003"))
    assert device is not None
    later = NOON + timedelta(minutes=5)
    sample.site.inventory.save_sightings([replace(device, last_seen=later)])
    assert made(sample, head, later).made == before.made


def test_of_a_commit_with_errors_there_is_no_plan(sample: Sample) -> None:
    wrong = sample.commit({"phases.yaml": "phases: 7\n"})
    assert Plans(sample.site).wanted(sample.first, wrong, NOON) == PlanInProgress(0, 0)
    failed = planned_now(sample.site, sample.first, wrong, lambda: NOON)
    assert isinstance(failed, PlanFailed)
    assert "phases.yaml" in failed.reason
    assert Plans(sample.site).wanted(sample.first, wrong, NOON) == failed
    assert Plans(sample.site).known(sample.first, wrong) is None


def test_of_a_commit_that_is_gone_there_is_no_plan(sample: Sample) -> None:
    nowhere = CommitId("0" * 40)
    Plans(sample.site).wanted(sample.first, nowhere, NOON)
    assert isinstance(planned_now(sample.site, sample.first, nowhere, lambda: NOON), PlanFailed)


def test_a_deployment_makes_no_plan_untrue_by_itself(sample: Sample, head: CommitId) -> None:
    before = made(sample, head)
    deploy(sample.site, head, who="ada", now=NOON, reason="it is for gateways", force=True)
    assert made(sample, head, NOON + timedelta(seconds=1)).made == before.made
