"""Roll-outs in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import PROVED, Approval, Need, Rollout, Stage
from gitupd.core.people.audit import Event, Kind
from gitupd.store.answers import Answers
from gitupd.store.audit import Audit
from gitupd.store.certificates.rollouts import RolloutRecord, Rollouts
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from gitupd.store.database import Database

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=15)
SERIAL, OTHER = Serial("0090333000af"), Serial("0090333000b0")


def test_what_a_device_was_answered_with_is_remembered(database: Database) -> None:
    rollouts = Rollouts(database)
    assert rollouts.of(SERIAL) is None
    rollouts.note(SERIAL, Need(Stage.REQUEST, "wrong issuer"), NOON, LATER, None)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.stage, record.stage_at, record.reason, record.expires) == (
        Stage.REQUEST,
        NOON,
        "wrong issuer",
        LATER,
    )
    assert record.rollout == Rollout(requested=NOON, look_again=True, told=Stage.REQUEST, tries=1)
    rollouts.note(SERIAL, Need(Stage.LOOK_AGAIN, "x"), LATER, None, record)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.rollout.look_again, record.stage_at) == (False, LATER)


def test_many_are_taken_over_at_once_in_place_of_what_was_known(database: Database) -> None:
    rollouts = Rollouts(database)
    rollouts.note(OTHER, Need(Stage.FETCH, "before"), NOON, None, None)
    kept = Rollout(b"csr", NOON, (b"own", b"above"), LATER, "vera", told=Stage.INSTALL, tries=1, look_again=True)
    records = [
        RolloutRecord(serial, kept, Stage.LOOK_AGAIN, NOON, "as it was \0", "x" * 900, LATER)
        for serial in (OTHER, SERIAL)
    ]
    rollouts.adopt(records)
    rollouts.adopt([])
    for serial in (SERIAL, OTHER):
        record = rollouts.of(serial)
        assert record is not None
        assert record.rollout == kept
        assert (record.stage, record.stage_at, record.expires) == (Stage.LOOK_AGAIN, NOON, LATER)
        assert (record.reason, len(record.error)) == ("as it was  ", 500)
    assert rollouts.counts() == {Stage.LOOK_AGAIN: 2}


def test_a_stage_counts_from_its_first_poll(database: Database) -> None:
    rollouts = Rollouts(database)
    rollouts.note(SERIAL, Need(Stage.SIGNING, "a"), NOON, None, None)
    rollouts.note(SERIAL, Need(Stage.SIGNING, "b"), LATER, None, rollouts.of(SERIAL))
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.stage_at, record.reason) == (NOON, "b")


def test_what_was_uploaded_meanwhile_is_kept(database: Database) -> None:
    rollouts = Rollouts(database)
    rollouts.note(SERIAL, Need(Stage.FETCH, "a"), NOON, None, None)
    before = rollouts.of(SERIAL)
    rollouts.change(SERIAL, LATER, lambda rollout: rollout.uploaded(b"csr", LATER))
    rollouts.note(SERIAL, Need(Stage.FETCH, "a"), LATER, None, before)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.rollout.request, record.rollout.asked) == (b"csr", LATER)


def test_a_signed_chain_comes_back_as_it_was(database: Database) -> None:
    rollouts = Rollouts(database)
    event = Event(NOON, "Vera", Kind.CERTIFICATE_UPLOAD, str(SERIAL))
    rollouts.change(SERIAL, NOON, lambda rollout: rollout.answered((b"\x00\xff", b"b"), "Vera", NOON), event)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.rollout.signed, record.rollout.signed_by, record.rollout.signed_at) == (
        (b"\x00\xff", b"b"),
        "Vera",
        NOON,
    )
    assert [entry.kind for entry in Audit(database).entries(5)] == [Kind.CERTIFICATE_UPLOAD]


def test_where_a_request_came_from_and_that_it_was_rejected_come_back_as_they_were(database: Database) -> None:
    rollouts = Rollouts(database)
    rejected = Rollout(b"csr", rejected="no\0body", request_address="10.0.0.1", request_proof=PROVED, revoked=NOON)
    rollouts.change(SERIAL, NOON, lambda _: rejected)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout == replace(rejected, rejected="no body")


def test_which_names_a_request_may_have_and_who_approved_it_come_back_as_they_were(database: Database) -> None:
    rollouts = Rollouts(database)
    rollouts.note(SERIAL, Need(Stage.REQUEST, "", ("CN=a",)), NOON, None, None)
    rollouts.change(SERIAL, NOON, lambda rollout: rollout.uploaded(b"csr", NOON, names=("CN=a", "CN=b")))
    approval = Approval("Vera", NOON, "She knows it.").delayed(NOON)
    rollouts.change(SERIAL, NOON, lambda rollout: replace(rollout, verdict="busy\0", approval=approval))
    record = rollouts.of(SERIAL)
    assert record is not None
    assert (record.rollout.names, record.rollout.verdict) == (("CN=a", "CN=b"), "busy ")
    assert record.rollout.approval == Approval("Vera", NOON, "She knows it.", 1, NOON + timedelta(minutes=1))
    rollouts.change(SERIAL, NOON, lambda rollout: rollout.uploaded(b"another", NOON))
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.approval is None


def waits(rollouts: Rollouts, serial: Serial, *, stage: Stage = Stage.SIGNING, **said: object) -> None:
    rollouts.note(serial, Need(stage, ""), NOON, None, None)
    waiting = replace(Rollout(request=serial.digits.encode(), request_at=NOON), **said)  # type: ignore[arg-type] # any of the fields
    rollouts.change(serial, NOON, lambda _: waiting)


def test_requests_that_wait_for_a_decision_come_in_order_and_without_those_that_are_past_it(database: Database) -> None:
    rollouts, serials = Rollouts(database), [Serial(f"0090333000b{number}") for number in range(7)]
    approval = Approval("Vera", NOON, "")
    waits(rollouts, serials[0], approval=approval)
    waits(rollouts, serials[1], stage=Stage.FETCH)
    waits(rollouts, serials[2], stage=Stage.FAILED)
    waits(rollouts, serials[3], rejected="no")
    waits(rollouts, serials[4], start_over=True)
    waits(rollouts, serials[5], signed=(b"c",), signed_at=NOON)
    waits(rollouts, serials[6])

    def listed(after: Serial | None, limit: int, *, approved: bool) -> list[int]:
        return [serials.index(each.serial) for each in rollouts.undecided(after, limit, approved=approved)]

    assert listed(None, 9, approved=True) == [0, 1, 6]
    assert listed(None, 9, approved=False) == [1, 6]
    assert listed(serials[1], 9, approved=True) == [6]
    assert listed(None, 1, approved=True) == [0]


def test_what_is_approved_is_due_again_when_its_pause_is_over(database: Database) -> None:
    rollouts, serials = Rollouts(database), [Serial(f"0090333000b{number}") for number in range(3)]
    approval = Approval("rule: a", NOON, "")
    waits(rollouts, serials[0], approval=approval.delayed(NOON))
    waits(rollouts, serials[1], approval=replace(approval, at=NOON + timedelta(seconds=1)))
    waits(rollouts, serials[2], approval=replace(approval, by="Vera"))
    assert [each.serial for each in rollouts.approved(NOON, 9)] == [serials[2], serials[1]]
    later = NOON + timedelta(minutes=1)
    assert [each.serial for each in rollouts.approved(later, 9)] == [serials[2], serials[1], serials[0]]
    assert [each.serial for each in rollouts.approved(later, 1)] == [serials[2]]
    assert (rollouts.count_approved("rule: a"), rollouts.count_approved("rule: b")) == (2, 0)


def test_what_somebody_makes_of_a_request_holds_for_that_request_alone(database: Database) -> None:
    rollouts = Rollouts(database)
    waits(rollouts, SERIAL)
    before = rollouts.of(SERIAL)
    assert before is not None
    event = Event(NOON, "rule", Kind.CERTIFICATE_APPROVE, str(SERIAL))

    def approved(record: RolloutRecord) -> RolloutRecord:
        return replace(record, rollout=record.rollout.approved(Approval("rule", NOON, "")))

    assert rollouts.change_waiting(before, approved, event)
    rollouts.change(SERIAL, NOON, lambda rollout: rollout.uploaded(b"another", NOON))
    assert not rollouts.change_waiting(before, approved, event)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.approval is None
    assert len(Audit(database).entries(5)) == 1


def test_an_error_stays_until_all_is_good(database: Database) -> None:
    rollouts = Rollouts(database)
    rollouts.fail(SERIAL, "no match\0", NOON)
    rollouts.note(SERIAL, Need(Stage.FAILED, "x"), NOON, None, rollouts.of(SERIAL))
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.error == "no match "
    rollouts.note(SERIAL, Need(Stage.GOOD, "x"), NOON, None, record)
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.error == ""


def test_lists_and_counts(database: Database) -> None:
    rollouts = Rollouts(database)
    rollouts.note(OTHER, Need(Stage.SIGNING, "b"), LATER, LATER + timedelta(days=1), None)
    rollouts.note(SERIAL, Need(Stage.SIGNING, "a"), NOON, LATER + timedelta(days=9), None)
    rollouts.note(Serial("0090333000b1"), Need(Stage.GOOD, "c"), NOON, None, None)
    assert [record.serial for record in rollouts.at({Stage.SIGNING})] == [SERIAL, OTHER]
    assert [record.stage for record in rollouts.at(set(Stage))] == [Stage.SIGNING, Stage.SIGNING, Stage.GOOD]
    assert [record.serial for record in rollouts.at({Stage.SIGNING}, limit=1, offset=1)] == [OTHER]
    assert [record.serial for record in rollouts.expiring(LATER + timedelta(days=5))] == [OTHER]
    assert rollouts.counts() == {Stage.SIGNING: 2, Stage.GOOD: 1}


def test_a_device_that_is_forgotten_starts_anew(database: Database) -> None:
    Answers(database).save([AnsweredQuery(SERIAL, QueryAnswer("admin", NOON, "<info/>"))])
    rollouts = Rollouts(database)
    rollouts.note(SERIAL, Need(Stage.SIGNING, "a"), NOON, None, None)
    Inventory(database).forget([SERIAL], Event(NOON, "Vera", Kind.DEVICE_FORGET))
    assert rollouts.of(SERIAL) is None


def test_two_changes_at_once_lose_neither(database: Database) -> None:
    rollouts = Rollouts(database)
    rollouts.note(SERIAL, Need(Stage.FETCH, "a"), NOON, None, None)

    def count(_: int) -> None:
        rollouts.change(SERIAL, NOON, lambda rollout: replace(rollout, installations=rollout.installations + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(20)))
    record = rollouts.of(SERIAL)
    assert record is not None
    assert record.rollout.installations == 20
