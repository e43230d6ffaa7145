"""Fetching what is new in the repository that a site follows, and moving the followed branch to it, or not."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitupd.core.deployments.rule import Deploy
from gitupd.core.people.audit import Event, Kind
from gitupd.core.upstream.movement import Relation, refusal
from gitupd.errors import GitupdError, SiteError, UnreadableRepository
from gitupd.service.deployments.live import live_now
from gitupd.service.upstream.opening import upstream_of
from gitupd.store.git.quarantine import quarantine, sweep
from gitupd.store.git.references import reference
from gitupd.store.git.repository import ConfigRepository
from gitupd.store.places import CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.core.upstream.standing import UpstreamStanding
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.store.git.quarantine import Quarantine
    from gitupd.store.git.upstream import Upstream

CLAIM = "upstream.claim"
_CLAIM_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_MOST_LOST = 1_000
_BY_ITSELF = "gitupd"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a fetch: how it ``stands`` now, and from where our branch was ``moved``, None if it was not."""

    stands: UpstreamStanding
    moved: tuple[CommitId | None, CommitId] | None = None


class Fetching:
    """Fetches for one site; one at a time, whoever asks."""

    def __init__(self, site: Site, clock: Callable[[], datetime], given_up: Callable[[], bool] = lambda: False) -> None:
        """Fetch for *site* at the time that *clock* tells, until it is *given_up*."""
        self._site, self._now, self._given_up = site, clock, given_up

    def standing(self, live: Live | None) -> UpstreamStanding:
        """Return how it stands with the branch that *live* follows; raises SiteError if there is no upstream."""
        return standing(self._site, live)

    def fetch(self, live: Live | None, who: str = _BY_ITSELF, address: str | None = None) -> Fetched:
        """Fetch, and move the branch that *live* follows if that may be; *who* has asked for that from *address*.

        Raises GitupdError if it fails, which is remembered; our branch is as it was then.
        """
        with _claimed(self._site):
            stands = standing(self._site, live)
            moment = self._now()
            try:
                fetched = self._fetched(stands, Event(moment, who, Kind.FETCH, address=address))
            except GitupdError as error:
                if not self._given_up():
                    since = stands.failing_since if stands.failures else moment
                    failed = replace(stands, failures=stands.failures + 1, failing_since=since, error=str(error))
                    self._site.upstreams.save(replace(failed, asked_at=moment))
                raise
            return fetched

    def _fetched(self, stands: UpstreamStanding, event: Event) -> Fetched:
        address = self._site.settings.upstream.address
        assert address is not None  # noqa: S101 - there would be no standing without one
        upstream = upstream_of(self._site, address)
        sweep(self._site.path)
        head = upstream.head(self._site.path, stands.branch, self._given_up)
        if head is None:
            raise UnreadableRepository(f"there is no branch {stands.branch} there; policies/deploy.yaml names it")
        good = replace(
            stands, asked_at=event.at, fetched_at=event.at, failures=0, failing_since=None, error="", head=head
        )
        ours = reference(self._site.path / CONFIG, f"refs/heads/{stands.branch}")
        if head == ours:
            return self._settled(good)
        if (head, ours) == (stands.refused, stands.refused_onto) and head != stands.accepted:
            return self._kept(good)
        return self._brought(upstream, good, ours, event)

    def _kept(self, stands: UpstreamStanding) -> Fetched:
        self._site.upstreams.save(stands)
        return Fetched(stands)

    def _brought(self, upstream: Upstream, good: UpstreamStanding, ours: CommitId | None, event: Event) -> Fetched:
        """Fetch what is new; take it over if it may be, or remember that it is refused."""
        deployed = self._site.deployments.live()
        base = ours or (deployed.commit if deployed else None)
        with quarantine(self._site.path, self._site.path / CONFIG) as place:
            with ConfigRepository(self._site.path / CONFIG) as repository:
                place.have(*(commit for commit in {ours, base} if commit and repository.has(commit)))
            head = upstream.fetch(place, good.branch, self._given_up)
            good = replace(good, head=head)
            relation, lost, is_accepted = self._related(place, base, head, good.accepted)
            why = refusal(relation, good.branch, head, lost)
            if why is not None and not is_accepted:
                refused = replace(good, refused=head, refused_onto=ours, refusal=why, refused_at=event.at)
                return self._kept(refused)
            place.take_over()
        return self._moved(good, ours, head, replace(event, subject=head, detail=_detail(good, ours, why)))

    def _related(
        self, place: Quarantine, base: CommitId | None, head: CommitId, accepted: CommitId | None
    ) -> tuple[Relation, int, bool]:
        """Return how *head*, which is in *place*, stands to *base*, how many commits of that it lacks, and who agrees.

        That is whether somebody has *accepted* it, or what it builds on.
        """
        with ConfigRepository(self._site.path / CONFIG, (place.objects,)) as repository:
            repository.describe(head)  # what can't be read is of no use to anybody
            agreed = accepted is not None and repository.has(accepted) and not repository.between(head, accepted, 1)
            if base is None or not repository.has(base):
                return Relation.FORWARD, 0, agreed
            if not repository.are_related(base, head):
                return Relation.UNRELATED, 0, agreed
            lost = len(repository.between(head, base, _MOST_LOST))
            if not lost:
                return Relation.FORWARD, 0, agreed
            relation = Relation.REWRITTEN if repository.between(base, head, 1) else Relation.REWOUND
            return relation, lost, agreed

    def _moved(self, good: UpstreamStanding, ours: CommitId | None, head: CommitId, event: Event) -> Fetched:
        """Move our branch; that it is, is written down before, and once: somebody may have been killed in between."""
        if good.taken != head:
            self._site.upstreams.take(replace(good, taken=head), event)
        with ConfigRepository(self._site.path / CONFIG) as repository:
            repository.move(good.branch, ours, head)
        return replace(self._settled(good), moved=(ours, head))

    def _settled(self, good: UpstreamStanding) -> Fetched:
        """Remember that our branch is where it should be, so that nothing is refused, accepted, or half done."""
        settled = replace(good, refused=None, refused_onto=None, refused_at=None, refusal="", taken=None)
        self._site.upstreams.settle(settled)
        return Fetched(replace(settled, accepted=None, accepted_by=""))


