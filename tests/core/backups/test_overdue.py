"""Which devices are overdue with a backup, to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gitupd.core.backups.overdue import Deadline, Overdue
from gitupd.core.policy import Backup, Policy, Status

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
HOURS_36 = Policy(backup=Backup(enabled=True), status=Status(missing_after=36 * 3600))
NEVER_MISSING = Policy(backup=Backup(enabled=True), status=Status(missing_after=0))


def deadline(policy: Policy = HOURS_36, span: timedelta | None = None) -> Deadline:
    found = Deadline.of(policy, NOW, span)
    assert found is not None
    return found


def test_a_device_may_go_without_an_upload_for_as_long_as_it_may_be_missing() -> None:
    edge = NOW - timedelta(hours=36)
    assert deadline().since == deadline().present_since == edge
    assert deadline().span == timedelta(hours=36)
    assert deadline().verdict(NOW, edge) is None
    assert deadline().verdict(NOW, edge - MOMENT) is Overdue.LATE


def test_who_never_uploaded_is_overdue_from_the_first_call_on() -> None:
    assert deadline().verdict(NOW, None) is Overdue.NEVER


def test_who_does_not_call_is_missing_and_not_late() -> None:
    edge = NOW - timedelta(hours=36)
    assert deadline().verdict(edge, edge - MOMENT) is Overdue.LATE
    assert deadline().verdict(edge - MOMENT, edge - MOMENT) is Overdue.MISSING
    assert deadline().verdict(edge - MOMENT, None) is Overdue.MISSING
    assert deadline().verdict(None, None) is Overdue.MISSING
    assert deadline().verdict(None, edge) is None, "it has uploaded, whoever saw it"


def test_where_no_device_is_ever_missing_it_is_a_week() -> None:
    assert deadline(NEVER_MISSING).span == timedelta(days=7)
    assert deadline(NEVER_MISSING).verdict(None, None) is Overdue.NEVER
    assert deadline(NEVER_MISSING).verdict(None, NOW - timedelta(days=7)) is None


def test_other_days_can_be_asked_for_and_present_is_who_was_before() -> None:
    long = deadline(span=timedelta(days=30))
    assert long.since == NOW - timedelta(days=30)
    assert long.present_since == deadline().present_since


def test_nothing_is_overdue_while_backups_are_off() -> None:
    assert Deadline.of(Policy(backup=Backup(enabled=False)), NOW) is None
