"""Pages of what a change does to the devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.showcase import HIDING, Scene, commit
from support.visitors import Visitor, answer, shown, unveiled
from support.waiting import until

from gitupd.core.caller import Serial
from gitupd.core.comparison.consequences import Failing, Restarts
from gitupd.core.comparison.difference import Hunk, ScriptDifference
from gitupd.core.comparison.grouping import FleetComparison, Footing, Group, Member
from gitupd.service.clock import now
from gitupd.service.comparison.kept import KeptPlan, PlanInProgress, Plans
from gitupd.store.comparison.written import written

if TYPE_CHECKING:
    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

GATEWAYS = 28  # of 60 devices, those that are in the last phase
LARGEST_PAGE = 300_000


def known(site: Site, base: CommitId, head: CommitId) -> KeptPlan:
    """Have the plan of two commits made by the server, and return it."""

    def made() -> KeptPlan | None:
        plan = Plans(site).wanted(base, head, now())
        return plan if isinstance(plan, KeptPlan) else None

    return until(made)


def test_a_plan_in_words_then_groups_then_lines(scene: Scene, viewer: Visitor) -> None:
    known(scene.site, scene.live, scene.head)
    page = viewer.get(f"/plans?head={scene.head}").text
    said = answer(page)
    assert re.search(rf"{GATEWAYS} of 60 devices get something else: .*\. ", f"{said} "), said
    text = shown(page)
    assert f"From {scene.live[:8]} “Secrets <b>of</b> phones” to {scene.head[:8]} “More for gateways”" in text
    assert f"{GATEWAYS} devices: get 2 lines more, 1 line less" in text
    assert "models: " in text
    assert "snippets/update-gw-all.txt" in text
    assert re.search(r'class="added"><td class="sign">\+</td><td class="text">config write<', page)
    assert 'http-equiv="refresh"' not in page
    assert 'data-refresh="0"' in page


def test_any_two_commits_are_compared(scene: Scene, viewer: Visitor) -> None:
    known(scene.site, scene.first, scene.head)
    text = shown(viewer.get(f"/plans?base={scene.first[:12]}&head=main").text)
    assert f"From {scene.first[:8]}" in text
    assert f"to {scene.head[:8]} “More for gateways”" in text


def test_a_commit_that_nobody_knows_is_told_at_its_field(viewer: Visitor) -> None:
    response = viewer.get("/plans?base=nowhere&head=main")
    assert response.status_code == 200
    assert "there is no branch, tag or commit 'nowhere'" in shown(response.text)
    assert 'aria-describedby="base-error"' in response.text


def test_without_commits_the_page_asks_for_them(viewer: Visitor) -> None:
    assert "Which devices would get something else" in answer(viewer.get("/plans").text)


def test_of_a_commit_with_errors_it_says_so(viewer: Visitor, operator: Visitor) -> None:
    path = "/plans?head=broken"
    page = until(lambda: (text := shown(operator.get(path).text)) and "It can't be told" in text and text)
    assert "policies/delivery.yaml:1:1: unknown key 'intervall'" in page
    assert "operators are told more" in shown(viewer.get(path).text), "for an error may quote a secret"


def test_a_page_that_waits_renews_itself_with_script_and_without(scene: Scene, viewer: Visitor) -> None:
    odd = commit(scene.site, {**HIDING, "snippets/update-gw-all.txt": "config add ODD /y z\n"}, branch="odd")
    page = viewer.get(f"/plans?head={odd}").text
    if "Looking" in page:  # else it was quicker than the page
        assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
        assert 'data-refresh="1"' in page
    until(lambda: "of 60 devices get something else" in viewer.get(f"/plans?head={odd}").text)


def test_the_page_of_a_commit_tells_what_it_does(scene: Scene, viewer: Visitor) -> None:
    known(scene.site, scene.live, scene.head)
    page = viewer.get(f"/commits/{scene.head}").text
    text = shown(page)
    assert f"What it does to the devices {GATEWAYS} of 60 devices get something else" in text
    assert f"{GATEWAYS} devices: get 2 lines more, 1 line less" in text
    assert "This change by itself, compared with what is deployed." in text
    assert "What it does to the devices" not in shown(viewer.get(f"/commits/{scene.live}").text)
    assert "What it does to the devices" not in shown(viewer.get(f"/commits/{scene.broken}").text)


def test_the_button_says_how_many_change(scene: Scene, operator: Visitor) -> None:
    numbers = known(scene.site, scene.live, scene.head).numbers
    page = operator.get(f"/deployments/deploy?rev={scene.head}").text
    assert f"Deploy {scene.head[:8]}: {numbers}</button>" in page
    assert str(numbers).startswith(f"{GATEWAYS} devices change")
    numbers = known(scene.site, scene.live, scene.first).numbers
    page = operator.get(f"/deployments/rollback?rev={scene.first}").text
    assert f"Roll back to {scene.first[:8]}: {numbers}</button>" in page


def test_a_group_has_all_of_its_devices(scene: Scene, viewer: Visitor) -> None:
    known(scene.site, scene.live, scene.head)
    page = viewer.get(f"/plans/group?base={scene.live}&head={scene.head}&group=1").text
    assert page.count('<tr id="device-') == GATEWAYS
    assert viewer.get(f"/plans/group?base={scene.live}&head={scene.head}&group=9").status_code == 404
    assert viewer.get(f"/plans/group?base={scene.live}&head={scene.head}").status_code == 404
    assert viewer.get("/plans/group?head=nowhere&group=1").status_code == 404


def test_viewers_see_no_secrets_and_operators_do(scene: Scene, viewer: Visitor, operator: Visitor) -> None:
    known(scene.site, scene.first, scene.live)
    paths = [f"/plans?base={scene.first}&head={scene.live}"]
    plan = Plans(scene.site).comparison(scene.first, scene.live)
    assert plan is not None
    paths += [f"/plans/group?base={scene.first}&head={scene.live}&group={at + 1}" for at in range(len(plan.groups))]
    for path in paths:
        assert "s3cret-of-phones" not in viewer.get(path).text
        assert "hunter22-variable" not in viewer.get(path).text
    assert any("s3cret-of-phones" in operator.get(unveiled(path)).text for path in paths)
    assert any("/gk-pwd *** " in shown(viewer.get(path).text) for path in paths)


def test_a_reason_for_a_failure_is_hidden_as_a_line_is(scene: Scene, viewer: Visitor, operator: Visitor) -> None:
    failing = Failing("no such pin as hunter22-variable")
    comparison = large(scene, [Group(ScriptDifference((), (failing,)), (member(1),))])
    keep(scene.site, comparison)
    path = f"/plans?base={comparison.base}&head={comparison.head}"
    assert "no such pin as ***" in shown(viewer.get(path).text)
    assert "no such pin as hunter22-variable" in shown(operator.get(unveiled(path)).text)


def member(number: int) -> Member:
    return Member(Serial(f"{number:012x}"), f"Desk {number} <b>" + "n" * 60, "IP222", "e" * 200, "p", Footing.BEHIND)


def large(scene: Scene, groups: list[Group]) -> FleetComparison:
    return FleetComparison(scene.first, scene.head, tuple(groups), 10_000, active=10_000)


def keep(site: Site, comparison: FleetComparison) -> None:
    """Keep *comparison* as if it had been made of these commits."""
    known(site, comparison.base, comparison.head)
    row = site.plans.row(comparison.base, comparison.head)
    assert row is not None
    assert row.mark is not None
    assert row.facts is not None
    facts, body = row.facts, written(comparison)
    site.plans.keep(comparison.base, comparison.head, mark=row.mark, facts=facts, body=body, now=now())


@pytest.mark.parametrize("count", [1, 2_500])
def test_pages_stay_small_however_large_the_fleet_is(scene: Scene, operator: Visitor, count: int) -> None:
    lines = tuple(f"config add LINE /number {at} {'<&' * 200}" for at in range(3_000 // count + 40))
    each = 10_000 // count
    groups = [
        Group(ScriptDifference((Hunk((), lines, f"s/{at}"),), (Restarts("command"),)), tuple(map(member, range(each))))
        for at in range(count)
    ]
    comparison = large(scene, groups)
    keep(scene.site, comparison)
    address = f"base={comparison.base}&head={comparison.head}"
    for path in (f"/plans?{address}", f"/plans?{address}&page=200", f"/plans/group?{address}&group={count}"):
        page = operator.get(path)
        assert page.status_code == 200
        assert len(page.content) < LARGEST_PAGE, path
    text = shown(operator.get(f"/plans?{address}").text)
    assert "10 of 2,500 groups" in text or count == 1


def test_a_plan_that_was_wanted_long_ago_is_told_and_looked_at_again(scene: Scene) -> None:
    plan = known(scene.site, scene.live, scene.head)
    later = plan.checked.replace(year=plan.checked.year + 1)
    wanted = Plans(scene.site).wanted(scene.live, scene.head, later)
    assert isinstance(wanted, PlanInProgress)
    assert wanted.last is not None
