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
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from support.fleets import device

from gitupd.core.deployments.objection import Doubtful, Gate
from gitupd.core.deployments.record import OPEN_STATES
from gitupd.errors import SiteError
from gitupd.service.creating import create_site
from gitupd.service.deployments import words
from gitupd.service.deployments.deploying import deploy, rollback, unblock
from gitupd.service.keeper import Keeper
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.stateful import MultipleResults

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.snapshot import CommitId

pytestmark = pytest.mark.slow

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
_GRACE = 30
_FOR_ALL, _FOR_FEW = "snippets/all-all-all.txt", "snippets/update-gw-all.txt"
_PHONES, _GATEWAYS = range(0, 180, 6), range(3, 39, 6)
_PEOPLE = {"ada": "Ada <ada@example.org>", "bob": "Bob <bob@example.org>"}
_AUTHORS = st.sampled_from(sorted(_PEOPLE))
_APPROVERS = st.sampled_from(("", *_PEOPLE, "kim"))
_PLACES: list[Path] = []


class _RolledBack(NamedTuple):
    """The lines that were added and removed by what was rolled back, and the commits that had done that."""

    added: frozenset[str]
    removed: frozenset[str]
    commits: frozenset[CommitId]


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
        self.arrived: dict[CommitId, datetime] = {}
        self.deployed: set[CommitId] = set()
        self.came_along: set[CommitId] = set()
        self.rolled_back: dict[CommitId, _RolledBack] = {}
        self.approved: dict[tuple[CommitId, str], datetime] = {}
        self.known_between: dict[tuple[CommitId, CommitId], list[CommitId]] = {}
        self.frozen_until: datetime | None = None
        self.is_frozen = self.second_person = self.is_anew = False
        self.count = 1
        self._start()

    def teardown(self) -> None:
        self.site.close()
        shutil.rmtree(self.folder)

    def _start(self) -> None:
        def clock() -> datetime:
            return self.now

        self.keeper = Keeper(self.site, clock, steady=lambda: clock().timestamp())

    @initialize(target=commits, second_person=st.booleans(), approver=_APPROVERS)
    def begin(self, approver: str, *, second_person: bool) -> MultipleResults[CommitId]:
        """Deploy a first commit, and push another one, which may be deployed by itself."""
        self.second_person = second_person
        first = self._commit(frozenset({"F0"}), "ada")
        deploy(self.site, first, who="kim", now=self.now)
        self.deployed.add(first)
        numbers = (*_PHONES, *_GATEWAYS)
        self.site.inventory.save_sightings(device(number, first, self.now) for number in numbers)
        self._tick()
        return multiple(first, self._go_on(frozenset({"F0", "F1"}), "bob", approver))

    def _commit(self, lines: frozenset[str], author: str) -> CommitId:
        approval = "second-person" if self.second_person else "none"
        files = {
            "policies/deploy.yaml": f"grace: {_GRACE}s\napproval: {approval}\n".encode(),
            _FOR_ALL: _content({f"BASE{number}" for number in range(40)} | {line for line in lines if line[0] == "A"}),
            _FOR_FEW: _content({line for line in lines if line[0] == "F"}),
        }
        commit = self.site.config.commit_files(files, f"Change {self.count}", _PEOPLE[author])
        self.lines[commit], self.authors[commit], self.arrived[commit] = lines, author, self.now
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
        self.is_anew = False
        before = self._live
        self.keeper.tick()
        after = self._live
        if after.id == before.id:
            return
        assert after.kind == "automatic"
        assert after.commit == self._head
        assert not self._held(before, after.commit), "deployed by itself, though something holds it"
        self._is_live(before.commit, after.commit)

    def _between(self, base: CommitId, head: CommitId) -> list[CommitId]:
        if (base, head) not in self.known_between:
            with self.site.open_config() as repository:
                self.known_between[base, head] = [info.id for info in repository.between(base, head, 100)]
        return self.known_between[base, head]

    def _is_live(self, before: CommitId, after: CommitId) -> None:
        """Note that *after* was deployed in the place of *before*, and what came along with it."""
        along = {*self._between(before, after)} - {after}
        self.deployed.add(after)
        self.came_along |= along
        self._forget_approvals({*along, after})

    def _forget_approvals(self, commits: set[CommitId]) -> None:
        self.approved = {word: at for word, at in self.approved.items() if word[0] not in commits}

    # What holds a commit

    def _held(self, live: Deployment, head: CommitId) -> set[str]:
        """Return the state in which *head* is while another commit is *live*; empty if it is to be deployed now.

        Of what holds it, the first counts.
        """
        if head in self.rolled_back:
            return {"rolled back"}
        if self._has_what_was_rolled_back(live.commit, head):
            return {"blocked"}
        if self._frozen:
            return {"frozen"}
        if self._is_beyond_the_brake(live, head):
            return {"braked"}
        if self.second_person and not self._approvers(live, head):
            return {"waiting"}
        if head in self.deployed:
            return {"waiting"}
        if self.now < self.arrived[head] + timedelta(seconds=_GRACE):
            return {"approved" if any(commit == head for commit, _ in self.approved) else "seen"}
        return set()

    def _has_what_was_rolled_back(self, live: CommitId, head: CommitId) -> bool:
        """Whether *head* has the files of it, does anything of it that it builds on, or does all of it again."""
        old, new, coming = self.lines[live], self.lines[head], {*self._between(live, head), head}
        for commit, (added, removed, commits) in self.rolled_back.items():
            if new == self.lines[commit]:
                return True
            if commits & coming:
                if added & new - old or (not added and removed & old - new):
                    return True
            elif (added or removed) and added <= new - old and removed <= old - new:
                return True
        return False

    def _has_a_part_of_it(self, head: CommitId) -> bool:
        """Whether *head* does anything of what was rolled back, which holds it or not, as it lies in the files."""
        new = self.lines[head]
        return any(added & new or removed - new for added, removed, _ in self.rolled_back.values())

    def _is_beyond_the_brake(self, live: Deployment, head: CommitId) -> bool:
        """Whether it changes all devices, and no second person has approved that since what was live then is."""
        changed = self.lines[live.commit] ^ self.lines[head]
        return any(line[0] == "A" for line in changed) and not self._approvers(live, head, live.at)

    def _approvers(self, live: Deployment, head: CommitId, since: datetime = _NOON) -> set[str]:
        """Return who has approved *head* who has made nothing of what comes with it."""
        words = {who for (commit, who), at in self.approved.items() if commit == head and at >= since}
        return words - self._makers(live, head)

    def _makers(self, live: Deployment, head: CommitId) -> set[str]:
        return {self.authors[each] for each in (*self._between(live.commit, head), head)}

    # What happens

    def _go_on(self, lines: frozenset[str], author: str, approver: str = "kim", *, goes: bool = True) -> CommitId:
        """Push a commit that has these *lines*; do what is usual: somebody approves it, and its grace passes."""
        self.count += 1
        commit = self._commit(lines, author)
        self._tick()
        if approver:
            self._approve(commit, approver)
        if goes:
            self.now += timedelta(seconds=_GRACE)
            self._tick()
        return commit

    @rule(
        target=commits,
        author=_AUTHORS,
        approver=_APPROVERS,
        keeps=st.booleans(),
        goes=st.sampled_from((True, True, False)),
        kind=st.sampled_from("AFF"),
    )
    def push(self, author: str, approver: str, kind: str, *, keeps: bool, goes: bool) -> CommitId:
        """Add a line to what is at the head, or to what is live."""
        base = self.lines[self._head if keeps else self._live.commit]
        return self._go_on(base | {f"{kind}{self.count}"}, author, approver, goes=goes)

    @rule(
        target=commits,
        author=_AUTHORS,
        approver=_APPROVERS,
        data=st.data(),
        goes=st.booleans(),
    )
    def remove(self, author: str, approver: str, data: st.DataObject, *, goes: bool) -> CommitId:
        """Remove a line, which may be a revert, or bring back one that was there before."""
        known = sorted(frozenset().union(*self.lines.values()))
        changed = self.lines[self._head] ^ {data.draw(st.sampled_from(known))}
        return self._go_on(changed, author, approver, goes=goes)

    @rule(seconds=st.sampled_from((1, _GRACE // 2, _GRACE, 50)))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self._tick()

    @rule(commit=commits, force=st.booleans(), who=st.sampled_from(("ada", "bob", "kim")))
    def deploy_by_hand(self, commit: CommitId, who: str, *, force: bool) -> None:
        live = self._live
        before, own = live.commit, who in self._makers(live, commit)
        waits = self.second_person and own and not self._approvers(live, commit)
        try:
            deploy(self.site, commit, who=who, now=self.now, force=force, reason="meant" if force else "")
        except Doubtful as error:
            gates = {each.gate for each in error.objections}
            assert not force or gates == {Gate.APPROVAL}
            assert (Gate.APPROVAL in gates) == waits
            assert force or (Gate.FREEZE in gates) == self._frozen
            assert force or (Gate.BRAKE in gates) == self._is_beyond_the_brake(live, commit)
        except SiteError:
            assert commit == before or commit in self.rolled_back
        else:
            assert commit not in self.rolled_back, "deployed though it is blocked"
            assert not waits, "deployed without a second person"
            if not force:
                assert not self._frozen
                assert not self._has_what_was_rolled_back(before, commit)
                assert not self._is_beyond_the_brake(live, commit)
            self._is_live(before, commit)
        self._tick()

    @precondition(lambda self: self.lines and self._live.replaced in self.lines)
    @rule(target=commits, then=st.sampled_from(("", "on top", "revert", "again")), author=_AUTHORS)
    def go_back_by_one(self, then: str, author: str) -> MultipleResults[CommitId]:
        """Go back, and push what people push then: one more on top, or a revert, and perhaps what was bad again."""
        before, bad = self._live.replaced, self._live.commit
        assert before is not None
        self._go_back(before)
        if not then or bad not in self.rolled_back:
            return multiple()
        added, removed, _ = self.rolled_back[bad]
        lines = self.lines[self._head]
        if then == "on top":
            return multiple(self._go_on(lines | {f"F{self.count}"}, author))
        made = [self._go_on(lines - added | removed, author)]
        if then == "again":
            made.append(self._go_on(lines | added - removed, author))
        return multiple(*made)

    @rule(commit=commits)
    def go_back(self, commit: CommitId) -> None:
        self._go_back(commit)

    def _go_back(self, commit: CommitId) -> None:
        before = self._live.commit
        try:
            rollback(self.site, commit, who="kim", now=self.now, reason="silent phones")
        except SiteError:
            assert commit == before or commit not in self.deployed
            return
        gone = frozenset({*self._between(commit, before), before})
        self.rolled_back.pop(commit, None)
        self._forget_approvals({*gone, commit})
        old, new = self.lines[commit], self.lines[before]
        self.rolled_back[before] = _RolledBack(new - old, old - new, gone)
        assert self._live.commit == commit
        self._tick()

    @precondition(lambda self: self.rolled_back)
    @rule(data=st.data())
    def lift_a_block(self, data: st.DataObject) -> None:
        commit = data.draw(st.sampled_from(sorted(self.rolled_back)))
        unblock(self.site, commit, who="kim", now=self.now)
        del self.rolled_back[commit]
        self._tick()

    @rule(seconds=st.sampled_from((20, 60, None)))
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
        self._approve(commit, who)

    def _approve(self, commit: CommitId, who: str) -> None:
        live = self._live
        try:
            words.approve(self.site, commit, who=who, now=self.now)
        except SiteError:
            assert who in self._makers(live, commit) or commit == live.commit
        else:
            assert who not in self._makers(live, commit), "approved by whoever has made it"
            self.approved[commit, who] = self.now
        self._tick()

    @precondition(lambda self: not self.is_anew)
    @rule()
    def restart(self) -> None:
        """Everything is opened anew; at the same moment, nothing is otherwise."""
        before = self._told()
        self.site.close()
        self.site = Site(self.folder / "site")
        self._start()
        self._tick()
        assert self._told() == before
        self.is_anew = True

    def _told(self) -> object:
        records = self.site.commits.latest(100)
        return self._live.id, [(each.commit, each.state, each.reason, each.who, each.since) for each in records]

    # What holds at any time

    @invariant()
    def every_commit_has_a_state_and_a_reason(self) -> None:
        if not self.lines:
            return
        records, live, head = {each.commit: each for each in self.site.commits.latest(100)}, self._live, self._head
        assert all(each.reason for each in records.values())
        record = records[live.commit]
        assert (record.state.value, record.who, record.at) == ("deployed", live.who, live.at)
        for commit in self.rolled_back:
            assert records[commit].state.value == "rolled back"
            assert "silent phones" in records[commit].reason
        assert not [commit for commit in self.came_along if records[commit].state in OPEN_STATES]
        if head != live.commit:
            parts = {"blocked"} if self._has_a_part_of_it(head) else set()
            assert records[head].state.value in self._held(live, head) | parts

    @invariant()
    def what_is_blocked_is_not_live(self) -> None:
        assert self._live.commit not in self.site.deployments.blocked()
        assert set(self.site.deployments.blocked()) == set(self.rolled_back)


def _content(lines: set[str]) -> bytes:
    return "".join(f"config add {line} /on\n" for line in sorted(lines)).encode()


# The profile says how long: 100 examples of a test that takes no time are 10 of this one.
Deployments.TestCase.settings = settings(
    max_examples=max(8, settings.default.max_examples // 10), stateful_step_count=20, print_blob=True
)
TestDeployments = Deployments.TestCase
