"""What is wrong with a push, found out while its objects are still in quarantine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.config.documents import PATHS
from gitupd.config.loader import build, load
from gitupd.config.signers import read_signers
from gitupd.core.deployments.pushed import objection_to_move
from gitupd.errors import GitupdError, InvalidConfiguration, SiteError, UnreadableRepository, has_errors
from gitupd.service.deployments.gates.render_tests import failing_tests
from gitupd.service.pushing.pushers import site_of
from gitupd.settings import pushed_objects, read_settings
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.deployments.pushed import PushedRef
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.errors import Problem

_RULE = PATHS["deploy"]
MOST_OTHERS = 20
"""So many branches that nobody follows are looked at in one push: mirrors push thousands."""


@dataclass(frozen=True, slots=True)
class PushVerdict:
    """What is to be said of one reference of a push.

    It is refused for a ``refusal``, None if it is not. ``problems`` are those of its configuration, and ``failures``
    say how its render tests fail; both are told of a branch that nobody follows, too, and refuse nothing there.
    """

    ref: PushedRef
    refusal: str | None = None
    problems: tuple[Problem, ...] = ()
    failures: tuple[str, ...] = ()


def examine_push(
    path: Path, refs: Sequence[PushedRef], now: datetime, *, reason: str = "", may_force: bool = True
) -> list[PushVerdict]:
    """Return what is to be said of each of *refs*, pushed into the repository at *path*, whose branches are as before.

    *reason* is why the followed branch is to be rewound, empty if it isn't; *may_force* whether whoever pushes may do
    that. Tags and deleted branches that nobody follows are left out, and so are branches beyond :data:`MOST_OTHERS`.
    Raises UnreadableRepository if the repository can't be read at all.
    """
    with ConfigRepository(path, pushed_objects()) as repository:
        examination = _Examination(repository, now, reason, may_force=may_force, upstream=_upstream_of(path))
        return list(examination.verdicts(refs))


def _upstream_of(path: Path) -> str | None:
    """Return the repository elsewhere that the site follows whose repository is at *path*, None if there is none."""
    place = site_of(path)
    with suppress(SiteError):  # settings that can't be read keep nobody from pushing
        address = None if place is None else read_settings(place).upstream.address
        return None if address is None else address.text
    return None


class _Examination:
    """Looks at the branches of one push; each commit once."""

    def __init__(
        self, repository: ConfigRepository, now: datetime, reason: str, *, may_force: bool, upstream: str | None
    ) -> None:
        self._repository, self._now, self._upstream = repository, now, upstream
        self._reason, self._may_force = reason, may_force
        self._known: dict[CommitId, tuple[Snapshot | None, tuple[Problem, ...], tuple[str, ...]]] = {}
        self._followed = self._followed_before()

    def verdicts(self, refs: Sequence[PushedRef]) -> Iterator[PushVerdict]:
        branches = [ref for ref in refs if ref.branch is not None]
        others = 0
        for ref in branches:
            is_followed = ref.branch in self._followed or (
                others < MOST_OTHERS and ref.branch in self._followed_after(ref)
            )
            if not is_followed:
                others += 1
                if ref.new is None or others > MOST_OTHERS:
                    continue
            try:
                yield self._verdict(ref, is_followed=is_followed)
            except UnreadableRepository as error:
                yield PushVerdict(ref, f"it can't be read as a commit: {error}")

    def _verdict(self, ref: PushedRef, *, is_followed: bool) -> PushVerdict:
        if is_followed and self._upstream is not None and not (self._reason and self._may_force):
            return PushVerdict(ref, f"push to {self._upstream}: this site follows it, and fetches what is new there")
        followed = {ref.branch} if is_followed and ref.branch is not None else set()
        rewinds = is_followed and self._rewinds(ref)
        refusal = objection_to_move(ref, followed, rewinds=rewinds, reason=self._reason, may_force=self._may_force)
        if refusal is not None or ref.new is None:
            return PushVerdict(ref, refusal)
        _, problems, failures = self._examined(ref.new)
        if is_followed and has_errors(problems):
            refusal = "its configuration has errors"
        elif is_followed and failures:
            refusal = "; ".join(failures)
        elif is_followed and not (self._reason and self._may_force):
            refusal = self._unsigned(ref.old, ref.new)
        return PushVerdict(ref, refusal, problems, failures)

    def _unsigned(self, old: CommitId | None, new: CommitId) -> str | None:
        """Return which commits are not signed, if what they build on asks for that; None if it does not, or they are.

        That is what was deployed last among them, or else what the branch was at.
        """
        base = self._repository.latest_kept(new) or old
        try:
            files = {} if base is None else self._repository.files(base)
        except GitupdError:
            return None  # the site finds out before it deploys
        if base is None or _RULE not in files or not load({_RULE: files[_RULE]}).policy.deploy.require_signatures:
            return None
        from gitupd.service.deployments.gates.signature import unsigned_commits  # noqa: PLC0415 - few hooks need it

        found = unsigned_commits(self._repository, base, new, read_signers(files), self._now)
        return "; ".join(text for text, _ in found) or None

    def _rewinds(self, ref: PushedRef) -> bool:
        """Whether commits that the branch has are not in what comes."""
        if ref.old is None or ref.new is None or not self._repository.has(ref.old):
            return False
        return bool(self._repository.between(ref.new, ref.old, 1))

    def _examined(self, commit: CommitId) -> tuple[Snapshot | None, tuple[Problem, ...], tuple[str, ...]]:
        if commit not in self._known:
            self._known[commit] = self._examine(commit)
        return self._known[commit]

    def _examine(self, commit: CommitId) -> tuple[Snapshot | None, tuple[Problem, ...], tuple[str, ...]]:
        try:
            files = self._repository.files(commit)
            snapshot, problems = build(files, commit)
        except InvalidConfiguration as error:
            return None, error.problems, ()
        return snapshot, problems, () if has_errors(problems) else tuple(failing_tests(snapshot, files, self._now))

    def _followed_before(self) -> frozenset[str]:
        """Return the branches that are deployed from by what is in the repository: HEAD, and what that says."""
        head = self._repository.default_branch()
        if head is None:
            return frozenset()
        try:
            files = self._repository.files(self._repository.head(head))
            return frozenset({head, build(files)[0].policy.deploy.branch})
        except GitupdError:
            return frozenset({head})  # there is no commit yet, or none that can be read

    def _followed_after(self, ref: PushedRef) -> frozenset[str]:
        """Return the branch that is deployed from by what is pushed: who names another one protects that as well."""
        if ref.new is None or ref.branch in self._followed:
            return frozenset()
        try:
            snapshot, _, _ = self._examined(ref.new)
        except UnreadableRepository:
            return frozenset()
        return frozenset() if snapshot is None else frozenset({snapshot.policy.deploy.branch})
