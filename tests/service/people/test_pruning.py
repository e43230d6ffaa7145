"""What the audit does not keep any more goes by itself, and the audit tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.people.audit import AuditFilter, Event, Kind, Topic
from gitupd.core.policy import AuditKeeping
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.keeper import Keeper
from gitupd.service.people.pruning import AuditPruning
from gitupd.store.audit import append_several

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.service.site import Site

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site, _ = create_site(tmp_path / "site", who="test", now=NOON - 900 * DAY)
    (site.path / "gitupd.toml").write_text('time_zone = "Asia/Tokyo"\n', "utf-8")
    return type(site)(site.path)


def subjects(site: Site, topic: Topic) -> str:
    return " ".join(each.subject for some in site.audit.each(AuditFilter(topic, who="zoe")) for each in some)


def told(site: Site) -> list[str]:
    return [f"{each.who} {each.subject}: {each.detail}" for each in site.audit.entries(50, kind=Kind.AUDIT_PRUNE)]


def test_each_topic_is_kept_as_long_as_the_policy_says_and_what_goes_is_told(site: Site) -> None:
    for days in (500, 100, 10):
        for kind in (Kind.LOGIN, Kind.BACKUP_VIEW, Kind.DEPLOY):
            site.audit.add(NOON - days * DAY, "zoe", kind, str(days))
    pruning = AuditPruning(site)
    assert pruning.step(AuditKeeping(log_ins=365 * 86400, looks=90 * 86400), NOON) == 3
    assert subjects(site, Topic.CHANGES) == "10 100 500"
    assert subjects(site, Topic.LOG_INS) == "10 100"
    assert subjects(site, Topic.LOOKS) == "10"
    assert told(site) == [
        "gitupd looks: 2 entries before 2026-02-05, for looks are kept for 90 days",
        "gitupd log-ins: 1 entry before 2025-05-06, for log-ins are kept for 365 days",
    ]
    assert pruning.step(AuditKeeping(log_ins=365 * 86400, looks=90 * 86400), NOON) == 0
    assert pruning.step(AuditKeeping(), NOON + 900 * DAY) == 0
    assert len(told(site)) == 2
    assert AuditPruning(site).step(AuditKeeping(changes=30 * 86400), NOON) > 2  # with those of the site's beginning
    assert subjects(site, Topic.CHANGES) == "10"


def test_whole_days_go_by_the_clock_of_the_site(site: Site) -> None:
    midnight = datetime(2026, 4, 5, 15, tzinfo=UTC)  # that of the 6th of April in Tokyo
    for minutes in (-1, 0, 1):
        site.audit.add(midnight + timedelta(minutes=minutes), "zoe", Kind.LOGIN, str(minutes))
    pruning, keeping = AuditPruning(site), AuditKeeping(log_ins=30 * 86400)
    assert pruning.step(keeping, NOON) == 1
    assert subjects(site, Topic.LOG_INS) == "1 0"
    assert pruning.step(keeping, NOON + timedelta(hours=2)) == 0
    assert pruning.step(keeping, NOON + timedelta(hours=3)) == 2  # the next day has begun there


def test_many_go_in_steps_each_with_what_tells_it(site: Site) -> None:
    with site.database.connection() as connection:
        append_several(connection, [Event(NOON - 400 * DAY, "zoe", Kind.LOGIN, str(n)) for n in range(12_000)])
    pruning = AuditPruning(site)
    assert [pruning.step(AuditKeeping(log_ins=365 * 86400), NOON) for _ in range(4)] == [5_000, 5_000, 2_000, 0]
    assert [each.partition(" entries")[0] for each in told(site)] == [
        *("gitupd log-ins: 2,000", "gitupd log-ins: 5,000", "gitupd log-ins: 5,000"),
    ]
    assert site.audit.count(AuditFilter(Topic.LOG_INS, who="zoe"), 20_000) == 0


def test_the_keeper_prunes_as_the_deployed_commit_says(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    files = {**template_files(), "policies/audit.yaml": b"keep_log_ins: 30d\n"}
    commit = site.config.commit_files(files, "Keep", "Ada <ada@example.org>")
    deploy(site, commit, who="test", now=now(), force=True, reason="x")
    for days in (40, 20):
        site.audit.add(now() - days * DAY, "zoe", Kind.LOGIN, f"{days}")
    moment, passed = now(), [0.0]
    keeper = Keeper(site, lambda: moment + timedelta(seconds=passed[-1]), steady=lambda: passed[-1])
    keeper._follower.follow()
    while passed[-1] < 3e4:
        keeper.tick()
        passed.append(passed[-1] + 1e4)
    assert subjects(site, Topic.LOG_INS) == "20"
    assert [each.partition(" entry")[0] for each in told(site)] == ["gitupd log-ins: 1"]
