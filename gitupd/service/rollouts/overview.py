"""The roll-outs of a site as people look at them: in numbers, by the week in which certificates end, and in lists."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.core.certificates.rollout import SETTLED, Stage
from gitupd.core.certificates.standing import SOON
from gitupd.core.policy import Policy
from gitupd.core.search import Search
from gitupd.core.standing import Yardstick
from gitupd.errors import InvalidEntry
from gitupd.service.facts import plain
from gitupd.store.certificates.rollout_lists import Choice, ListedRollout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitupd.core.caller import Serial
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

UNDER_WAY = tuple(stage for stage in Stage if stage not in SETTLED)
RolloutChoice = Choice
"""What pages and programs choose by."""
RolloutListing = ListedRollout
"""What they are given."""

ENDED, LATER = "ended", "later"
MOST_REQUESTS = 20_000
_WEEKS = 8
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class EndingInWeek:
    """How many certificates end in a span of time; ``word`` names it: a week such as ``2026-W49``, or another one."""

    word: str
    count: int
    starts: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """The roll-outs in numbers: devices at each stage, since when the oldest request waits, ends past, near and known.

    ``next_end`` is when the next certificate ends; None if no end is known.
    """

    stages: Mapping[Stage, int]
    oldest_request: datetime | None
    ended: int
    ending: int
    next_end: datetime | None

    def at(self, *stages: Stage) -> int:
        """Return how many devices are at one of *stages*."""
        return sum(self.stages.get(stage, 0) for stage in stages)

    @property
    def under_way(self) -> int:
        """How many devices have not what they are to have."""
        return self.at(*UNDER_WAY)


class CertificateOverview:
    """Looks at the roll-outs of a site at one moment."""

    def __init__(self, site: Site, live: Live | None, now: datetime) -> None:
        """Look at *site* at the time *now*; *live* None means that nothing was deployed yet."""
        self._site, self._now = site, now
        policy = live.snapshot.policy if live else Policy()
        self._yardstick = Yardstick.of(policy, live.deployment.commit if live else None, now, zone=site.settings.zone)

    def summary(self) -> RolloutSummary:
        """Count the roll-outs."""
        lists = self._site.rollout_lists
        ended, soon, _ = lists.ends([self._now, self._now + SOON])
        return RolloutSummary(
            self._site.rollouts.counts(),
            lists.oldest(Stage.SIGNING),
            ended,
            soon - ended,
            lists.next_end(self._now),
        )

    def endings(self) -> tuple[EndingInWeek, ...]:
        """Return how many certificates have ended, end in each of the next weeks, and later."""
        monday = _monday(self._now)
        starts = [self._now, *(monday + number * _WEEK for number in range(1, _WEEKS + 1))]
        ended, *counts, known = self._site.rollout_lists.ends(starts)
        weeks = [
            EndingInWeek(week_of(begin), count - before, begin, end)
            for (begin, end), (before, count) in zip(pairwise(starts), pairwise([ended, *counts]), strict=True)
        ]
        last = counts[-1] if counts else ended
        return (
            EndingInWeek(ENDED, ended, None, self._now),
            *weeks,
            EndingInWeek(LATER, known - last, starts[-1], None),
        )

    def ends_within(self, ranges: Sequence[tuple[str, timedelta]], later: str) -> Iterator[tuple[str, int]]:
        """Yield how many certificates end within each of *ranges* and not within one before, last how many *later*."""
        *counts, known = self._site.rollout_lists.ends([self._now + span for _, span in ranges])
        before = 0
        for (name, _), count in zip(ranges, counts, strict=True):
            yield name, count - before
            before = count
        yield later, known - before

    def choice(self, stages: Sequence[Stage] = (), week: str = "", search: Search | None = None) -> Choice:
        """Return which roll-outs are meant: at one of *stages*, that end in the *week*, of devices that *search* finds.

        Nothing given is no condition. Raises InvalidEntry for what is no week.
        """
        since, before = self._span(week) if week else (None, None)
        return Choice(self._yardstick, tuple(stages), since, before, search or Search())

    def _span(self, week: str) -> tuple[datetime | None, datetime | None]:
        if week == ENDED:
            return None, self._now
        if week == LATER:
            return _monday(self._now) + _WEEKS * _WEEK, None
        begin = monday_of(week)
        return (max(begin, self._now) if begin == _monday(self._now) else begin), begin + _WEEK

    def listed(self, choice: Choice, limit: int, offset: int = 0) -> tuple[list[ListedRollout], int]:
        """Return *limit* of the roll-outs of *choice* from *offset* on, and how many there are."""
        return self._site.rollout_lists.find(choice, limit, offset)

    def each(self, choice: Choice) -> Iterator[ListedRollout]:
        """Yield all roll-outs of *choice*, by serial number."""
        return self._site.rollout_lists.each(choice)

    def serials(self, choice: Choice) -> list[Serial]:
        """Return the devices of *choice*."""
        return self._site.rollout_lists.serials(choice)

    def requests_archive(self, choice: Choice) -> bytes:
        """Return the requests of *choice* that wait for a signature as a ZIP file: SERIAL.csr in PEM for each."""
        waiting = Choice(choice.yardstick, (Stage.SIGNING,), choice.since, choice.before, choice.search)
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            for serial, request in self._site.rollout_lists.requests(waiting, MOST_REQUESTS):
                entry = zipfile.ZipInfo(f"{serial}.csr", self._now.timetuple()[:6])
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, x509.load_der_x509_csr(request).public_bytes(Encoding.PEM))
        return written.getvalue()


def summary_facts(summary: RolloutSummary, endings: Sequence[EndingInWeek]) -> dict[str, Any]:
    """Return the roll-outs in numbers as values of JSON."""
    return {
        "stages": {stage.value: summary.at(stage) for stage in Stage},
        "oldest_request": plain(summary.oldest_request),
        "ended": summary.ended,
        "ending": summary.ending,
        "next_end": plain(summary.next_end),
        "weeks": [{"week": each.word, "count": each.count} for each in endings],
    }


def week_of(at: datetime) -> str:
    """Return the ISO week of a time, in UTC: ``2026-W49``."""
    year, week, _ = at.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}"


def monday_of(week: str) -> datetime:
    """Return when a *week* such as ``2026-W49`` begins; raises InvalidEntry for what is none."""
    try:
        year, number = week.split("-W")
        return datetime.fromisocalendar(int(year), int(number), 1).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidEntry(f"{week!r} is no week, such as 2026-W49") from error


def _monday(now: datetime) -> datetime:
    return monday_of(week_of(now))
