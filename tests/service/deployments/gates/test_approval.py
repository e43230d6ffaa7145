"""A second person approves what is deployed, where the deployed commit asks for that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.signed_commits import keyring
from support.signing_office import REQUIRED, RULE, opened

from gitupd.core.deployments.objection import Doubtful, Gate
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import SiteError
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.words import approve
from gitupd.service.keeper import Keeper
from gitupd.service.pushing.pushers import note_pusher

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sample

    from gitupd.core.snapshot import CommitId

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
_RULE = {"policies/deploy.yaml": "grace: 0s\napproval: second-person\n"}
_SNIPPET = "snippets/all-all-all.txt"


def _waits(sample: Sample) -> tuple[Keeper, CommitId]:
    """Return a commit of Ada, whom bob has pushed it for, and that waits for somebody."""
    deploy(sample.site, sample.commit(_RULE), who="eve", now=_NOON)
    keeper = Keeper(sample.site, lambda: _NOON)
    keeper.tick()
    head = sample.commit({**_RULE, _SNIPPET: "config add X /y\n"})
    note_pusher(sample.site.path, [head], "bob")
    keeper.tick()
    return keeper, head


def _told(sample: Sample, commit: CommitId) -> tuple[str, str]:
    record = sample.site.commits.of(commit)
    assert record is not None
    return record.state.value, record.reason


def test_it_waits_for_somebody_who_neither_made_nor_pushed_it(sample: Sample) -> None:
    keeper, head = _waits(sample)
    assert _told(sample, head) == ("waiting", "it waits for the approval of a second person")
    for own in ("ada", "Ada@example.org", "bob", "bob@buero"):
        with pytest.raises(SiteError, match=f"{own} has made or pushed commit {head[:12]}"):
            approve(sample.site, head, who=own, now=_NOON)
    keeper.tick()
    assert not sample.site.deployments.was_deployed(head)
    approve(sample.site, head, who="kim", now=_NOON, reason="looked at it")
    keeper.tick()
    live = sample.site.deployments.live()
    assert live is not None
    assert (live.commit, live.reason) == (head, "pushed by bob, approved by kim")
    entry = sample.site.audit.entries(2)[1]
    assert (entry.kind, entry.who, entry.subject, entry.detail) == ("approve", "kim", head, "looked at it")
    with pytest.raises(SiteError, match="deployed already"):
        approve(sample.site, head, who="kim", now=_NOON)


def test_an_approval_ends_when_the_commit_changes(sample: Sample) -> None:
    keeper, head = _waits(sample)
    approve(sample.site, head, who="kim", now=_NOON)
    later = sample.commit({**_RULE, _SNIPPET: "config add X /z\n"})
    keeper.tick()
    assert not sample.site.deployments.was_deployed(later)
    assert _told(sample, later)[0] == "waiting"
    with pytest.raises(SiteError, match="one that comes with it"):
        approve(sample.site, later, who="bob", now=_NOON)  # who has pushed the one before, which comes with it


def test_whoever_deploys_by_hand_approves_unless_it_is_his_own(sample: Sample) -> None:
    _, head = _waits(sample)
    for reason, force in (("", False), ("because", True)):
        with pytest.raises(Doubtful, match="bob has made or pushed part of it; somebody else approves it") as held:
            deploy(sample.site, head, who="bob", now=_NOON, reason=reason, force=force, on_machine=True)
        assert [each.gate for each in held.value.objections] == [Gate.APPROVAL]
    deploy(sample.site, head, who="kim", now=_NOON)


def test_going_back_needs_no_approval(sample: Sample) -> None:
    _, head = _waits(sample)
    deploy(sample.site, head, who="kim", now=_NOON)
    rollback(sample.site, sample.first, who="bob", now=_NOON)


def test_it_is_asked_for_if_what_is_deployed_has_errors_elsewhere_by_now(sample: Sample) -> None:
    broken = sample.commit({**_RULE, "phases.yaml": "phases: 7\n"})
    sample.site.deployments.add(broken, Event(_NOON, "eve", Kind.DEPLOY, broken), kind="deploy")
    head = sample.commit({**_RULE, "phases.yaml": "phases: {update: {order: 1}, staging: {order: 0}}\n"})
    with pytest.raises(Doubtful, match="ada has made or pushed part of it"):
        deploy(sample.site, head, who="ada", now=_NOON, reason="because", force=True)
    deploy(sample.site, head, who="kim", now=_NOON, reason="because", force=True)


def test_whoever_has_signed_a_commit_does_not_approve_it_whatever_author_it_names(tmp_path: Path) -> None:
    with keyring() as keys, opened(tmp_path, keys) as office:
        office.commit(office.vera, {RULE: REQUIRED + b"approval: second-person\n"})
        office.push()
        head = office.commit(office.vera, None, "--author=Bob <bob@example.com>")
        assert office.push() != office.live
        for own in ("vera", "vera@example.com", "Bob"):
            with pytest.raises(SiteError, match="somebody else has to approve it"):
                approve(office.site, head, who=own, now=_NOON)
        with pytest.raises(Doubtful, match="vera has made or pushed part of it"):
            deploy(office.site, head, who="vera", now=_NOON)
        deploy(office.site, head, who="kim", now=_NOON)
