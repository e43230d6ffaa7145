"""Restores from an operator's wish to what became of them, with real repositories and databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support import fleets

from gitupd.core.backups.restore import RestoreState
from gitupd.core.caller import Origin, Serial, parse_caller, parse_serial
from gitupd.core.endpoint import Endpoint
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role
from gitupd.errors import GitupdError, SiteError
from gitupd.service.admission.codes import Redeeming
from gitupd.service.backups.commits import BackupCommits
from gitupd.service.backups.history import BackupHistory
from gitupd.service.backups.intake import Arrival, BackupIntake
from gitupd.service.backups.restoring import PATIENCE, LeftBehind, SiteRestores
from gitupd.service.certificates.enrolling import Enrolling
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.service.keeper import Keeper
from gitupd.service.poll import Poll
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Outcome, Sightings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.core.backups.restore import Restore
    from gitupd.service.site import Site

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SERIAL, OTHER = parse_serial("00-90-33-00-00-0d"), parse_serial("00-90-33-00-00-0e")
ADA = Actor("ada", Role.OPERATOR, "10.1.1.1")
ENDPOINT = Endpoint("http", "upd.example", 80, "/mtls")
LINES = tuple(f"config change MODULE{number} /option {number}" for number in range(20))
OLD = (*LINES, "config change CMD0 /name Desk", "vars create UPDATE/CHECK p old")
NEW = (
    *LINES[1:],
    "config change CMD0 /name Hacked",
    "config change EXTRA /pw canary-47",
    "vars create UPDATE/CHECK p x",
)
POLICY = b"enabled: true\nhide: ['/pw (\\S+)']\n"


def dump(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


class Desk:
    """A site whose devices call, upload and fetch, at times that the test sets."""

    def __init__(self, site: Site) -> None:
        self.site, self.now = site, NOON
        self.follower = Follower(site)
        self.follower.follow()
        assert self.follower.live is not None
        self.policy = self.follower.live.snapshot.policy.backup
        self.intake = BackupIntake(self.follower, site.backup_inbox, site.inventory, site.inbox_folder)
        self.intake.start()
        self.sightings = Sightings(site.inventory, site.restores)
        self.restoring = SiteRestores(site)
        self.computing = Computing(site.settings)
        self.asking = Poll(
            self.follower, self.sightings, self.computing, Redeeming(site), Enrolling(site.rollouts, site.answers)
        )

    def pass_time(self, time: timedelta = timedelta(minutes=1)) -> None:
        self.now += time

    def upload(self, *lines: str, serial: Serial = SERIAL) -> None:
        """Upload, and have it in the history."""
        self.pass_time()
        content = dump(*lines)
        arrival = Arrival(serial, self.now, content, len(content), {}, self.intake.read(content))
        assert self.intake.put([arrival]).result(10)[0] in ("kept", "nothing has changed")
        BackupCommits(self.site).commit(self.policy)
        self.pass_time()

    def poll(self, serial: Serial = SERIAL, *, delivery: bool = True, **more: str) -> str:
        """Return the command to fetch something, empty if there is none."""
        self.follower.follow()
        live = self.follower.live
        assert live is not None
        said = {"type": "IP222", "sn": str(serial), "hwid": "IP222-1", "ip": "10.0.0.1", "polling": "0"}
        caller = parse_caller({**said, "phase": "update", **more}, ENDPOINT)
        if delivery:
            answer = self.asking.answer(live, caller, self.now, Origin("10.0.0.1"))
        else:
            answer = self.asking.preview(live, caller, self.now, Origin())
        assert answer.outcome is Outcome.DELIVERED
        return "".join(line for line in answer.body.decode().splitlines() if "UP0 cfg" in line)

    def ignore_noise(self) -> None:
        """Have a configuration deployed by which lines with a certain word don't count."""
        files = dict(self.site.config.files(self.site.config.resolve("main")))
        files["policies/backup.yaml"] = POLICY + b"ignore: [' NOISE ', '^vars create UPDATE/']\n"
        self.site.config.commit_files(files, "Ignore noise", "Ada <ada@example.org>")
        deploy(self.site, "main", who="test", now=self.now)
        self.follower.follow()
        assert self.follower.live is not None
        self.policy = self.follower.live.snapshot.policy.backup

    def ask(self, revision: str = "~1", serial: Serial = SERIAL) -> Restore:
        self.pass_time()
        return self.restoring.ask(self.history().version(serial, revision), ADA, self.now, self.policy)

    def history(self, *, secrets: bool = True) -> BackupHistory:
        return BackupHistory(self.site, self.policy, secrets=secrets)

    def left_behind(self, most: int = 100, *, secrets: bool = True) -> LeftBehind:
        """Return what going back to the second last version leaves as it is."""
        history = self.history(secrets=secrets)
        present, target = history.version(SERIAL), history.version(SERIAL, "~1")
        return self.restoring.left_behind(present, target, self.policy, history, most)

    def fetch(self, command: str) -> bytes | None:
        self.pass_time()
        url = command.split(" ")[4]
        assert url.startswith("http://upd.example/mtls/restore/")
        return self.restoring.serve(url.rpartition("/")[2], self.now, self.policy)

    def check(self) -> Restore:
        """Look what became of restores, and return the newest one."""
        self.pass_time()
        self.restoring.check(self.now, self.policy)
        return self.newest()

    def newest(self, serial: Serial = SERIAL) -> Restore:
        return self.restoring.of(serial)[0]

    def fetched(self) -> Restore:
        """Have a restore of the second last version asked for and fetched."""
        self.ask()
        assert self.fetch(self.poll())
        return self.check()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    site = create_site(tmp_path / "site", who="test", now=NOON)[0]
    files = dict(site.config.files(site.config.resolve("main")))
    files["policies/backup.yaml"] = POLICY
    site.config.commit_files(files, "Backups", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=NOON)
    fleets.fill(site, 20, NOON)
    opened = Desk(site)
    opened.upload(*OLD)
    opened.upload(*NEW)
    yield opened
    opened.intake.stop()
    opened.computing.stop()
    site.close()


