"""What pages say of commits: their rules, what is wrong with them, what waits, and what a device would get."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.endpoint import Endpoint
from gitupd.errors import GitupdError, UnreadableRepository
from gitupd.service.deployments import deploying
from gitupd.service.deployments.live import Follower
from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.deployments.verdicts import Verdicts, has_errors
from gitupd.service.deployments.waiting import Waiting, waiting
from gitupd.service.preview import Facts
from gitupd.service.rules import Places, Rule, chapters
from gitupd.service.trial import known_builds, trial
from gitupd.store.masters import MasterAnswer

if TYPE_CHECKING:
    from conftest import Sample

    from gitupd.core.snapshot import CommitId
    from gitupd.service.deployments.live import Live

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
HERE = Endpoint("http", "upd.example", 8080, "/mtls")
FACTS = Facts("IP222", "00-90-33-00-00-01", phase="update")
AUTOMATIC = {"policies/deploy.yaml": "mode: automatic\ngrace: 60s\n"}


def live(sample: Sample) -> Live | None:
    follower = Follower(sample.site)
    follower.follow()
    return follower.live


def what_waits(sample: Sample) -> Waiting | None:
    return waiting(sample.site, live(sample), Verdicts(sample.site))


def deployed(sample: Sample, commit: CommitId) -> None:
    deploying.deploy(sample.site, commit, who="ada", now=NOON)


# Rules


def test_rules_know_the_lines_that_say_so(sample: Sample) -> None:
    commit = sample.commit({"policies/delivery.yaml": "# polls\ninterval: 7\n", "policies/status.yaml": ""})
    snapshot = Snapshots(sample.site).of(commit)
    places = Places(lambda path: sample.site.config.file(commit, path))
    found = {each.title: each for each in chapters(snapshot, places)}
    assert found["Delivery"].path == "policies/delivery.yaml"
    assert found["Delivery"].rules[0] == Rule("Devices poll every 7 minutes.", 2)
    assert found["Delivery"].rules[1] == Rule("While phases remain, they poll every 5 seconds.", None)
    assert found["Status"].path is None
    assert {rule.line for rule in found["Status"].rules} == {None}
    assert found["Queries"].path == "queries.yaml"
    assert found["Queries"].rules == (
        Rule("Certificate: Asks no device for the output of “mod cmd X509 xml-info”.", None),
        Rule("Admin: Asks no device for the output of “mod cmd CMD0 xml-info” and shows Name.", 4),
    )
    assert places.line("environments", ("environments", "homeoffice")) == 5
    assert places.line("environments", ("environments", "mars")) is None
    assert places.line("environments", ("environments", "homeoffice", "implies", "0")) is None


def test_rules_of_documents_that_can_not_be_read_have_no_lines(sample: Sample) -> None:
    snapshot = Snapshots(sample.site).of(sample.first)
    found = chapters(snapshot, Places(lambda _path: None))
    assert all(each.path is None for each in found)
    assert all(rule.line is None for each in found for rule in each.rules)


# Verdicts


def test_a_verdict_is_found_once(sample: Sample) -> None:
    verdicts = Verdicts(sample.site)
    broken = sample.commit({"policies/delivery.yaml": "intervall: 1\n"})
    assert verdicts.errors(broken) == ()
    problems = verdicts.of(broken)
    assert [each.path for each in problems] == ["policies/delivery.yaml"]
    assert has_errors(problems)
    assert verdicts.errors(broken) == problems
    assert verdicts.of(broken) is problems
    odd = sample.commit({"snippets/update-gw-all.txt": "config write\n"})
    assert len(verdicts.of(odd)) == 1
    assert not has_errors(verdicts.of(odd))
    assert verdicts.errors(odd) == ()


def test_a_commit_too_large_to_be_meant_is_a_verdict_too(sample: Sample) -> None:
    large = sample.commit({"snippets/update-gw-all.txt": b"x" * (4 * 2**20 + 1)})
    assert "bytes, more than" in Verdicts(sample.site).of(large)[0].message


# What waits


def test_nothing_waits_while_the_head_is_deployed(sample: Sample) -> None:
    assert what_waits(sample) is None


def test_the_head_waits_for_somebody(sample: Sample) -> None:
    head = sample.commit({"snippets/update-gw-all.txt": "config write\n"})
    found = what_waits(sample)
    assert found
    assert (found.commit.id, found.branch, found.obstacle, found.due) == (head, "main", "by hand", None)
    assert [each.path for each in found.problems] == ["snippets/update-gw-all.txt"]


def test_the_head_deploys_by_itself_when_it_is_old_enough(sample: Sample) -> None:
    deployed(sample, sample.commit(AUTOMATIC))
    sample.commit({**AUTOMATIC, "snippets/update-gw-all.txt": "config add X /y 1\n"})
    found = what_waits(sample)
    moved = sample.site.config.moved_at("main")
    assert found
    assert moved
    assert (found.obstacle, found.grace, found.due) == ("grace", 60, moved + timedelta(seconds=60))


def test_what_keeps_the_head_from_being_deployed(sample: Sample) -> None:
    second = sample.commit(AUTOMATIC)
    deployed(sample, second)
    deploying.rollback(sample.site, sample.first, who="ada", now=NOON, reason="gateways lost calls")
    found = what_waits(sample)
    assert found
    assert (found.commit.id, found.obstacle, found.reason) == (second, "blocked", "gateways lost calls")
    deploying.unblock(sample.site, second, who="ada", now=NOON)
    assert (again := what_waits(sample))
    assert again.obstacle == "by hand"
    sample.commit({"policies/delivery.yaml": "intervall: 1\n"})
    assert (broken := what_waits(sample))
    assert broken.obstacle == "errors"
    assert has_errors(broken.problems)


def test_what_somebody_took_back_does_not_deploy_by_itself(sample: Sample) -> None:
    head = sample.commit(AUTOMATIC)
    deployed(sample, head)
    other = sample.site.config.commit_files(
        {path: content for path, content in sample.site.config.files(head).items() if "gw" not in path},
        "Elsewhere", "Ada <ada@example.org>", "elsewhere",
    )  # fmt: skip
    deployed(sample, other)
    found = what_waits(sample)
    assert found
    assert (found.commit.id, found.obstacle, found.due) == (head, "taken back", None)


def test_a_branch_that_is_not_there_is_an_error(sample: Sample) -> None:
    deployed(sample, sample.commit({"policies/deploy.yaml": "branch: production\nmode: manual\n"}))
    with pytest.raises(UnreadableRepository, match="production"):
        what_waits(sample)


# Trials


def test_a_trial_is_a_poll_that_nobody_made(sample: Sample) -> None:
    snapshots = Snapshots(sample.site)
    found = trial(snapshots, snapshots.of(sample.first), FACTS, HERE, NOON)
    assert found.script.commit == sample.first
    assert [each.path for each in found.script.selected] == [
        "snippets/all-all-all.txt",
        "snippets/update-phone-default.txt",
    ]
    assert found.commands == 7
    assert found.situation.phase == "update"
    assert sample.site.inventory.devices() == []


def test_a_trial_calls_the_way_that_is_required(sample: Sample) -> None:
    commit = sample.commit({"policies/transport.yaml": "https: required\nhttps_port: 8443\n"})
    snapshots = Snapshots(sample.site)
    found = trial(snapshots, snapshots.of(commit), FACTS, HERE, NOON)
    assert len(found.script.selected) == 2
    assert "config write" in [line.text for line in found.script.lines]
    assert found.situation.caller.endpoint == Endpoint("https", "upd.example", 8443, "/mtls")


@pytest.mark.parametrize("content", [b"x" * 2_200_000, b"x\n" * 50_001])
def test_a_trial_is_bounded(sample: Sample, content: bytes) -> None:
    snapshots = Snapshots(sample.site)
    snapshot = snapshots.of(sample.commit({"snippets/update-phone-all.txt": content}))
    with pytest.raises(GitupdError, match="more than a page can show; gitupd render prints it"):
        trial(snapshots, snapshot, FACTS, HERE, NOON)
    gateway = replace(FACTS, model="IP6010")
    assert trial(snapshots, snapshot, gateway, HERE, NOON).commands


def test_builds_are_those_of_the_master_device_that_is_followed(sample: Sample) -> None:
    snapshots, url = Snapshots(sample.site), "http://127.0.0.1:1/box_info.xml"
    follows = snapshots.of(sample.commit({"policies/firmware.yaml": f'master: {{url: "{url}"}}\nfirmware: master\n'}))
    assert known_builds(sample.site, follows) is None
    assert known_builds(sample.site, snapshots.of(sample.first)) is None
    sample.site.masters.save(MasterAnswer(url, "137213", "131286", NOON, NOON))
    builds = known_builds(sample.site, follows)
    assert builds
    assert (builds.firmware, builds.bootcode) == ("137213", "131286")
    assert known_builds(sample.site, snapshots.of(sample.first)) is None