def standing(site: Site, live: Live | None) -> UpstreamStanding:
    """Return how it stands with the branch that *live* follows at the upstream of *site*; raises SiteError for none."""
    address = site.settings.upstream.address
    if address is None:
        raise SiteError(f"{site.path} follows no repository elsewhere; name one under [upstream] in gitupd.toml")
    return site.upstreams.of(address.text, followed_branch(live))


def followed_branch(live: Live | None) -> str:
    """Return the branch that *live* says is deployed from."""
    return (live.snapshot.policy.deploy if live is not None else Deploy()).branch


def accept(site: Site, head: str, *, who: str, now: datetime, reason: str, address: str | None = None) -> CommitId:
    """Agree that our branch follows to *head*, which is refused, whatever it loses by that; return that commit.

    *head* may be the beginning of the id. The next fetch moves the branch. Raises SiteError if it is not that which is
    refused.
    """
    stands = standing(site, live_now(site))
    least = 7
    if stands.refused is None or len(head) < least or not stands.refused.startswith(head.lower()):
        what = f"{stands.refused[:12]} is" if stands.refused else "nothing is"
        raise SiteError(f"commit {head[:12]} of the upstream is not refused: {what}; see: gitupd fetch")
    if not reason.strip():
        raise SiteError("say why, so that others understand it later")
    event = Event(now, who, Kind.UPSTREAM_ACCEPT, stands.refused, f"{stands.refusal}: {reason.strip()}", address)
    site.upstreams.accept(replace(stands, accepted=stands.refused, accepted_by=who), event)
    return stands.refused


def _detail(good: UpstreamStanding, ours: CommitId | None, why: str | None) -> str:
    moved = f"{good.branch} {ours[:12]}..{good.head and good.head[:12]}" if ours else f"{good.branch} new"
    return f"{moved} from {good.url}" + (f"; although {why}, as {good.accepted_by} wants" if why else "")


@contextmanager
def _claimed(site: Site) -> Iterator[None]:
    """Be the only one who fetches while the block runs; raises SiteError if somebody else does for long."""
    deadline = time.monotonic() + _CLAIM_SECONDS + site.settings.upstream.seconds
    try:
        claim = (site.path / CLAIM).open("w")
    except OSError as error:
        raise SiteError(f"{site.path / CLAIM} can't be written: {error}") from error
    with claim:
        while True:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SiteError("another process has been fetching for long; try again later") from None
                time.sleep(_LOOK_SECONDS)
        yield