def test_a_device_goes_back(desk: Desk) -> None:
    asked = desk.ask()
    assert (asked.state, asked.who, asked.sent, asked.fetched, asked.done) == (
        RestoreState.ASKED,
        "ada",
        None,
        None,
        None,
    )
    command = desk.poll()
    assert command.startswith("mod cmd UP0 cfg http://upd.example/mtls/restore/")
    assert f" iresetn gitupd-{asked.id}-" in command
    desk.sightings.write()
    assert (desk.newest().state, desk.newest().sent) == (RestoreState.SENT, desk.now)
    assert desk.fetch(command) == dump(*OLD[:-1], "config write", "config activate")
    fetched = desk.check()
    assert (fetched.state, fetched.fetched) == (RestoreState.FETCHED, desk.now - timedelta(minutes=1))
    desk.upload(*OLD[:-1], "vars create UPDATE/CHECK p new")
    assert (desk.check().state, desk.newest().detail, desk.newest().done) == (RestoreState.RESTORED, "", desk.now)
    assert desk.restoring.open() == []


def test_nothing_is_sent_or_served_twice(desk: Desk) -> None:
    desk.ask()
    first = desk.poll()
    assert desk.poll() == first, "two polls before it is fetched get the same"
    assert desk.poll(CHECK="else", CFG="other") == first
    assert desk.poll(CFG=first.split()[-1]) == "", "it says that it has executed it"
    assert desk.fetch(first)
    assert desk.fetch(first) is None
    assert desk.poll() == ""
    assert desk.restoring.serve("", desk.now, desk.policy) is None


