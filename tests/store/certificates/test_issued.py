"""Certificates that were signed, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Rollout, Stage
from gitupd.core.people.audit import Event, Kind
from gitupd.store.audit import Audit
from gitupd.store.certificates.issued import Completion, IssuedCertificate, IssuedCertificates, digest_of
from gitupd.store.certificates.rollouts import Rollouts

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SERIAL, OTHER = Serial("0090333000af"), Serial("0090333000b0")
ISSUER = "ab" * 32


@pytest.fixture
def rollouts(database: Database) -> Rollouts:
    made = Rollouts(database)
    for serial in (SERIAL, OTHER):
        made.change(serial, NOON, lambda _, serial=serial: Rollout(serial.digits.encode(), NOON))  # type: ignore[misc] # bound now
    return made


@pytest.fixture
def issued(database: Database, rollouts: Rollouts) -> IssuedCertificates:
    return IssuedCertificates(database, rollouts)


def completion(serial: Serial = SERIAL, number: str = "1f", begin: datetime = NOON) -> Completion:
    request = serial.digits.encode()
    entry = IssuedCertificate(
        number=number,
        issuer=ISSUER,
        serial=serial,
        request=digest_of(request),
        certificate=b"der",
        not_before=begin,
        not_after=begin + 700 * DAY,
        at=NOON,
        who="Vera",
        signer="Example CA",
        why="approved",
    )
    return Completion(entry, (b"der", b"above"), request, Event(NOON, "Vera", Kind.CERTIFICATE_SIGN, str(serial)))


def test_what_was_signed_is_written_down_with_its_roll_out_and_its_entry(
    database: Database, issued: IssuedCertificates, rollouts: Rollouts
) -> None:
    both = [completion(), completion(OTHER, "2f")]
    assert issued.complete(both, NOON) == [SERIAL, OTHER]
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.rollout.signed, record.rollout.signed_by) == ((b"der", b"above"), "Example CA")
    assert issued.of(SERIAL) == [both[0].certificate]
    assert issued.for_requests([both[0].request, b"x"]) == {digest_of(both[0].request): both[0].certificate}
    assert issued.numbered("00:1F") == both[0].certificate
    assert [each.number for each in issued.latest(1)] == ["2f"]
    assert (issued.count(), issued.count_current(NOON), issued.count_current(NOON + 701 * DAY)) == (2, 2, 0)
    assert (issued.count_since(NOON), issued.count_since(NOON + DAY), issued.count_since(NOON, "Otto")) == (2, 0, 0)
    assert [entry.subject for entry in Audit(database).entries(9)] == [str(OTHER), str(SERIAL)]


@pytest.mark.parametrize(
    "rollout",
    [
        Rollout(),
        Rollout(b"another", NOON),
        Rollout(SERIAL.digits.encode(), NOON, signed=(b"x",), signed_at=NOON),
        Rollout(SERIAL.digits.encode(), NOON, rejected="no"),
        Rollout(SERIAL.digits.encode(), NOON, start_over=True),
    ],
)
def test_what_was_decided_otherwise_meanwhile_is_left_out(
    database: Database, issued: IssuedCertificates, rollouts: Rollouts, rollout: Rollout
) -> None:
    rollouts.change(SERIAL, NOON, lambda _: rollout)
    assert issued.complete([completion()], NOON) == []
    assert (issued.count(), Audit(database).entries(9)) == (0, [])
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout == rollout


def test_of_two_who_sign_the_same_request_at_once_one_has_done_it(issued: IssuedCertificates) -> None:
    made = [completion(number=f"{number:x}") for number in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda each: issued.complete([each], NOON), made))
    assert sorted(map(len, done)) == [0] * 7 + [1]
    assert issued.count() == 1


def test_a_device_that_was_forgotten_gets_what_was_signed_for_its_request_again(
    issued: IssuedCertificates, rollouts: Rollouts
) -> None:
    issued.complete([completion()], NOON)
    rollouts.change(SERIAL, NOON, lambda _: Rollout(SERIAL.digits.encode(), NOON))
    assert issued.complete([completion(number="2f")], NOON) == [SERIAL]
    assert [each.number for each in issued.of(SERIAL)] == ["1f"]


def test_a_revoked_certificate_stops_the_roll_out(
    database: Database, issued: IssuedCertificates, rollouts: Rollouts
) -> None:
    issued.complete([completion()], NOON)
    rollouts.change(SERIAL, NOON, lambda rollout: replace(rollout, start_over=True))  # as somebody has wished before
    with database.connection() as connection:
        event = Event(NOON + DAY, "Otto", Kind.CERTIFICATE_REVOKE)
        chosen = issued.of(SERIAL)
        issued.revoke_within(connection, chosen, "stolen", event)
        issued.revoke_within(connection, chosen, "stolen twice", event)
    (entry,) = issued.of(SERIAL)
    assert (entry.revoked, entry.revoked_by, entry.revoked_reason) == (NOON + DAY, "Otto", "stolen")
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.stage, record.rollout.signed, record.rollout.revoked) == (Stage.REJECTED, (), NOON)
    assert record.rollout.rejected == "its certificate was revoked (stolen)"
    assert [each.detail for each in Audit(database).entries(9, kind=Kind.CERTIFICATE_REVOKE)] == ["1f: stolen"]
    assert not record.rollout.start_over
    assert [each.number for each in issued.revoked(ISSUER, NOON)] == ["1f"]
    assert issued.revoked("cd" * 32, NOON) == []
    assert issued.revoked(ISSUER, NOON + 701 * DAY) == [], "what is over is on no list"
    assert (issued.count_revoked(), issued.count_current(NOON)) == (1, 0)


def test_an_old_certificate_is_revoked_without_harm_to_the_later_one(
    database: Database, issued: IssuedCertificates, rollouts: Rollouts
) -> None:
    issued.complete([completion()], NOON)
    later = completion(number="2f", begin=NOON + DAY)
    rollouts.change(SERIAL, NOON, lambda _: Rollout(b"second", NOON))
    entry = replace(later.certificate, request=digest_of(b"second"))
    issued.complete([replace(later, request=b"second", certificate=entry)], NOON)
    with database.connection() as connection:
        old = [each for each in issued.of(SERIAL) if each.number == "1f"]
        issued.revoke_within(connection, old, "lost", Event(NOON + DAY, "Otto", Kind.CERTIFICATE_REVOKE))
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.rollout.rejected, record.rollout.signed) == ("", (b"der", b"above"))


def test_requests_that_wait_and_are_rejected(database: Database, rollouts: Rollouts) -> None:
    rollouts.change(OTHER, NOON, lambda rollout: replace(rollout, request_at=NOON - DAY))
    assert [record.serial for record in rollouts.waiting()] == [OTHER, SERIAL]
    event = Event(NOON, "Vera", Kind.CERTIFICATE_REJECT, detail="nobody knows it")
    assert rollouts.reject([SERIAL, Serial("0090333000ff")], "nobody knows it", NOON, event) == [SERIAL]
    assert rollouts.reject([SERIAL], "again", NOON, event) == []
    assert [record.serial for record in rollouts.waiting(5)] == [OTHER]
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.stage, record.rollout.rejected) == (Stage.REJECTED, "nobody knows it")
    assert [entry.subject for entry in Audit(database).entries(9)] == [str(SERIAL)]
