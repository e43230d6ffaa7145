"""Who may sign, and whom patterns stand for."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pace import slowness

from gitupd.core.deployments.signers import AllowedSigner, CommitSigners, fingerprint, first_listed, listed

VERA = AllowedSigner(1, "vera@example.com,v*", b"vera")


@pytest.mark.parametrize(
    ("name", "patterns", "fits"),
    [
        ("git", "git", True),
        ("git", "file", False),
        ("git", "file,g?t", True),
        ("git", "*", True),
        ("git", "g*t*", True),
        ("gi", "g?t", False),
        ("git", "*,!git", False),
        ("git", "!git,*", False),
        ("git", "!file,*", True),
        ("git", "!file", False),
        ("a.b", "a?b", True),
        ("a[b]", "a[b]", True),
        ("", "", True),
        ("x", "", False),
        ("ada@example.com", "*@example.com", True),
        ("ada@example.com.evil", "*@example.com", False),
    ],
)
def test_patterns_are_those_of_openssh(name: str, patterns: str, fits: bool) -> None:  # noqa: FBT001 - a column
    assert listed(name, patterns) is fits


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_a_pattern_fits_what_a_star_and_a_question_mark_stand_for(pattern: str, name: str) -> None:
    def slow(pattern: str, name: str) -> bool:
        if not pattern:
            return not name
        if pattern[0] == "*":
            return any(slow(pattern[1:], name[at:]) for at in range(len(name) + 1))
        return bool(name) and pattern[0] in ("?", name[0]) and slow(pattern[1:], name[1:])

    assert listed(name, pattern) is slow(pattern, name)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    began = time.process_time()
    assert not listed("a" * 5_000, "*a" * 200 + "b")
    assert time.process_time() - began < 5 * slowness()


def test_the_first_name_that_is_meant_counts() -> None:
    assert first_listed(["root", "ada", "adam"], "ada*") == "ada"
    assert first_listed(["root"], "ada*") is None
    assert first_listed([], "*") is None
    assert VERA.name == "vera@example.com"


def test_nobody_signs_where_all_keys_are_revoked() -> None:
    assert CommitSigners().is_empty
    assert not CommitSigners((VERA,)).is_empty
    assert CommitSigners((VERA,), revoked=frozenset([b"vera"])).is_empty
    assert not CommitSigners(certificates=(("signers/a.asc", b"x"),)).is_empty


def test_a_digest_is_another_one_for_other_signers() -> None:
    key = AllowedSigner(1, "vera@example.com,v*", b"other")
    different = [
        CommitSigners(),
        CommitSigners((VERA,)),
        CommitSigners((key,)),
        CommitSigners((VERA, key)),
        CommitSigners((VERA,), revoked=frozenset([b"x"])),
        CommitSigners(certificates=(("a", b"vera"),)),
        CommitSigners(certificates=(("a", b"other"),)),
    ]
    assert len({each.digest for each in different}) == len(different)
    assert CommitSigners((VERA,)).digest == CommitSigners((AllowedSigner(1, VERA.principals, b"vera"),)).digest


def test_a_fingerprint_is_that_of_openssh() -> None:
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
