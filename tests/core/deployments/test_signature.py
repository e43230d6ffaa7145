"""What the signature of a commit is worth, and how that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.deployments.commit import CommitInfo
from gitupd.core.deployments.signature import (
    Discounted,
    Flaw,
    NotSigned,
    SignatureVerdict,
    SignedBy,
    SshCertificate,
    SshClaim,
    entitled,
    mark,
    refusals,
    sentence,
)
from gitupd.core.deployments.signers import AllowedSigner, CommitSigners, fingerprint
from gitupd.core.snapshot import CommitId

AT = datetime(2026, 5, 6, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = fingerprint(b"key")
LINE = AllowedSigner(3, "vera@example.com,v", b"key")
AUTHORITY = AllowedSigner(4, "*@example.com", b"authority", authority=True)
CLAIM = SshClaim(b"key", "git")
CERTIFICATE = SshCertificate(b"authority", ("root", "ada@example.com"), AT - DAY, AT + DAY)
CERTIFIED = SshClaim(b"key", "git", CERTIFICATE)


def judged(claim: SshClaim, *lines: AllowedSigner, revoked: bytes = b"") -> SignatureVerdict:
    return entitled(claim, AT, CommitSigners(lines, revoked=frozenset([revoked])))


def flaw(claim: SshClaim, *lines: AllowedSigner, revoked: bytes = b"") -> Flaw:
    verdict = judged(claim, *lines, revoked=revoked)
    assert isinstance(verdict, Discounted)
    assert verdict.key == KEY
    return verdict.flaw


def test_a_key_that_is_listed_counts() -> None:
    assert judged(CLAIM, AUTHORITY, LINE) == SignedBy("vera@example.com", KEY)
    assert judged(CLAIM, replace(LINE, namespaces="file,git", after=AT, before=AT)) == SignedBy("vera@example.com", KEY)


def test_of_several_lines_about_a_key_one_that_lets_it_sign_is_enough() -> None:
    assert isinstance(judged(CLAIM, replace(LINE, before=AT - DAY), LINE), SignedBy)
    assert flaw(CLAIM, replace(LINE, before=AT - DAY), replace(LINE, after=AT + DAY)) is Flaw.EXPIRED


def test_a_key_counts_only_for_what_and_when_it_is_listed() -> None:
    assert flaw(CLAIM) is Flaw.UNKNOWN_KEY
    assert flaw(CLAIM, replace(LINE, key=b"other")) is Flaw.UNKNOWN_KEY
    assert flaw(CLAIM, replace(LINE, authority=True)) is Flaw.UNKNOWN_KEY
    assert flaw(CLAIM, replace(LINE, namespaces="file")) is Flaw.NO_SIGNER
    assert flaw(CLAIM, replace(LINE, before=AT - DAY)) is Flaw.EXPIRED
    assert flaw(CLAIM, replace(LINE, after=AT + DAY)) is Flaw.NOT_YET_VALID
    assert flaw(CLAIM, LINE, revoked=b"key") is Flaw.REVOKED
    assert flaw(replace(CLAIM, namespace="file"), LINE) is Flaw.NAMESPACE


def test_a_certificate_counts_by_its_authority() -> None:
    assert judged(CERTIFIED, LINE, AUTHORITY) == SignedBy("ada@example.com", KEY)
    always = replace(CERTIFIED, certificate=replace(CERTIFICATE, after=None, before=None))
    assert isinstance(judged(always, AUTHORITY), SignedBy)
    assert flaw(CERTIFIED, LINE) is Flaw.UNKNOWN_KEY
    assert flaw(CERTIFIED, replace(AUTHORITY, authority=False)) is Flaw.UNKNOWN_KEY
    assert flaw(CERTIFIED, replace(AUTHORITY, key=b"other")) is Flaw.UNKNOWN_KEY
    assert flaw(CERTIFIED, replace(AUTHORITY, principals="eve")) is Flaw.NO_SIGNER
    assert flaw(CERTIFIED, replace(AUTHORITY, before=AT - DAY)) is Flaw.EXPIRED
    for other, expected in (("before", Flaw.EXPIRED), ("after", Flaw.NOT_YET_VALID)):
        moved = replace(CERTIFICATE, **{other: AT - DAY if other == "before" else AT + DAY})
        assert flaw(replace(CERTIFIED, certificate=moved), AUTHORITY) is expected
    assert flaw(CERTIFIED, AUTHORITY, revoked=b"authority") is Flaw.REVOKED
    assert flaw(CERTIFIED, AUTHORITY, revoked=b"key") is Flaw.REVOKED


@pytest.mark.parametrize(
    ("verdict", "said", "short"),
    [
        (NotSigned(), "is not signed", "not signed"),
        (SignedBy("Vera", "k"), "is signed by Vera", "signed"),
        (Discounted(Flaw.UNKNOWN_KEY, "", "k"), "is signed by an unknown key, k", "unknown key"),
        (Discounted(Flaw.DAMAGED), "has a damaged signature", "bad signature"),
        (
            Discounted(Flaw.EXPIRED, "since May", "k"),
            "is signed by a key that had expired at its time (since May), k",
            "bad signature",
        ),
    ],
)
def test_words(verdict: SignatureVerdict, said: str, short: str) -> None:
    assert sentence(verdict) == said
    assert mark(verdict) == short


def commits(number: int) -> list[CommitInfo]:
    return [CommitInfo(CommitId(f"{at:040x}"), "Ada", AT, f"change {at}") for at in range(number, 0, -1)]


def test_of_commits_that_are_not_signed_the_oldest_are_told() -> None:
    for number, told in ((0, 0), (1, 1), (6, 6), (7, 6)):
        found = list(refusals([(commit, NotSigned()) for commit in commits(number)]))
        assert len(found) == told
    assert found[0] == (f"commit {0:012x} 'change 1' is not signed", CommitId(f"{1:040x}"))
    assert found[-1] == ("2 more commits are not signed as they have to be", CommitId(f"{7:040x}"))
    assert list(refusals([(commit, SignedBy("Vera", "k")) for commit in commits(3)])) == []


def test_a_long_subject_is_cut() -> None:
    (commit,) = commits(1)
    ((text, _),) = refusals([(replace(commit, subject="x" * 1_000), NotSigned())])
    assert len(text) < 120
    assert "…" in text
