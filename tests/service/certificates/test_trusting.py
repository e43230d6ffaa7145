from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority

from gitupd.core.people.audit import Event, Kind
from gitupd.service.certificates.trusting import Trusting
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENT = Event(datetime(2024, 5, 6, 12, tzinfo=UTC), "vera", Kind.TRUST_ADD)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site.create(tmp_path / "site")) as made:
        yield made


def test_what_was_shown_once_is_known_until_the_authorities_change(site: Site) -> None:
    trusting, root = Trusting(site.trust), Authority.root("Root")
    shown = root.device("IP222-30-00-af")
    trusting.follow()
    unknown = trusting.shown(shown.presented)
    assert unknown is not None
    assert unknown.paths == ()
    site.trust.add(root.pem, EVENT)
    trusting.follow()
    known = trusting.shown(shown.presented)
    assert known is not None
    assert known.paths
    trusting.follow()
    assert trusting.shown(tuple(shown.presented)) is known
    root.revoke(shown)
    site.trust.add(root.crl(), EVENT)
    trusting.follow()
    revoked = trusting.shown(shown.presented)
    assert revoked is not None
    assert (revoked.paths, revoked.fault) == ((), "was revoked")


def test_chains_that_join_to_the_same_bytes_are_not_the_same(site: Site) -> None:
    root = Authority.root("Root")
    site.trust.add(root.pem, EVENT)
    trusting = Trusting(site.trust)
    trusting.follow()
    shown = root.device("IP222-30-00-af")
    joined = trusting.shown((shown.der + root.der,))
    apart = trusting.shown((shown.der, root.der))
    assert joined is not None
    assert apart is not None
    assert (joined.certificate, bool(apart.paths)) == (None, True)


def test_nothing_shown_is_nothing(site: Site) -> None:
    assert Trusting(site.trust).shown(()) is None


def test_a_folder_that_can_t_be_read_leaves_the_authorities_as_they_were(site: Site) -> None:
    root = Authority.root("Root")
    site.trust.add(root.pem, EVENT)
    trusting = Trusting(site.trust)
    trusting.start()
    trusting.stop()
    aside = site.trust.path.rename(site.path / "aside")
    site.trust.path.write_text("no folder")
    trusting._following.once()
    assert trusting.trouble is not None
    assert "can't read" in trusting.trouble
    assert len(trusting.store.authorities) == 1
    assert aside.exists()
