"""Somebody is told of what happened, once, whoever is away meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from gitupd.cli.main import cli
from gitupd.core.caller import Serial
from gitupd.core.deployments.record import Freeze
from gitupd.core.device import Device
from gitupd.core.notices.notice import GIVEN_UP_AFTER, Channel
from gitupd.core.people.audit import Event, Kind
from gitupd.notifying import NotifySettings, Recipient
from gitupd.service.deployments.automatic import Automatic
from gitupd.service.deployments.concerns import concerns
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.live import Follower
from gitupd.service.notices.notifying import Notifying
from gitupd.service.notices.telling import notice_concerns, notice_facts, told
from gitupd.service.steadiness import SETTLED_SECONDS, Steadiness

if TYPE_CHECKING:
    from conftest import Receiver
    from service.conftest import Sample  # type: ignore[import-not-found] # pytest finds it

RULES = """\
rules:
  - {on: [deployed, refused, braked, stopped, rolled-back, diverged, missing, overdue, expiring], to: operators}
"""
START = datetime(2024, 5, 6, 13, tzinfo=UTC)


class Scene:
    """A site whose operators are told by a chat, at times that go on as somebody says."""

    def __init__(self, sample: Sample, hooks: Receiver, rules: str = RULES, **files: str) -> None:
        self.sample, self.site, self.hooks, self.now = sample, sample.site, hooks, START
        self.site.settings = replace(
            self.site.settings, notify=NotifySettings(to={"operators": Recipient(chat=hooks.url)})
        )
        self.files = {"policies/notify.yaml": rules, "policies/deploy.yaml": "grace: 0s\n", **files}
        deploy(self.site, sample.commit(self.files), who="ada", now=START)
        self.follower = Follower(self.site)
        self.begin()
        self.step()

    def begin(self) -> None:
        """Begin as after a start."""
        self.seconds = 0.0
        self.steadiness = Steadiness(lambda: self.seconds)
        self.steadiness.look(self.now)
        self.notifying = Notifying(self.site, self.follower, lambda: self.now, self.steadiness)

    def step(self, **later: float) -> list[str]:
        """Let time go on, look and send; return what came in."""
        span = timedelta(**later)
        self.now, self.seconds = self.now + span, self.seconds + span.total_seconds()
        self.follower.follow()
        before = len(self.hooks.got)
        self.notifying.look()
        self.notifying.send()
        return [facts["text"] for facts in self.hooks.facts()[before:]]

    def outbox(self) -> list[dict[str, Any]]:
        return [notice_facts(posted) for posted in self.site.outbox.latest()]


@pytest.fixture
def scene(sample: Sample, hooks: Receiver) -> Scene:
    return Scene(sample, hooks)


def test_what_was_before_is_told_to_nobody(scene: Scene) -> None:
    assert scene.hooks.got == []
    assert scene.outbox() == []
    assert [each.name for each in told(scene.site, scene.follower.live)] == ["operators"]


def test_a_deployment_and_a_rollback_are_told_once(scene: Scene) -> None:
    good = scene.site.deployments.live()
    assert good is not None
    commit = scene.sample.commit({**scene.files, "README.md": "x"})
    deploy(scene.site, commit, who="bob", now=scene.now, reason="a reason")
    assert scene.step(seconds=1) == [f"gitupd: deployed: bob deployed {commit[:12]}: a reason"]
    rollback(scene.site, good.commit, who="eve", now=scene.now, reason="wrong")
    assert scene.step(seconds=1) == [f"gitupd: rolled back: eve went back to {good.commit[:12]}: wrong"]
    scene.begin()
    assert scene.step(seconds=1) == [], "a start changes nothing"


def test_a_commit_that_is_not_deployed_is_told_once(scene: Scene) -> None:
    automatic = Automatic(scene.site, lambda: scene.now, scene.follower)
    scene.step(seconds=1)
    bad = scene.sample.commit({**scene.files, "phases.yaml": "phases: 1\n"})
    automatic.step()
    automatic.step()
    (line,) = scene.step(seconds=1)
    assert line.startswith(f"gitupd: a commit is refused: {bad[:12]} 'Change' of branch main is not deployed: ")
    automatic.step()
    assert scene.step(seconds=1) == []


def test_who_stops_deployments_is_told_of_as_long_as_that_holds(scene: Scene) -> None:
    freeze = Freeze(scene.now, "ada", "the fair", None)
    scene.site.freezes.put(freeze, Event(scene.now, "ada", Kind.FREEZE))
    assert scene.step(seconds=1) == ["gitupd: deployments are stopped: ada stopped deployments: the fair"]
    assert scene.step(seconds=1) == []


def test_devices_that_go_missing_are_told_of_together(scene: Scene) -> None:
    week = timedelta(days=7)
    seen = [Device(Serial(f"0090330000{number:02x}"), first_seen=START, last_seen=START) for number in range(15)]
    scene.site.inventory.save_sightings(seen)
    scene.step(seconds=SETTLED_SECONDS)
    (line,) = scene.step(seconds=week.total_seconds())
    assert line.startswith("gitupd: devices are missing: 15 devices have not called for 7 days: 00-90-33-00-00-00, ")
    assert line.endswith("00-90-33-00-00-09 and 5 more")
    assert scene.step(days=30) == []
    scene.begin()
    assert scene.step(seconds=1) == []


def test_nothing_of_devices_is_told_while_the_clock_is_not_settled(scene: Scene) -> None:
    scene.site.inventory.save_sightings([Device(Serial("009033000001"), first_seen=START, last_seen=START)])
    scene.step(seconds=SETTLED_SECONDS)
    scene.now += timedelta(days=8)
    scene.steadiness.look(scene.now)
    assert scene.step(minutes=11) == []
    (line,) = scene.step(seconds=SETTLED_SECONDS)
    assert "1 device has not called" in line


def test_what_is_not_taken_is_tried_again_and_given_up_in_the_end(scene: Scene) -> None:
    scene.hooks.status = 503
    deploy(scene.site, scene.sample.commit({**scene.files, "README.md": "x"}), who="bob", now=scene.now)
    assert len(scene.step(seconds=1)) == 1
    (facts,) = scene.outbox()
    assert (facts["state"], facts["tries"], facts["error"]) == ("failing", 1, "it was answered with status 503")
    fault = "1 notice could not be sent yet, to operators by chat: it was answered with status 503"
    assert notice_concerns(scene.site) == [f"{fault}; see: gitupd notify list"]
    assert scene.step(seconds=5) == [], "there is a pause"
    assert len(scene.step(seconds=6)) == 1
    for _ in range(GIVEN_UP_AFTER):
        scene.step(hours=1)
    assert scene.outbox()[0]["state"] == "given up"
    assert notice_concerns(scene.site) == []
    scene.hooks.status = 200
    assert scene.step(hours=2) == []


def test_what_was_away_gets_all_in_one_message(scene: Scene) -> None:
    scene.hooks.status = 503
    for number in range(3):
        commit = scene.sample.commit({**scene.files, "README.md": f"{number}"})
        deploy(scene.site, commit, who=f"bob{number}", now=scene.now)
        scene.step(seconds=1)
    scene.hooks.status = 200
    (line,) = scene.step(minutes=5)
    assert [f"bob{number} deployed" in line for number in range(3)] == [True] * 3
    assert {each["state"] for each in scene.outbox()} == {"sent"}


def test_at_most_so_many_messages_come(sample: Sample, hooks: Receiver) -> None:
    scene = Scene(sample, hooks, "rules: [{on: [deployed], to: operators, at_most: 1h}]\n")

    def deployed(who: str) -> None:
        deploy(scene.site, sample.commit({**scene.files, "README.md": who}), who=who, now=scene.now)

    deployed("one")
    assert len(scene.step(seconds=1)) == 1
    for who in ("two", "three"):
        deployed(who)
        assert scene.step(minutes=10) == []
    (line,) = scene.step(minutes=45)
    assert "two deployed" in line
    assert "three deployed" in line


def test_whom_the_settings_lack_is_told_of_nowhere(sample: Sample, hooks: Receiver) -> None:
    scene = Scene(sample, hooks, "rules: [{on: [deployed], to: nobody}]\n")
    deploy(scene.site, sample.commit({**scene.files, "README.md": "x"}), who="ada", now=scene.now)
    assert scene.step(seconds=1) == []
    assert [(each.name, each.channels) for each in told(scene.site, scene.follower.live)] == [
        ("nobody", ()),
        ("operators", (Channel.CHAT,)),
    ]
    live = scene.follower.live
    assert live is not None
    assert [problem.hint for problem in concerns(scene.site, live.snapshot)] == [
        "add [notify.to.nobody] to gitupd.toml"
    ]


def test_secrets_of_the_configuration_are_not_told(scene: Scene) -> None:
    commit = scene.sample.commit({**scene.files, "README.md": "x"})
    reason = "config change USER0 /pw hunter2secret"
    deploy(scene.site, commit, who="bob", now=scene.now, reason=reason)
    (line,) = scene.step(seconds=1)
    assert "hunter2secret" not in line


def test_a_test_message_is_sent_from_the_command_line(sample: Sample, hooks: Receiver) -> None:
    path = sample.site.path
    with (path / "gitupd.toml").open("a") as settings:
        settings.write(f'\n[notify.to.operators]\nchat = "{hooks.url}"\n')
    sent = CliRunner().invoke(cli, ["notify", "test", "operators", "--site", str(path)])
    assert (sent.exit_code, sent.output) == (0, "chat     sent\n")
    assert "This is a test" in hooks.facts()[0]["text"]
    hooks.status = 404
    failed = CliRunner().invoke(cli, ["notify", "test", "operators", "--site", str(path)])
    assert (failed.exit_code, failed.output) == (1, "chat     it was answered with status 404\n")
    unknown = CliRunner().invoke(cli, ["notify", "test", "nobody", "--site", str(path)])
    assert "no recipient 'nobody' in [notify.to]; known: operators" in str(unknown.exception)
    listed = CliRunner().invoke(cli, ["notify", "list", "--json", "--site", str(path)])
    assert listed.output == "[]\n"
    audit = sample.site.audit.entries(9, kind=Kind.NOTIFY_TEST)
    assert [entry.subject for entry in audit] == ["operators", "operators"]
