"""Keys with which commits are signed, as they are once they are read, and in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.signed_commits import Keyring, keyring, revoked, run

from gitupd.errors import has_errors
from gitupd.resources import template_files
from gitupd.service.deployments.examining import examined

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 5, 6, tzinfo=UTC)
MADE = "20230101T000000"


@pytest.fixture(scope="module")
def keys() -> Iterator[Keyring]:
    with keyring() as made:
        yield made


def told(files: dict[str, bytes]) -> list[str]:
    found = examined({**template_files(), **files}, NOW)[1]
    assert has_errors(found) == any("warning" not in str(each) for each in found)
    return [str(each) for each in found]


def test_keys_that_expired_are_told(keys: Keyring) -> None:
    old = keys.gpg("old", made=MADE, good_for="1y").public
    line = f'v valid-before="20260101Z" {keys.ssh("v").line}\nw valid-before="20270101Z" {keys.ssh("v").line}\n'
    ssh, openpgp = told({"signers/old.asc": old, "signers/allowed_signers": line.encode()})
    assert ssh == "signers/allowed_signers:1: warning: the key of v expired on 2026-01-01; remove it, or give it longer"
    assert openpgp.startswith("signers/old.asc: warning: the key of old <old@example.com> expired on 2024-01-01; ")


def test_one_that_is_revoked_is_told(keys: Keyring, tmp_path: Path) -> None:
    good, gone = keys.gpg("good", made=MADE), keys.gpg("gone", made=MADE)
    assert told({"signers/a.asc": good.public}) == []
    assert told({"signers/a.asc": good.public + revoked(gone, tmp_path)}) == [
        "signers/a.asc: warning: the key of gone <gone@example.com> is revoked, and never counts; remove it"
    ]


def test_what_is_no_public_key_is_an_error(keys: Keyring) -> None:
    good = keys.gpg("good", made=MADE)
    cut = good.public.replace(b"\n-----END", b"A\n-----END")
    secret = run("gpg", "--batch", "--export-secret-keys", "--armor", env={"GNUPGHOME": str(good.home)}).encode()
    disguised = secret.replace(b"PRIVATE", b"PUBLIC")
    for content in (cut[:200] + cut[240:], b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", disguised):
        (problem,) = told({"signers/a.asc": content})
        assert problem.startswith("signers/a.asc: no OpenPGP public key: it is ")
