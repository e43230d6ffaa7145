"""Freezing deployments, and approving commits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from gitupd.core.deployments.objection import Doubtful
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.telling import freeze_facts, freezes_now
from gitupd.service.deployments.words import freeze, parse_end, unfreeze
from gitupd.service.keeper import Keeper

if TYPE_CHECKING:
    from conftest import Sample

_NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
_RULE = {"policies/deploy.yaml": "grace: 0s\n"}


def test_a_freeze_holds_what_would_be_deployed_and_says_whose_it_is(sample: Sample) -> None:
    first = sample.commit(_RULE)
    deploy(sample.site, first, who="ada", now=_NOON)
    keeper = Keeper(sample.site, lambda: _NOON)
    freeze(sample.site, who="bob", now=_NOON, reason="an  audit\nis on")
    head = sample.commit({**_RULE, "snippets/all-all-all.txt": "config add X /y\n"})
    keeper.tick()
    record = sample.site.commits.of(head)
    assert record is not None
    said = "bob has frozen deployments: an audit is on"
    assert (record.state, record.reason, record.who) == ("frozen", said, "bob")
    assert [each.text for each in freezes_now(sample.site, None, _NOON)] == [said]
    with pytest.raises(Doubtful, match=said):
        deploy(sample.site, head, who="ada", now=_NOON)
    deploy(sample.site, head, who="ada", now=_NOON, force=True, reason="phones are silent")
    rollback(sample.site, first, who="ada", now=_NOON)
    unfreeze(sample.site, who="bob", now=_NOON)
    with pytest.raises(SiteError, match="nobody has frozen"):
        unfreeze(sample.site, who="bob", now=_NOON)
    assert [each.kind for each in sample.site.audit.entries(10)][:4] == ["unfreeze", "rollback", "deploy", "freeze"]
    assert freeze_facts(sample.site.freezes.current(_NOON)) is None


def test_a_freeze_has_a_reason_and_an_end_to_come(sample: Sample) -> None:
    for reason, until, fault in (
        ("  ", None, "needs a reason"),
        ("x" * 501, None, "longer than 500"),
        ("holidays", _NOON, "over already"),
    ):
        with pytest.raises(InvalidEntry, match=fault):
            freeze(sample.site, who="bob", now=_NOON, reason=reason, until=until)
    order = freeze(sample.site, who="bob", now=_NOON, reason="holidays", until=_NOON + timedelta(hours=1))
    assert freeze_facts(order) == {
        "who": "bob", "at": "2026-06-05T12:00:00Z", "reason": "holidays", "until": "2026-06-05T13:00:00Z",
    }  # fmt: skip
    assert [each.text for each in freezes_now(sample.site, None, _NOON)] == [
        f"bob has frozen deployments until {order.until.astimezone(sample.site.settings.zone):%Y-%m-%d %H:%M}: holidays"
        if order.until
        else ""
    ]
    assert freezes_now(sample.site, None, _NOON + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-12-18", datetime(2026, 12, 18, 23, tzinfo=UTC)),
        ("2026-12-18 16:00", datetime(2026, 12, 18, 15, tzinfo=UTC)),
        ("2026-12-18T16:00+00:00", datetime(2026, 12, 18, 16, tzinfo=UTC)),
    ],
)
def test_an_end_is_read_by_the_clock_of_the_site(text: str, end: datetime) -> None:
    assert parse_end(text, ZoneInfo("Europe/Berlin")) == end


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "9999-12-31", "x" * 10])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidEntry, match="is no time; write a day"):
        parse_end(text, ZoneInfo("Europe/Berlin"))
