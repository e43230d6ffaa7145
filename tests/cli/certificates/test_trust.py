"""``gitupd trust``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.authorities import EXPIRED, FACTORY, Authority

from gitupd.cli.main import cli
from gitupd.errors import GitupdError
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    Site.create(tmp_path / "site").close()
    return tmp_path / "site"


def trust(site: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["trust", *map(str, arguments), "--site", str(site)])


def test_authorities_come_and_go(site: Path, tmp_path: Path) -> None:
    root, vendor = Authority.root("Root"), Authority.root(FACTORY)
    for name, authority in (("root.pem", root), ("vendor.cer", vendor)):
        (tmp_path / name).write_bytes(authority.der if name.endswith("cer") else authority.pem)
    added = trust(site, "add", tmp_path / "root.pem", tmp_path / "vendor.cer")
    assert added.output.split() == ["trust/root.pem", "trust/innovaphone-device-certification-authority.pem"]
    listed = trust(site, "list").output
    assert f"{FACTORY} (the vendor's)" in listed
    facts = json.loads(trust(site, "list", "--json").output)
    assert [(each["name"], each["vendor"], each["fault"]) for each in facts["authorities"]] == [
        (FACTORY, True, None),
        ("Root", False, None),
    ]
    assert trust(site, "remove", "Root").output == "trust/root.pem is removed\n"
    assert "all of it is trusted already" in trust(site, "add", tmp_path / "vendor.cer").stderr


def test_what_expires_is_warned_of(site: Path, tmp_path: Path) -> None:
    (tmp_path / "old.pem").write_bytes(Authority.root("Old", valid=EXPIRED).pem)
    trust(site, "add", tmp_path / "old.pem")
    listed = trust(site, "list")
    assert "so it identifies no device any more" in listed.stderr
    assert json.loads(trust(site, "list", "--json").stdout)["authorities"][0]["fault"].startswith("has expired")


@pytest.mark.parametrize("content", [b"", b"junk", b"\0" * 100_000])
def test_what_is_no_authority_is_refused_by_name(site: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    refused = trust(site, "add", tmp_path / "file")
    assert isinstance(refused.exception, GitupdError)
    assert str(refused.exception).startswith(f"{tmp_path / 'file'}: what was given is neither")
    missing = trust(site, "add", tmp_path / "missing")
    assert "can't read" in str(missing.exception)
