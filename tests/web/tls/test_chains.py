"""What stands above a certificate is remembered in memory that processes share, whatever they do to it meanwhile."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.web.tls.chains import SLOT_BYTES, SLOTS, SharedChains


def test_what_is_remembered_is_given_back() -> None:
    chains = SharedChains()
    chains.remember(b"a", [b"one", b"two"])
    chains.remember(b"b", [b"three"])
    assert (chains.above(b"a"), chains.above(b"b"), chains.above(b"c")) == ((b"one", b"two"), (b"three",), ())
    chains.remember(b"a", [b"four"])
    assert chains.above(b"a") == (b"four",)


def test_a_process_is_told_what_another_one_remembers() -> None:
    chains = SharedChains()
    if not (child := os.fork()):
        chains.remember(b"a", [b"one"])
        os._exit(0)
    os.waitpid(child, 0)
    assert chains.above(b"a") == (b"one",)


@pytest.mark.parametrize("chain", [[], [b"x" * SLOT_BYTES], [b"x" * 5000, b"y" * 5000]])
def test_what_is_nothing_or_too_large_is_not_remembered(chain: list[bytes]) -> None:
    chains = SharedChains()
    chains.remember(b"a", chain)
    assert chains.above(b"a") == ()


@given(st.integers(0, SLOTS * SLOT_BYTES - 1), st.binary(min_size=1, max_size=100))
def test_what_is_half_written_is_not_there(place: int, written: bytes) -> None:
    chains = SharedChains()
    chains.remember(b"a", [b"one" * 100, b"two" * 100])
    written = written[: SLOTS * SLOT_BYTES - place]
    chains._memory[place : place + len(written)] = written
    assert chains.above(b"a") in ((), (b"one" * 100, b"two" * 100))


def test_more_issuers_than_there_is_room_for_push_others_out() -> None:
    chains = SharedChains()
    for number in range(3 * SLOTS):
        chains.remember(b"%d" % number, [b"chain %d" % number])
        assert chains.above(b"%d" % number) == (b"chain %d" % number,)
