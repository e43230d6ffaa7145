from __future__ import annotations

import pytest

from gitupd.core.deployments.pushed import PushedRef, force_reason, movement, objection_to_move, parse_push
from gitupd.core.snapshot import CommitId
from gitupd.errors import GitupdError

ZEROS, ONE, TWO = "0" * 40, "1" * 40, "2" * 40


def test_what_git_gives_to_a_hook_is_read() -> None:
    lines = [f"{ZEROS} {ONE} refs/heads/new\n", f"{ONE} {ZEROS} refs/tags/v 1\n", f"{ONE} {TWO} refs/heads/a/b"]
    refs = parse_push(lines)
    assert refs == (
        PushedRef("refs/heads/new", None, CommitId(ONE)),
        PushedRef("refs/tags/v 1", CommitId(ONE), None),
        PushedRef("refs/heads/a/b", CommitId(ONE), CommitId(TWO)),
    )
    assert [ref.branch for ref in refs] == ["new", None, "a/b"]


@pytest.mark.parametrize("line", ["", "one", f"{ONE} {TWO}"])
def test_what_git_does_not_give_is_refused(line: str) -> None:
    with pytest.raises(GitupdError, match="OLD NEW REF"):
        parse_push([line])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], ""),
        (["ci.skip"], ""),
        (["force-with-reason"], ""),
        (["force-with-reason= "], ""),
        (["ci.skip", "force-with-reason= it was pushed by mistake = really "], "it was pushed by mistake = really"),
    ],
)
def test_the_reason_of_a_forced_push_is_an_option(options: list[str], reason: str) -> None:
    assert force_reason(options) == reason


def test_only_the_branch_that_is_deployed_from_is_kept_from_going_back() -> None:
    moved = PushedRef("refs/heads/main", CommitId(ONE), CommitId(TWO))
    gone = PushedRef("refs/heads/main", CommitId(ONE), None)
    for ref, followed, rewinds, reason, expected in (
        (moved, {"main"}, False, "", None),
        (moved, {"main"}, True, "", "git pull --rebase"),
        (moved, {"main"}, True, "a key was in it", None),
        (moved, {"live"}, True, "", None),
        (gone, {"main"}, False, "any", "can't be deleted"),
        (gone, {"live"}, False, "", None),
        (PushedRef("refs/tags/main", CommitId(ONE), None), {"main"}, False, "", None),
    ):
        objection = objection_to_move(ref, followed, rewinds=rewinds, reason=reason)
        assert (objection is None) is (expected is None)
        assert expected is None or expected in (objection or "")


def test_what_a_push_has_done_is_told_in_a_few_words() -> None:
    one, two = CommitId(ONE), CommitId(TWO)
    assert [movement(PushedRef(name, *moved)) for name, *moved in (
        ("refs/heads/main", one, two),
        ("refs/heads/new", None, two),
        ("refs/tags/v1", one, None),
    )] == [f"main {ONE[:12]}..{TWO[:12]}", f"new {TWO[:12]} new", "refs/tags/v1 deleted"]  # fmt: skip


def test_only_who_may_has_commits_go() -> None:
    moved = PushedRef("refs/heads/main", CommitId(ONE), CommitId(TWO))
    objection = objection_to_move(moved, {"main"}, rewinds=True, reason="any", may_force=False)
    assert "only an administrator" in (objection or "")
