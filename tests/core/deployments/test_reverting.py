"""Whether a file still has what was rolled back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.deployments.reverting import RolledBack

_OLD = "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("before", "after", "now", "gone", "there"),
    [
        (_OLD, "one\nbad\nthree\n", "one\nbad\nthree\n", False, True),
        (_OLD, "one\nbad\nthree\n", _OLD, True, False),
        (_OLD, "one\nbad\nthree\n", "one\nbad\nthree\nmore\n", False, True),
        (_OLD, "one\nbad\nthree\n", "one\nbetter\nthree\n", True, False),  # mended forward
        (_OLD, "one\nbad\nthree\n", None, True, False),
        (_OLD, "one\ntwo\nthree\nbad\n", "zero\none\ntwo\nthree\n", True, False),
        (_OLD, "one\nthree\n", "one\nthree\nmore\n", False, True),  # what was removed is still away
        (_OLD, "one\nthree\n", "two\none\nthree\nmore\n", True, False),
        (_OLD, "one\nbad\nthree\nworse\n", "one\ntwo\nthree\nworse\n", False, True),  # half of it
        (_OLD, "three\ntwo\none\n", "three\ntwo\none\n", False, True),  # another order
        (_OLD, "three\ntwo\none\n", _OLD, True, False),
        (_OLD, "three\ntwo\none\n", "two\none\nthree\n", False, False),
        (_OLD, "\n one\ntwo  \n\nthree\n", _OLD, True, True),  # nothing that says anything
        (None, "bad\n", None, True, False),
        (None, "bad\n", "bad\n", False, True),
        (None, "bad\n", "good\n", True, False),
        (_OLD, None, None, False, True),
        (_OLD, None, _OLD, True, False),
        (_OLD, None, "one\n", False, False),
        ("x\n" * 6_000, "y\n" * 6_000, "x\n" * 6_000, True, False),
        ("x\n" * 6_000, "y\n" * 6_000, "z\n", False, False),
    ],
)
def test_it_follows_from_the_lines(
    before: str | None, after: str | None, now: str | None, *, gone: bool, there: bool
) -> None:
    file = RolledBack(before, after)
    assert (file.is_gone(now), file.is_there(now)) == (gone, there)


def test_the_lines_that_were_added_are_told() -> None:
    assert RolledBack(_OLD, "one\nbad\n\n worse\n").added == {"bad", "worse"}
    assert RolledBack(_OLD, "one\n").added == frozenset()


_TEXTS = st.none() | st.lists(st.sampled_from("abcd"), max_size=6).map("\n".join)


@given(_TEXTS, _TEXTS)
def test_what_was_before_has_nothing_of_it_and_what_was_after_all(before: str | None, after: str | None) -> None:
    file = RolledBack(before, after)
    assert file.is_gone(before)
    assert file.is_there(after)


@given(_TEXTS, _TEXTS, _TEXTS)
def test_nothing_is_both_gone_and_there_unless_nothing_was_changed(
    before: str | None, after: str | None, now: str | None
) -> None:
    file = RolledBack(before, after)
    if file.is_gone(now) and file.is_there(now):
        assert RolledBack(before, after).added == frozenset()
        assert file.is_gone(after)
