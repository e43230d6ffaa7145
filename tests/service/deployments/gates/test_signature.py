"""Commits that have to be signed, because the deployed one says so."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from support.signed_commits import Keyring, keyring, run
from support.signing_office import FREE, RULE, Office, opened, signers

from gitupd.core.deployments.objection import Doubtful
from gitupd.core.deployments.state import CommitState
from gitupd.core.people.audit import Kind
from gitupd.core.snapshot import CommitId
from gitupd.errors import InvalidConfiguration
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.gates import signature

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def keys() -> Iterator[Keyring]:
    with keyring() as made:
        yield made


@pytest.fixture
def office(keys: Keyring, tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path, keys) as office:
        yield office


def test_what_is_signed_is_deployed_by_itself(office: Office) -> None:
    for _ in range(3):
        office.commit(office.vera)
    head = office.push()
    assert office.live == head
    record = office.site.commits.of(head)
    assert record is not None
    assert record.signature == "is signed by vera@example.com"


def test_one_that_is_not_signed_in_the_middle_is_refused_with_its_subject(office: Office) -> None:
    before = office.live
    office.commit(office.vera)
    bad = office.commit(None)
    office.commit(office.vera)
    head = office.push()
    assert office.live == before
    assert office.refused(head) == [f"commit {bad[:12]} 'change' is not signed"]
    assert not office.site.deployments.was_deployed(bad)
    record, newest = office.site.commits.of(bad), office.site.commits.of(head)
    assert record is not None
    assert newest is not None
    assert record.signature == "is not signed"
    assert (newest.state, newest.reason) == (CommitState.REFUSED, f"commit {bad[:12]} 'change' is not signed")


def test_a_key_that_comes_with_the_commit_it_signs_counts_for_the_next_one(office: Office) -> None:
    eve = office.keys.ssh("eve")
    own = office.commit(eve, signers(office.vera, eve))
    office.push()
    (told,) = office.refused(own)
    assert told.startswith(f"commit {own[:12]} 'change' is signed by an unknown key, SHA256:")
    office.work.git("reset", "-q", "--hard", "HEAD~1")
    office.commit(office.vera, signers(office.vera, eve))
    assert office.push() == office.live
    office.commit(eve)
    assert office.push() == office.live


def test_who_switches_it_off_has_to_sign_that(office: Office) -> None:
    off = office.commit(None, {RULE: FREE})
    office.push()
    assert office.refused(off)
    office.work.git("reset", "-q", "--hard", "HEAD~1")
    office.commit(office.vera, {RULE: FREE})
    unsigned = office.commit(None)
    office.push()
    assert office.refused(unsigned), "the one that switches it off is not deployed yet"
    office.work.git("reset", "-q", "--hard", "HEAD~1")
    office.push()
    office.commit(None)
    assert office.push() == office.live


def test_a_merge_and_both_of_its_sides_are_signed(office: Office) -> None:
    start = office.live
    for signed in (True, False):
        office.work.git("checkout", "-q", "-B", "side", start)
        side = office.commit(office.vera if signed else None, {"snippets/update-all-all.txt": b"config add S /x\n"})
        office.work.git("checkout", "-q", "-B", "main", start)
        office.commit(office.vera)
        options = ("side", "-X", "ours")
        head = office.work.commit(office.vera, *options, verb=("merge", "--no-ff"))
        office.push()
        if signed:
            assert office.live == head
            unsigned_merge = office.work.commit(None, "--amend", "--no-gpg-sign")
            assert any("is not signed" in told for told in office.refused(_known(office, unsigned_merge)))
            rollback(office.site, start, who="ada", now=now())
        else:
            assert office.refused(head) == [f"commit {side[:12]} 'change' is not signed"]


def _known(office: Office, commit: CommitId) -> CommitId:
    """Let the site have *commit* without its branch at it."""
    config = office.site.path / "config.git"
    run("git", "-C", config, "fetch", "-q", office.work.path, f"+{commit}:refs/heads/aside")
    return commit


def test_of_many_the_oldest_are_told(office: Office) -> None:
    bad = [office.commit(None) for _ in range(9)]
    office.push()
    told = office.refused(bad[-1])
    assert told[0] == f"commit {bad[0][:12]} 'change' is not signed"
    assert told[-1] == "4 more commits are not signed as they have to be"


def test_going_back_needs_no_signature(office: Office) -> None:
    first = office.live
    office.commit(office.vera)
    head = office.push()
    rollback(office.site, first, who="ada", now=now(), address="192.0.2.1")
    assert office.live == first
    assert head in office.site.deployments.blocked()


def test_what_takes_back_what_is_deployed_is_signed_by_nobody(office: Office) -> None:
    start = office.live
    aside = office.commit(office.vera)
    office.work.git("reset", "-q", "--hard", start)
    office.commit(office.vera)
    assert office.push() == office.live
    (told,) = office.refused(_known(office, aside))
    assert told.startswith(f"it takes back what is deployed, for it does not build on commit {office.live[:12]}")
    parent = CommitId(office.work.git("rev-parse", f"{start}~1"))
    if not office.site.deployments.was_deployed(parent):
        assert office.refused(parent)


def test_a_lost_key_is_replaced_on_the_machine_and_that_is_in_the_audit(office: Office) -> None:
    new = office.keys.ssh("new")
    head = office.commit(new, signers(new))
    office.push()
    with pytest.raises(Doubtful, match=rf"gitupd deploy {head[:12]} --force --reason WHY"):
        deploy(office.site, head, who="root", now=now(), on_machine=True)
    deploy(office.site, head, who="root", now=now(), on_machine=True, force=True, reason="Vera lost her laptop")
    assert office.live == head
    (entry, *_) = office.site.audit.entries(1, kind=Kind.DEPLOY)
    assert "Vera lost her laptop; although commit" in entry.detail
    assert "is signed by an unknown key" in entry.detail
    office.commit(new)
    assert office.push() == office.live


def test_what_waits_is_judged_anew_when_others_sign(office: Office) -> None:
    eve = office.keys.ssh("eve")
    base = office.live
    waits = office.commit(eve)
    office.push()
    assert office.refused(waits)
    office.work.git("checkout", "-q", "-B", "main", base)
    office.commit(office.vera, signers(office.vera, eve))
    office.push()
    office.work.commit(office.vera, waits, "-X", "ours", verb=("merge", "--no-ff"))
    assert office.push() == office.live, "what Eve signed before counts now"


def test_whoever_removes_a_key_that_has_signed_what_is_live_is_warned(office: Office) -> None:
    eve = office.keys.ssh("eve")
    office.commit(office.vera, signers(office.vera, eve))
    live = office.push()
    head = office.commit(office.vera, signers(eve))
    _known(office, head)
    _, warnings = deploy(office.site, head, who="ada", now=now())
    (warning,) = warnings
    assert warning.message == f"it no longer lists vera@example.com, who has signed {live[:12]}"
    (entry, *_) = office.site.audit.entries(1, kind=Kind.DEPLOY)
    assert "no longer lists vera@example.com" in entry.detail


def test_where_nobody_could_sign_nothing_is_deployed(office: Office) -> None:
    gone = office.commit(office.vera, {"signers/allowed_signers": b"# nobody\n"})
    office.push()
    with pytest.raises(InvalidConfiguration) as refused:
        deploy(office.site, gone, who="ada", now=now(), on_machine=True, force=True, reason="x")
    assert "no commit could be deployed after this one" in str(refused.value.problems)


def test_openpgp_counts_beside_ssh(office: Office) -> None:
    gnu = office.keys.gpg("gnu")
    office.commit(office.vera, signers(office.vera, gnu))
    office.push()
    office.commit(gnu)
    office.commit(office.vera)
    assert office.push() == office.live


def test_nothing_is_deployed_where_it_can_not_be_told_who_signs(office: Office) -> None:
    head = office.commit(office.vera)
    live = office.live
    config = office.site.path / "config.git"
    run("git", "-C", config, "fetch", "-q", office.work.path, "+HEAD:aside")
    # The deployed commit is lost, and the branch begins with another one of the same files.
    tree = office.work.git("rev-parse", f"{head}^{{tree}}")
    orphan = CommitId(office.work.git("commit-tree", tree, "-m", "x"))
    _known(office, orphan)
    (config / "objects" / live[:2] / live[2:]).unlink()
    told = office.refused(orphan)
    assert told == [f"what is new can't be told, for the deployed commit {live[:12]} is not in the repository"]
    shutil.rmtree(office.site.path / "deployed")
    told = office.refused(orphan)
    assert told[0].startswith("whether commits have to be signed can't be told, for the deployed commit")


def test_thousands_are_looked_at_and_more_are_not(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, parent = [], office.live
    for number in range(1_000):
        origin = f"from {parent}\n" if number == 0 else ""
        stream.append(f"commit refs/heads/many\ncommitter A <a@b> {int(time.time())} +0000\ndata 1\nx\n{origin}\n")
    config = office.site.path / "config.git"
    run("git", "-C", config, "fast-import", "--quiet", given="".join(stream).encode())
    head = CommitId(run("git", "-C", config, "rev-parse", "many").strip())
    assert office.refused(head)[-1] == "995 more commits are not signed as they have to be"
    monkeypatch.setattr(signature, "MOST_BETWEEN", 999)
    assert office.refused(head) == ["it comes with more than 999 commits, whose signatures are not all looked at"]
