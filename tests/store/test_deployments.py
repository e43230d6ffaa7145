"""Deployments, and commits that are blocked, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.deployments.deployment import Deployment
from gitupd.core.snapshot import CommitId
from gitupd.store.deployments import Deployments

if TYPE_CHECKING:
    from gitupd.store.database import Database


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
A, B, C = (CommitId(letter * 40) for letter in "abc")


def test_deployments_are_appended(database: Database) -> None:
    assert (Deployments(database).live(), Deployments(database).latest()) == (None, [])
    first = Deployments(database).add(A, at=NOON, who="ada", kind="deploy")
    second = Deployments(database).add(B, at=LATER, who="gitupd", kind="automatic", reason="grüße")
    assert first == Deployment(first.id, A, NOON, "ada", "deploy", None, "")
    assert second == Deployment(first.id + 1, B, LATER, "gitupd", "automatic", A, "grüße")
    assert Deployments(database).live() == second
    assert Deployments(database).latest() == [second, first]
    assert Deployments(database).latest(limit=1) == [second]
    assert [Deployments(database).was_deployed(each) for each in (A, B, C)] == [True, True, False]


def test_what_is_replaced_can_be_blocked_until_that_is_lifted(database: Database) -> None:
    Deployments(database).add(A, at=NOON, who="ada", kind="deploy", block_replaced=True)
    assert Deployments(database).blocked() == {}
    Deployments(database).add(B, at=NOON, who="ada", kind="deploy")
    Deployments(database).add(A, at=LATER, who="ada", kind="rollback", reason="phones ring", block_replaced=True)
    Deployments(database).add(A, at=LATER, who="ada", kind="rollback", block_replaced=True)
    assert Deployments(database).blocked() == {B: "phones ring"}
    Deployments(database).add(B, at=LATER, who="ada", kind="deploy")
    Deployments(database).add(A, at=LATER, who="bob", kind="rollback", reason="again", block_replaced=True)
    assert Deployments(database).blocked() == {B: "again"}
    Deployments(database).unblock(C)
    Deployments(database).unblock(B)
    assert Deployments(database).blocked() == {}