def test_no_other_device_gets_it(desk: Desk) -> None:
    before = desk.poll(OTHER)
    asked = desk.ask()
    assert desk.poll(OTHER) == before == ""
    assert desk.poll() != ""
    assert desk.poll(OTHER) == ""
    assert asked.token in desk.poll(sn="00:90:33:00:00:0D"), "however it writes its serial number"
    assert len({desk.poll(sn="009033000001"), desk.poll(sn="009033000002"), ""}) == 1


def test_what_is_only_looked_at_was_not_sent(desk: Desk) -> None:
    desk.ask()
    assert desk.poll(delivery=False)
    desk.sightings.write()
    assert desk.newest().state is RestoreState.ASKED


def test_sent_is_written_down_late_and_does_not_turn_back_what_came_since(desk: Desk) -> None:
    desk.ask()
    sent = desk.now
    desk.fetch(desk.poll())
    desk.sightings.write()
    assert (desk.newest().state, desk.newest().sent) == (RestoreState.FETCHED, sent)
    desk.upload(*OLD)
    desk.check()
    desk.site.restores.note_sent([(desk.newest().id, desk.now)])
    assert (desk.newest().state, desk.newest().sent) == (RestoreState.RESTORED, sent)


def test_a_server_killed_between_sent_and_fetched(desk: Desk) -> None:
    desk.ask()
    command = desk.poll()
    # Its successor knows nothing of the poll, and the device comes with the address it was told.
    successor = SiteRestores(desk.site)
    assert successor.serve(command.split()[4].rpartition("/")[2], desk.now, desk.policy)
    assert (desk.newest().state, desk.newest().sent) == (RestoreState.FETCHED, None)
    desk.upload(*OLD)
    assert desk.check().state is RestoreState.RESTORED


def test_the_upload_before_it_was_fetched_does_not_count(desk: Desk) -> None:
    desk.ask("latest")
    command = desk.poll()
    desk.upload(*NEW)
    desk.fetch(command)
    assert desk.check().state is RestoreState.FETCHED
    desk.upload(*NEW)
    assert desk.check().state is RestoreState.RESTORED, "seen again is good enough"


def test_a_device_that_did_not_execute_it(desk: Desk) -> None:
    desk.fetched()
    desk.upload(*NEW)
    found = desk.check()
    assert found.state is RestoreState.DIFFERS
    assert found.detail == (
        "2 lines differ; missing: config change MODULE0 /option 0 | config change CMD0 /name Desk; "
        "unexpected: config change CMD0 /name Hacked"
    )


def test_what_it_could_not_undo_is_no_difference(desk: Desk) -> None:
    desk.fetched()
    desk.upload(*OLD, "config change EXTRA /pw canary-47")
    assert desk.check().state is RestoreState.RESTORED
    assert desk.newest().detail == "1 line left as expected, which it can't undo"


def test_secrets_stay_out_of_what_is_told(desk: Desk) -> None:
    desk.fetched()
    desk.upload(*OLD, "config change EXTRA /pw canary-48", *(f"config change MORE{number} /x" for number in range(9)))
    detail = desk.check().detail
    assert detail.startswith("10 lines differ; unexpected: config change EXTRA /pw *** | config change MORE0 /x | ")
    assert detail.endswith(" | …")
    assert "canary" not in detail


def test_of_several_uploads_that_differ_the_first_one_is_told(desk: Desk) -> None:
    desk.fetched()
    desk.upload(*OLD, "config change FIRST /x")
    desk.upload(*OLD, "config change SECOND /x")
    assert desk.check().detail == "1 line differs; unexpected: config change FIRST /x"


def test_long_lines_are_told_in_part_or_not_at_all(desk: Desk) -> None:
    desk.fetched()
    desk.upload(*OLD, f"config change EXTRA /x {'y' * 200}", f"config change EXTRA /z {'y' * 40_000}")
    assert desk.check().detail == f"2 lines differ; unexpected: config change EXTRA /x {'y' * 96}… | ***"


def test_one_good_upload_among_several_is_enough(desk: Desk) -> None:
    desk.fetched()
    for lines in (NEW[:-2], OLD, NEW):
        desk.upload(*lines)
    assert desk.check().state is RestoreState.RESTORED


