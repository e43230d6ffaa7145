"""The key of a site, and encryption with age."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from support.secrets import ANOTHER, Keyholder

from gitupd.core.secrets.sealed import Unopened
from gitupd.errors import SiteError
from gitupd.store.secrets import SecretsKey, encrypt

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def key(tmp_path: Path) -> SecretsKey:
    made = SecretsKey(tmp_path / "secrets.key")
    made.create()
    return made


def test_a_key_is_made_once_and_readable_by_its_owner_only(key: SecretsKey) -> None:
    (recipient,) = key.recipients()
    assert recipient.startswith("age1")
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    with pytest.raises(SiteError, match="is there already"):
        key.create()
    assert key.recipients() == (recipient,)


def test_it_opens_what_is_encrypted_to_it_and_nothing_else(key: SecretsKey) -> None:
    content = encrypt(b"secret\n", [*key.recipients(), ANOTHER])
    assert content.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert key.opener()(content) == b"secret\n"
    with pytest.raises(Unopened, match=r"^it is encrypted to other keys$"):
        key.opener()(Keyholder().seal("x"))
    with pytest.raises(Unopened, match=r"^it is damaged$"):
        key.opener()(content.replace(b"\n", b"\nAAAA", 3))


def test_older_keys_open_what_they_did_until_they_are_forgotten(key: SecretsKey) -> None:
    (old,) = key.recipients()
    content = encrypt(b"x", [old])
    new = key.add()
    assert key.recipients() == (new, old)
    assert key.opener()(content) == b"x"
    with pytest.raises(Unopened):
        key.opening(new)(content)
    assert key.retain([old]) == 0
    assert key.retain([]) == 1
    assert key.recipients() == (new,)
    with pytest.raises(Unopened):
        key.opener()(content)
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (None, 0o600, "this site has no key for secrets; make one by: gitupd secrets init"),
        (b"AGE-SECRET-KEY-1XYZ\n", 0o600, "holds a key that is damaged"),
        (b"# nothing\n", 0o600, "holds no key of age"),
        (b"\xff", 0o600, "can't be read: no text"),
        (b"AGE-SECRET-KEY-1XYZ\n", 0o640, "may be read by others; chmod 600"),
    ],
)
def test_a_key_that_cant_be_used_says_why(tmp_path: Path, content: bytes | None, mode: int, told: str) -> None:
    key = SecretsKey(tmp_path / "secrets.key")
    if content is not None:
        key.path.write_bytes(content)
        key.path.chmod(mode)
    with pytest.raises(SiteError, match=told) as failure:
        key.recipients()
    assert "SECRET-KEY" not in str(failure.value)
    with pytest.raises(Unopened, match=told):
        key.opener()(Keyholder().seal("x"))


def test_nothing_is_encrypted_to_nobody(key: SecretsKey) -> None:
    with pytest.raises(SiteError, match="one of the recipients is none"):
        encrypt(b"x", ["age1x"])
    with pytest.raises(SiteError, match="there is nobody to encrypt it to"):
        encrypt(b"x", [])
    assert key.mark != SecretsKey(key.path.with_name("other")).mark
