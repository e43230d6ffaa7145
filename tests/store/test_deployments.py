"""Deployments, and commits that are blocked, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.deployments.deployment import Block, Deployment
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.store.deployments import Deployments

if TYPE_CHECKING:
    from gitupd.store.database import Database


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
A, B, C = (CommitId(letter * 40) for letter in "abc")


def _event(who: str, at: datetime) -> Event:
    return Event(at, who, Kind.DEPLOY)


def test_deployments_are_appended(database: Database) -> None:
    assert (Deployments(database).live(), Deployments(database).latest()) == (None, [])
    first = Deployments(database).add(A, _event("ada", NOON), kind="deploy")
    second = Deployments(database).add(B, _event("gitupd", LATER), kind="automatic", reason="grüße")
    assert first == Deployment(first.id, A, NOON, "ada", "deploy", None, "")
    assert second == Deployment(first.id + 1, B, LATER, "gitupd", "automatic", A, "grüße")
    assert Deployments(database).live() == second
    assert Deployments(database).latest() == [second, first]
    assert Deployments(database).latest(limit=1) == [second]
    assert [Deployments(database).was_deployed(each) for each in (A, B, C)] == [True, True, False]


def test_what_is_replaced_can_be_blocked_until_that_is_lifted(database: Database) -> None:
    Deployments(database).add(A, _event("ada", NOON), kind="deploy", block_replaced=True)
    assert Deployments(database).blocked() == {}
    Deployments(database).add(B, _event("ada", NOON), kind="deploy")
    Deployments(database).add(A, _event("ada", LATER), kind="rollback", reason="phones ring", block_replaced=True)
    Deployments(database).add(A, _event("ada", LATER), kind="rollback", block_replaced=True)
    assert Deployments(database).blocked() == {B: "phones ring"}
    Deployments(database).add(B, _event("ada", LATER), kind="deploy")
    Deployments(database).add(A, _event("bob", LATER), kind="rollback", reason="again", block_replaced=True)
    assert Deployments(database).blocked() == {B: "again"}
    assert Deployments(database).block(C) is None
    assert Deployments(database).block(B) == Block(LATER, "bob", "again")
    lifting = Event(LATER, "ada", Kind.UNBLOCK)
    assert [Deployments(database).unblock(each, lifting) for each in (C, B, B)] == [False, True, False]
    assert Deployments(database).blocked() == {}