def test_what_is_not_in_the_history_yet_is_waited_for(desk: Desk) -> None:
    desk.fetched()
    content = dump(*NEW, "config change LATE /x")
    desk.intake.put([Arrival(SERIAL, desk.now, content, len(content), {}, desk.intake.read(content))]).result(10)
    assert desk.check().state is RestoreState.FETCHED
    BackupCommits(desk.site).commit(desk.policy)
    assert desk.check().state is RestoreState.DIFFERS


def test_lines_that_the_policy_ignores_meanwhile_are_no_difference(desk: Desk) -> None:
    desk.fetched()
    desk.upload(*OLD, "config change NOISE /x 1")
    desk.ignore_noise()
    assert desk.restoring.check(desk.now, desk.policy) == 1
    assert desk.newest().state is RestoreState.RESTORED


def test_lines_that_the_policy_ignores_are_not_served(desk: Desk) -> None:
    desk.upload(*OLD, "config change NOISE /x 1")
    desk.upload(*NEW, "config change BABBLE NOISE /x 2")
    desk.ignore_noise()
    assert desk.left_behind().lines == ("config change EXTRA /pw canary-47",)
    desk.ask()
    assert desk.fetch(desk.poll()) == dump(*OLD[:-1], "config write", "config activate")


def test_asking_again_replaces_what_is_open(desk: Desk) -> None:
    first = desk.ask()
    command = desk.poll()
    second = desk.ask("latest")
    assert desk.fetch(command) is None
    assert second.token in desk.poll()
    newest, replaced = desk.restoring.of(SERIAL)
    assert (newest.id, newest.state) == (second.id, RestoreState.ASKED)
    assert (replaced.id, replaced.state, replaced.detail) == (
        first.id,
        RestoreState.CANCELLED,
        "replaced by another restore",
    )
    entries = desk.site.audit.entries(5, kind="restore")
    assert [(entry.who, entry.address, entry.subject) for entry in entries] == [("ada", "10.1.1.1", str(SERIAL))] * 2
    assert f"restore {second.id}: to {second.commit[:12]}" in entries[0].detail
    assert entries[0].detail.endswith("instead of the one that was open")
    assert not entries[1].detail.endswith("instead of the one that was open")
    assert first.token not in repr(entries) + repr(first)


def test_cancelled_before_it_was_fetched(desk: Desk) -> None:
    desk.ask()
    command = desk.poll()
    desk.restoring.cancel(SERIAL, ADA, desk.now)
    assert desk.fetch(command) is None
    assert desk.poll() == ""
    assert (desk.newest().state, desk.newest().detail) == (RestoreState.CANCELLED, "cancelled by ada")
    assert [entry.subject for entry in desk.site.audit.entries(5, kind="restore-cancel")] == [str(SERIAL)]
    with pytest.raises(SiteError, match="no restore of device 00-90-33-00-00-0d is open"):
        desk.restoring.cancel(SERIAL, ADA, desk.now)
    assert len(desk.site.audit.entries(5, kind="restore-cancel")) == 1


def test_what_was_fetched_is_not_cancelled(desk: Desk) -> None:
    desk.fetched()
    with pytest.raises(SiteError, match="fetched it already"):
        desk.restoring.cancel(SERIAL, ADA, desk.now)
    assert desk.check().state is RestoreState.FETCHED
    desk.ask("latest")
    newest, replaced = desk.restoring.of(SERIAL)
    assert (newest.state, replaced.state) == (RestoreState.ASKED, RestoreState.CANCELLED), "another one takes it back"


