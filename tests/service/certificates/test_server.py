"""A site has a certificate of its own where its operator has given none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.authorities import NOW

from gitupd.service.certificates.server import own_certificate
from gitupd.service.creating import create_site
from gitupd.service.site import Site
from gitupd.store.certificates.server import read_server_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    created, _ = create_site(tmp_path / "site", who="test", now=NOW)
    yield created
    created.close()


def test_it_is_made_once(site: Site) -> None:
    made = own_certificate(site, NOW)
    assert made == read_server_certificate(site.path / "tls" / "server.pem").fingerprint
    assert own_certificate(site, NOW) is None


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
def test_what_is_there_is_left_alone(site: Site, name: str) -> None:
    (site.path / "tls").mkdir()
    (site.path / "tls" / name).write_text("the operator's")
    assert own_certificate(site, NOW) is None
    assert [path.name for path in (site.path / "tls").iterdir()] == [name]


def test_files_that_the_settings_name_are_not_made(site: Site) -> None:
    (site.path / "gitupd.toml").write_text('[tls]\ncertificate = "a.pem"\nkey = "a.key"\n')
    again = Site(site.path)
    assert own_certificate(again, NOW) is None
    assert not (site.path / "a.pem").exists()
    again.close()
