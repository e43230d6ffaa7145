"""Whatever people do, and in whatever order: what was rolled back is not served again, and a stop is a stop.

A real site with a real repository and database is driven at random, and held against a model that knows which lines a
commit adds to a snippet: those that begin with A go to all devices, the others to a few gateways.
``pytest --hypothesis-profile=long`` goes on for a quarter of an hour.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.fleets import device

from gitupd.core.deployments.objection import Doubtful, Gate
from gitupd.errors import SiteError
from gitupd.service.creating import create_site
from gitupd.service.deployments import words
from gitupd.service.deployments.deploying import deploy, rollback, unblock
from gitupd.service.keeper import Keeper
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId

pytestmark = pytest.mark.slow

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
_GRACE = 30
_FOR_ALL, _FOR_FEW = "snippets/all-all-all.txt", "snippets/update-gw-all.txt"
_PHONES, _GATEWAYS = range(0, 180, 6), range(3, 39, 6)
_PEOPLE = {"ada": "Ada <ada@example.org>", "bob": "Bob <bob@example.org>"}
_PLACES: list[Path] = []


@pytest.fixture(scope="module", autouse=True)
def _place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the site once of which each example has a copy."""
    place = tmp_path_factory.mktemp("model") / "site"
    create_site(place, who="kim", now=_NOON)[0].close()
    _PLACES.append(place)
    yield
    _PLACES.clear()


