"""Addresses of repositories of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.errors import SiteError
from gitupd.settings import FILE_NAME, read_settings
from gitupd.store.git.remote import Remote, parse_remote

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("address", ["/mnt/b.git", "ssh://git@host:22/b.git", "git@host:b.git", "https://host/a@b.git"])
def test_an_address_without_secrets_stays_as_it_is(address: str) -> None:
    assert parse_remote(address) == Remote(address)
    assert (parse_remote(address).options, parse_remote(address).secrets) == ((), {})


def test_name_and_password_go_another_way_than_the_address() -> None:
    remote = parse_remote("https://keeper:a%3Ab@host:8443/b.git")
    assert remote == Remote("https://host:8443/b.git", "https://host:8443", "keeper", "a:b")
    assert "a:b" not in f"{remote} {remote.options}"
    assert sorted(remote.secrets.values()) == ["a:b", "keeper"]
    assert parse_remote("https://TOKEN@host/b.git") == Remote("https://host/b.git", "https://host", "TOKEN", "")


def test_a_password_for_ssh_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('backup_mirror = "ssh://git:secret@host/b.git"\n')
    with pytest.raises(SiteError, match="backup_mirror: SSH takes no password from an address") as error:
        read_settings(tmp_path, {})
    assert "secret" not in str(error.value)
