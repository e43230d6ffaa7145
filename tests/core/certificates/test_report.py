"""What a device reports of its certificates, and how that stands to what is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gitupd.core.certificates.report import ChainVerdict, ReportedCertificate, judge, parse_time

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AUTHORITIES = ("Our CA", "Our Root")
RENEWAL = 90 * 86400


def certificate(
    issuer: str = "Our CA", begin: object = NOW - DAY, end: object = NOW + 400 * DAY
) -> ReportedCertificate:
    return ReportedCertificate("0090333000af", issuer, begin, end)  # type: ignore[arg-type] # as a device says it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-01", datetime(2026, 6, 1, tzinfo=UTC)),
        ("2026-06-01T10:11:12", datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC)),
        ("2026-06-01 10:11:12", datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC)),
        ("2026-06-01T10:11:12Z", datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC)),
        ("2026-06-01T10:11:12+02:00", datetime(2026, 6, 1, 8, 11, 12, tzinfo=UTC)),
        ("01.06.2026 10:11:12", datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC)),
        ("Mon, 01 Jun 2026 10:11:12 +0200", datetime(2026, 6, 1, 8, 11, 12, tzinfo=UTC)),
        ("01.06.2026 10:11", datetime(2026, 6, 1, 10, 11, tzinfo=UTC)),
        ("01.06.2026", datetime(2026, 6, 1, tzinfo=UTC)),
        ("2026/06/01 10:11:12", datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC)),
        ("Jun  1 10:11:12 2026 GMT", datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC)),
        ("20260601101112Z", datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC)),
        (None, None),
        ("  ", None),
        ("soon", "unreadable"),
        ("99.99.2026 10:11:12", "unreadable"),
        ("9" * 400, "unreadable"),
        ("0001-01-01T00:00:00+14:00", "unreadable"),
    ],
)
def test_times_are_read_in_each_form_that_devices_may_write(text: str | None, expected: object) -> None:
    assert parse_time(text) == expected


def test_a_time_is_returned_in_utc() -> None:
    read = parse_time("2026-06-01T10:11:12+05:30")
    assert isinstance(read, datetime)
    assert read.utcoffset() == timedelta(0)
    assert read == datetime(2026, 6, 1, 10, 11, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))


@pytest.mark.parametrize(
    ("chain", "verdict", "named"),
    [
        ((certificate(),), ChainVerdict.GOOD, "good until 2027-07-06"),
        ((), ChainVerdict.NONE, "no certificate"),
        ((certificate("Else"),), ChainVerdict.FOREIGN, "'Else'"),
        ((certificate(), certificate("Unknown Root")), ChainVerdict.FOREIGN, "'Unknown Root'"),
        ((certificate(), certificate("Our Root")), ChainVerdict.GOOD, "good"),
        ((certificate(end=NOW - DAY),), ChainVerdict.EXPIRED, "expired on 2026-05-31"),
        ((certificate(end=NOW + 90 * DAY),), ChainVerdict.GOOD, "good"),
        ((certificate(end=NOW + 89 * DAY),), ChainVerdict.DUE, "expires on 2026-08-29"),
        ((certificate(begin=NOW + DAY),), ChainVerdict.NOT_YET_VALID, "not valid before 2026-06-02"),
        ((certificate(begin=NOW + 3000 * DAY),), ChainVerdict.NOT_YET_VALID, "not valid before"),
        ((certificate("Else", begin=NOW + 30 * DAY),), ChainVerdict.NOT_YET_VALID, "not valid before"),
        ((certificate("Else", begin=NOW + 31 * DAY),), ChainVerdict.FOREIGN, "'Else'"),
        ((certificate("Else"), certificate(begin=NOW + DAY)), ChainVerdict.NOT_YET_VALID, "not valid before"),
        ((certificate(begin=None, end=None),), ChainVerdict.NOT_YET_VALID, "states no date"),
        ((certificate(end=None),), ChainVerdict.DUE, "states no end"),
        ((certificate(begin="unreadable"),), ChainVerdict.UNREADABLE, "can't be read"),
        ((certificate(end="unreadable"),), ChainVerdict.UNREADABLE, "can't be read"),
    ],
)
def test_a_chain_is_judged_by_all_that_is_in_it(
    chain: tuple[ReportedCertificate, ...], verdict: ChainVerdict, named: str
) -> None:
    judgement = judge(chain, AUTHORITIES, RENEWAL, NOW)
    assert judgement.verdict is verdict
    assert named in judgement.reason