class Deployments(RuleBasedStateMachine):
    """People who push, revert, deploy, go back, freeze and approve; a clock; a keeper that starts anew at any time."""

    commits = Bundle("commits")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=_PLACES[0].parent))
        shutil.copytree(_PLACES[0], self.folder / "site")
        self.site = Site(self.folder / "site")
        self.now = _NOON
        self.lines: dict[CommitId, frozenset[str]] = {}
        self.authors: dict[CommitId, str] = {}
        self.rolled_back: dict[CommitId, tuple[frozenset[str], frozenset[str]]] = {}
        self.approved: list[tuple[CommitId, str, datetime]] = []
        self.frozen_until: datetime | None = None
        self.is_frozen = self.second_person = False
        self.count = 0
        self._start()

    def teardown(self) -> None:
        self.site.close()
        shutil.rmtree(self.folder)

    def _start(self) -> None:
        def clock() -> datetime:
            return self.now

        self.keeper = Keeper(self.site, clock, steady=lambda: clock().timestamp())

    @initialize(target=commits, second_person=st.booleans())
    def begin(self, *, second_person: bool) -> CommitId:
        self.second_person = second_person
        first = self._commit(frozenset({"F0"}), "ada")
        deploy(self.site, first, who="kim", now=self.now)
        numbers = (*_PHONES, *_GATEWAYS)
        self.site.inventory.save_sightings(device(number, first, self.now) for number in numbers)
        self._tick()
        return first

    def _commit(self, lines: frozenset[str], author: str) -> CommitId:
        approval = "second-person" if self.second_person else "none"
        files = {
            "policies/deploy.yaml": f"grace: {_GRACE}s\napproval: {approval}\n".encode(),
            _FOR_ALL: _content({f"BASE{number}" for number in range(9)} | {line for line in lines if line[0] == "A"}),
            _FOR_FEW: _content({line for line in lines if line[0] == "F"}),
        }
        commit = self.site.config.commit_files(files, f"Change {self.count}", _PEOPLE[author])
        self.lines[commit], self.authors[commit] = lines, author
        return commit

    @property
    def _live(self) -> Deployment:
        live = self.site.deployments.live()
        assert live is not None
        return live

    @property
    def _head(self) -> CommitId:
        return self.site.config.head("main")

    @property
    def _frozen(self) -> bool:
        return self.is_frozen and (self.frozen_until is None or self.now < self.frozen_until)

    def _tick(self) -> None:
        """Let the keeper look, and hold what it does against what it may."""
        before = self._live
        self.keeper.tick()
        after = self._live
        if after.id == before.id:
            return
        assert after.kind == "automatic"
        assert not self._frozen, "deployed by itself while that was frozen"
        assert after.commit == self._head
        self._has_nothing_rolled_back(before.commit, after.commit)
        self._is_no_more_than_the_brake_lets_through(before, after.commit)
        if self.second_person:
            makers = {self.authors[commit] for commit in self._between(before.commit, after.commit)}
            assert after.reason.removeprefix("approved by ") not in makers | {""}, "deployed without a second person"

    def _between(self, base: CommitId, head: CommitId) -> list[CommitId]:
        with self.site.open_config() as repository:
            return [info.id for info in repository.between(base, head, 100)]

    def _has_nothing_rolled_back(self, before: CommitId, after: CommitId) -> None:
        old, new = self.lines[before], self.lines[after]
        for added, removed in self.rolled_back.values():
            assert not added & new - old, "what was rolled back is served again"
            assert not removed & old - new, "what was removed and rolled back is removed again"

    def _is_no_more_than_the_brake_lets_through(self, before: Deployment, after: CommitId) -> None:
        """See that what changes for all devices was approved by a second person, since what was live then is."""
        changed = self.lines[before.commit] ^ self.lines[after]
        if any(line[0] == "A" for line in changed):
            makers = {self.authors[each] for each in (*self._between(before.commit, after), after)}
            approved = {who for commit, who, at in self.approved if commit == after and at >= before.at}
            assert approved - makers, "deployed without a word, though it changes all devices"

    # What happens

    def _let_it_go(self, commit: CommitId) -> None:
        """Do what is usual: a second person approves it, and its grace passes."""
        if self.second_person:
            words.approve(self.site, commit, who="kim", now=self.now)
            self.approved.append((commit, "kim", self.now))
        self._tick()
        self.now += timedelta(seconds=_GRACE)
        self._tick()

    @rule(
        target=commits,
        author=st.sampled_from(sorted(_PEOPLE)),
        keeps=st.booleans(),
        goes=st.booleans(),
        kind=st.sampled_from("AFF"),
    )
    def push(self, author: str, kind: str, *, keeps: bool, goes: bool) -> CommitId:
        """Add a line to what is at the head, or to what is live."""
        self.count += 1
        base = self.lines[self._head if keeps else self._live.commit]
        commit = self._commit(base | {f"{kind}{self.count}"}, author)
        self._tick()
        if goes:
            self._let_it_go(commit)
        return commit

    @rule(target=commits, author=st.sampled_from(sorted(_PEOPLE)), data=st.data(), goes=st.booleans())
    def remove(self, author: str, data: st.DataObject, *, goes: bool) -> CommitId:
        """Remove a line, which may be a revert, or bring back one that was there before."""
        self.count += 1
        known = sorted(frozenset().union(*self.lines.values()))
        commit = self._commit(self.lines[self._head] ^ {data.draw(st.sampled_from(known))}, author)
        self._tick()
        if goes:
            self._let_it_go(commit)
        return commit

    @rule(seconds=st.sampled_from((1, _GRACE // 2, _GRACE, 50)))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self._tick()

    @rule(commit=commits, force=st.booleans(), who=st.sampled_from(("ada", "bob", "kim")))
    def deploy_by_hand(self, commit: CommitId, who: str, *, force: bool) -> None:
        live = self._live
        before = live.commit
        makers = {self.authors[each] for each in (*self._between(before, commit), commit)}
        try:
            deploy(self.site, commit, who=who, now=self.now, force=force, reason="meant" if force else "")
        except Doubtful as error:
            gates = {each.gate for each in error.objections}
            assert not force or gates == {Gate.APPROVAL}
            if Gate.APPROVAL in gates:
                assert self.second_person
                assert who in makers
        except SiteError:
            assert commit == before or commit in self.rolled_back
        else:
            self.rolled_back.pop(commit, None)
            if not force:
                assert not self._frozen
                self._has_nothing_rolled_back(before, commit)
                self._is_no_more_than_the_brake_lets_through(live, commit)
        self._tick()

    @precondition(lambda self: self.lines and self._live.replaced in self.lines)
    @rule()
    def go_back_by_one(self) -> None:
        before = self._live.replaced
        assert before is not None
        self._go_back(before)

    @rule(commit=commits)
    def go_back(self, commit: CommitId) -> None:
        self._go_back(commit)

    def _go_back(self, commit: CommitId) -> None:
        before = self._live.commit
        try:
            rollback(self.site, commit, who="kim", now=self.now, reason="silent phones")
        except SiteError:
            assert commit == before or not self.site.deployments.was_deployed(commit)
            return
        self.rolled_back.pop(commit, None)
        old, new = self.lines[commit], self.lines[before]
        self.rolled_back[before] = (new - old, old - new)
        assert self._live.commit == commit
        self._tick()
        assert self._live.commit == commit or not (new - old) & self.lines[self._live.commit]

    @precondition(lambda self: self.rolled_back)
    @rule(data=st.data())
    def lift_a_block(self, data: st.DataObject) -> None:
        commit = data.draw(st.sampled_from(sorted(self.rolled_back)))
        unblock(self.site, commit, who="kim", now=self.now)
        del self.rolled_back[commit]
        self._tick()

    @rule(seconds=st.none() | st.sampled_from((20, 60)))
    def freeze(self, seconds: int | None) -> None:
        self.frozen_until = None if seconds is None else self.now + timedelta(seconds=seconds)
        words.freeze(self.site, who="kim", now=self.now, reason="Friday", until=self.frozen_until)
        self.is_frozen = True
        self._tick()

    @precondition(lambda self: self._frozen)
    @rule()
    def unfreeze(self) -> None:
        words.unfreeze(self.site, who="kim", now=self.now)
        self.is_frozen = False
        self._tick()

    @rule(commit=commits, who=st.sampled_from(("ada", "bob", "kim")))
    def approve(self, commit: CommitId, who: str) -> None:
        live = self._live.commit
        makers = {self.authors[each] for each in (*self._between(live, commit), commit)}
        try:
            words.approve(self.site, commit, who=who, now=self.now)
        except SiteError:
            assert who in makers or commit == live
        else:
            assert who not in makers
            self.approved.append((commit, who, self.now))
        self._tick()

    @rule()
    def restart(self) -> None:
        """Everything is opened anew; at the same moment, nothing is otherwise."""
        before = self._told()
        self.site.close()
        self.site = Site(self.folder / "site")
        self._start()
        self._tick()
        assert self._told() == before

    def _told(self) -> object:
        records = self.site.commits.latest(100)
        return self._live.id, [(each.commit, each.state, each.reason, each.who) for each in records]

    # What holds at any time

    @invariant()
    def every_commit_has_a_state_and_a_reason(self) -> None:
        if not self.lines:
            return
        records = {each.commit: each for each in self.site.commits.latest(100)}
        assert all(each.reason for each in records.values())
        assert records[self._head].state.value, "the head of the branch is not recorded"
        assert records[self._live.commit].state.value == "deployed"

    @invariant()
    def what_is_blocked_is_not_live(self) -> None:
        assert self._live.commit not in self.site.deployments.blocked()
        assert set(self.site.deployments.blocked()) == set(self.rolled_back)


def _content(lines: set[str]) -> bytes:
    return "".join(f"config add {line} /on\n" for line in sorted(lines)).encode()


# The profile says how long: 100 examples of a test that takes no time are 10 of this one.
Deployments.TestCase.settings = settings(
    max_examples=max(8, settings.default.max_examples // 10), stateful_step_count=24, print_blob=True
)
TestDeployments = Deployments.TestCase
