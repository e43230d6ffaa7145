"""Roll-outs in numbers, and the weeks in which certificates end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Rollout, Stage
from gitupd.errors import InvalidEntry
from gitupd.service.rollouts.overview import ENDED, LATER, CertificateOverview, monday_of, week_of
from gitupd.service.site import Site
from gitupd.store.certificates.rollouts import RolloutRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = timedelta(days=1)
SUNDAY = datetime(2027, 1, 3, 23, 30, tzinfo=UTC)  # of the 53rd week of 2026


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site.create(tmp_path / "site")
    yield made
    made.close()


def test_every_end_is_in_one_week_and_found_by_its_word(site: Site) -> None:
    for present in (SUNDAY, SUNDAY + DAY, SUNDAY + 3 * DAY):
        ends = [present + timedelta(hours=hours) for hours in range(-50, 24 * 75, 5)]
        records = [
            RolloutRecord(Serial(f"009033{number:06x}"), Rollout(), Stage.GOOD, present, "", expires=end)
            for number, end in enumerate(ends)
        ]
        site.rollouts.adopt(records)
        overview = CertificateOverview(site, None, present)
        endings = overview.endings()
        assert endings[0].word == ENDED
        assert endings[1].word == week_of(present)
        assert endings[-1].word == LATER
        assert sum(each.count for each in endings) == len(ends)
        listed = [overview.serials(overview.choice(week=each.word)) for each in endings]
        assert [len(serials) for serials in listed] == [each.count for each in endings]
        assert sorted(serial for serials in listed for serial in serials) == [each.serial for each in records]
        summary = overview.summary()
        assert (summary.ended, summary.ending) == (10, sum(0 <= (end - present).days < 30 for end in ends))
        assert summary.next_end == present


def test_weeks_are_those_of_the_calendar() -> None:
    assert week_of(SUNDAY) == "2026-W53"
    assert monday_of("2026-W53") == datetime(2026, 12, 28, tzinfo=UTC)
    assert week_of(SUNDAY + DAY) == "2027-W01"


@pytest.mark.parametrize("week", ["2027-W53", "2026-W00", "2026", "soon", "2026-W1x", "99999-W01", "-W-W", ""])
def test_what_is_no_week(week: str) -> None:
    with pytest.raises(InvalidEntry, match="is no week, such as 2026-W49"):
        monday_of(week)
