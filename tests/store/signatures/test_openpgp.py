"""Signatures of OpenPGP by keys with subkeys, in forms that Git does not make, and damaged in any way."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.signed_commits import Key, Keyring, keyring, run

from gitupd.core.deployments.signature import Discounted, Flaw, SignedBy
from gitupd.store.signatures.openpgp import OpenPgpKeys, UnreadableKey, openpgp_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nx\n"
NOW = datetime(2026, 5, 6, tzinfo=UTC)
MADE, YEAR = "20230101T000000", 365 * 86400


@pytest.fixture(scope="module")
def keys() -> Iterator[Keyring]:
    with keyring() as made:
        yield made


def gpg(key: Key, *arguments: str, at: str = "20230601T000000", given: bytes = b"") -> str:
    options = ("--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "")
    env = {"GNUPGHOME": str(key.home)}
    return run("gpg", *options, "--faked-system-time", at, *arguments, env=env, given=given)


def signed(key: Key, *options: str, at: str = "20230601T000000") -> bytes:
    return gpg(key, *options, "--armor", "--detach-sign", at=at, given=CONTENT).encode()


def flaw(keys: OpenPgpKeys, signature: bytes, content: bytes = CONTENT) -> Flaw | None:
    verdict = keys.judge(signature, content, NOW)
    return verdict.flaw if isinstance(verdict, Discounted) else None


def public(key: Key, *options: str) -> bytes:
    return gpg(key, "--armor", *options, "--export").encode()


def with_subkey(keys: Keyring, name: str, good_for: str = "never") -> Key:
    """A key that certifies, and has a subkey that signs."""
    if name not in keys.made:
        home = keys.folder / name
        home.mkdir(mode=0o700)
        key = keys.made[name] = Key(name, b"", home=home)
        gpg(key, "--quick-gen-key", f"{name} <{name}@example.com>", "ed25519", "cert", "never", at=MADE)
        (number,) = re.findall(r"^fpr:*([0-9A-F]{40}):", gpg(key, "--list-keys", "--with-colons"), re.MULTILINE)
        gpg(key, "--quick-add-key", number, "ed25519", "sign", good_for, at=MADE)
    return keys.made[name]


def test_a_subkey_signs_in_the_name_of_its_key(keys: Keyring) -> None:
    key = with_subkey(keys, "sub")
    found = OpenPgpKeys([public(key)])
    assert found.judge(signed(key), CONTENT, NOW) == SignedBy("sub <sub@example.com>", _subkey(key))
    assert flaw(found, signed(key), CONTENT + b"more") is Flaw.OTHER_CONTENT
    assert flaw(OpenPgpKeys([]), signed(key)) is Flaw.UNKNOWN_KEY


def _subkey(key: Key) -> str:
    return re.findall(r"^fpr:*([0-9A-F]{40}):", gpg(key, "--list-keys", "--with-colons"), re.MULTILINE)[1]


def test_a_subkey_expires_and_is_revoked_by_itself(keys: Keyring) -> None:
    key = with_subkey(keys, "short", "1y")
    early, before = signed(key), public(key)
    gpg(key, "--quick-set-expire", _primary(key), "5y", _subkey(key), at="20240601T000000")
    late = signed(key, at="20240701T000000")
    assert flaw(OpenPgpKeys([before]), early) is None
    assert flaw(OpenPgpKeys([before]), late) is Flaw.EXPIRED
    assert flaw(OpenPgpKeys([public(key)]), late) is None
    assert flaw(OpenPgpKeys([before, public(key)]), late) is None, "what two files say of a key is put together"
    commands = "key 1\nrevkey\ny\n0\n\ny\nsave\n"
    gpg(key, "--command-fd", "0", "--edit-key", _primary(key), given=commands.encode(), at="20240801T000000")
    assert flaw(OpenPgpKeys([public(key)]), early) is Flaw.REVOKED
    assert flaw(OpenPgpKeys([before, public(key)]), early) is Flaw.REVOKED


def _primary(key: Key) -> str:
    return re.findall(r"^fpr:*([0-9A-F]{40}):", gpg(key, "--list-keys", "--with-colons"), re.MULTILINE)[0]


def test_a_key_that_was_made_later_or_signs_in_the_future_does_not_count(keys: Keyring) -> None:
    key = keys.gpg("plain", made=MADE)
    found = OpenPgpKeys([key.public])
    assert flaw(found, signed(key, "--ignore-time-conflict", at="20220101T000000")) is Flaw.NOT_YET_VALID
    assert flaw(found, signed(key, at="20270101T000000")) is Flaw.FUTURE


def test_a_signature_of_a_text_or_of_several_is_none_of_a_commit(keys: Keyring) -> None:
    key = keys.gpg("plain", made=MADE)
    found, one = OpenPgpKeys([key.public]), signed(key)
    assert flaw(found, one) is None
    assert flaw(found, signed(key, "--textmode")) is Flaw.OTHER_CONTENT
    assert flaw(found, one + one) is Flaw.DAMAGED
    assert flaw(found, b"Good!\n" + one) is Flaw.DAMAGED
    assert flaw(found, one.replace(b"PGP SIGNATURE", b"PGP MESSAGE")) is Flaw.DAMAGED


def test_weak_hashes_do_not_count(keys: Keyring) -> None:
    key = keys.gpg("rsa", "rsa2048", made=MADE)
    found = OpenPgpKeys([key.public])
    assert flaw(found, signed(key)) is None
    for weak in ("SHA1", "RIPEMD160"):
        assert flaw(found, signed(key, "--digest-algo", weak, "--allow-weak-digest-algos")) is Flaw.WEAK


def test_keys_are_told_as_they_are(keys: Keyring) -> None:
    key = keys.gpg("plain", made=MADE)
    (found,) = openpgp_keys(key.public)
    assert (found.name, found.made) == ("plain <plain@example.com>", datetime(2023, 1, 1, tzinfo=UTC))
    assert (found.expires, found.revoked) == (None, False)
    secret = gpg(key, "--armor", "--export-secret-keys").encode()
    for content in (b"", b"x", key.public[:300], secret):
        with pytest.raises(UnreadableKey):
            openpgp_keys(content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_changed_in_a_signature_other_content_is_not_taken(keys: Keyring, data: st.DataObject) -> None:
    key = keys.gpg("plain", made=MADE)
    found, signature = OpenPgpKeys([key.public]), bytearray(_once(keys, key))
    at = data.draw(st.integers(0, len(signature) - 1))
    signature[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
    # What does not belong to what is signed may be changed by anybody, such as a checksum, and the width of lines.
    assert isinstance(found.judge(bytes(signature), CONTENT, NOW), Discounted | SignedBy)
    assert isinstance(found.judge(bytes(signature), CONTENT + b"more", NOW), Discounted)
    assert OpenPgpKeys([bytes(signature)]).judge(_once(keys, key), CONTENT, NOW) == Discounted(
        Flaw.UNKNOWN_KEY, "", _primary_of(key)
    )


def _once(keys: Keyring, key: Key) -> bytes:
    made = keys.folder / "signature"
    if not made.exists():
        made.write_bytes(signed(key))
    return made.read_bytes()


_NUMBERS: dict[str, str] = {}


def _primary_of(key: Key) -> str:
    if key.name not in _NUMBERS:
        _NUMBERS[key.name] = _primary(key)
    return _NUMBERS[key.name]
