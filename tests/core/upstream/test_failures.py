"""What git says when it fails, put into words that tell how it is mended."""

from __future__ import annotations

import pytest

from gitupd.core.upstream.failures import in_words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("fatal: Authentication failed for 'https://host/'", "put a new one into token_file"),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "known_hosts_file"),
        ("error: index-pack died of signal 25\nfatal: fetch-pack: invalid index-pack output", "more than largest"),
        ("fatal: pack has bad object at offset 12: inflate returned -3", "damaged or cut off"),
        ("fatal: the remote end hung up unexpectedly", "broke off"),
    ],
)
def test_a_cause_with_its_cure_and_the_words_of_git(said: str, words: str) -> None:
    told = in_words(said)
    assert words in told
    assert told.endswith(f"(git: {' '.join(said.split())})")


def test_what_nobody_knows_is_told_as_it_is() -> None:
    assert in_words("fatal: the moon is full") == "fatal: the moon is full"
    assert in_words(" \n") == "git does not say why"


def test_secrets_and_control_characters_are_left_out_and_the_end_of_it_is_kept() -> None:
    assert in_words("remote: \x1b[31mtoken s3cret\x07 is bad", ("s3cret", "")) == "remote: [31mtoken *** is bad"
    told = in_words("x" * 5000 + " the end")
    assert len(told) == 300
    assert told.startswith("…")
    assert told.endswith("the end")