@pytest.mark.parametrize("how_far", ["asked", "sent", "fetched"])
def test_given_up_after_a_week(desk: Desk, how_far: str) -> None:
    desk.ask()
    command = desk.poll() if how_far != "asked" else ""
    desk.sightings.write()
    if how_far == "fetched":
        desk.fetch(command)
    desk.pass_time(PATIENCE - timedelta(minutes=5))
    assert desk.check().state is RestoreState(how_far)
    desk.pass_time(timedelta(minutes=5))
    said = {
        "asked": "the device never came within 7 days",
        "sent": "it was sent, but never fetched within 7 days",
        "fetched": "it was fetched, but no backup that could tell came within 7 days",
    }
    assert (desk.check().state, desk.newest().detail) == (RestoreState.EXPIRED, said[how_far])
    assert desk.poll() == ""


def test_while_the_version_can_not_be_read_it_stays_open(desk: Desk) -> None:
    other = desk.site.path / "elsewhere"
    desk.ask()
    command = desk.poll()
    desk.site.backups.path.rename(other)
    with pytest.raises(GitupdError):
        desk.fetch(command)
    assert desk.poll() == command
    assert desk.newest().fetched is None
    other.rename(desk.site.backups.path)
    assert desk.fetch(command)


def test_one_that_can_not_be_looked_at_holds_no_other_up(desk: Desk) -> None:
    desk.upload(*OLD, serial=OTHER)
    desk.fetched()
    desk.ask("latest", serial=OTHER)
    assert desk.fetch(desk.poll(OTHER))
    desk.upload(*NEW)
    desk.upload(*OLD, serial=OTHER)
    other = desk.site.path / "elsewhere"
    desk.site.backups.path.rename(other)
    with pytest.raises(GitupdError):
        desk.restoring.check(desk.now, desk.policy)
    assert desk.newest(OTHER).state is RestoreState.RESTORED
    assert desk.newest().state is RestoreState.FETCHED
    other.rename(desk.site.backups.path)
    assert desk.check().state is RestoreState.DIFFERS


def test_a_device_that_was_forgotten_comes_back_as_it_was(desk: Desk) -> None:
    assert desk.site.inventory.forget([SERIAL], Event(NOON, "ada", Kind.DEVICE_FORGET)) == 1
    desk.ask()
    assert desk.fetch(desk.poll()) == dump(*OLD[:-1], "config write", "config activate")
    desk.upload(*OLD)
    assert desk.check().state is RestoreState.RESTORED


def test_versions_that_are_none(desk: Desk) -> None:
    desk.upload(*OLD, serial=OTHER)
    for revision in ("~2", "nonsense", desk.site.backup_index.of(OTHER)[0].commit):
        with pytest.raises(SiteError):
            desk.ask(revision)
    assert desk.restoring.of(SERIAL) == []


def test_what_stays_is_told_beforehand(desk: Desk) -> None:
    hidden, unhidden, cut = desk.left_behind(secrets=False), desk.left_behind(), desk.left_behind(0)
    assert hidden.lines == ("config change EXTRA /pw ***",)
    assert "canary" not in repr(hidden)
    assert unhidden.lines == ("config change EXTRA /pw canary-47",)
    assert [staying.count for staying in (hidden, unhidden, cut)] == [1, 1, 1]
    assert cut.lines == ()
    assert desk.restoring.open() == []


def test_what_was_looked_at_is_what_is_restored_though_a_backup_comes_meanwhile(desk: Desk) -> None:
    history = desk.history()
    present, target = history.version(SERIAL), history.version(SERIAL, "~1")
    before = desk.restoring.left_behind(present, target, desk.policy, history, 100)
    desk.upload(*NEW, "config change MEANWHILE /x 1")
    assert desk.restoring.left_behind(present, target, desk.policy, history, 100) == before
    assert desk.restoring.ask(target, ADA, desk.now, desk.policy).commit == target.commit
    assert desk.fetch(desk.poll()) == dump(*OLD[:-1], "config write", "config activate")


def test_the_keeper_looks_after_restores(desk: Desk) -> None:
    desk.fetched()
    desk.upload(*OLD)
    Keeper(desk.site, clock=lambda: desk.now).tick()
    assert (desk.newest().state, desk.newest().done) == (RestoreState.RESTORED, desk.now)
