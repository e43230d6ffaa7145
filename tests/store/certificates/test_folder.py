from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.authorities import NOW, Authority

from gitupd.core.people.audit import Event, Kind
from gitupd.errors import GitupdError
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.store.certificates.folder import TrustFolder

EVENT = Event(datetime(2024, 5, 6, 12, tzinfo=UTC), "vera", Kind.TRUST_ADD)
GONE = Event(EVENT.at, "vera", Kind.TRUST_REMOVE)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site.create(tmp_path / "site")) as made:
        yield made


@pytest.fixture
def folder(site: Site) -> TrustFolder:
    return site.trust


def names(folder: TrustFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_an_authority_is_added_and_removed_and_the_audit_says_so(site: Site, folder: TrustFolder) -> None:
    root = Authority.root("Our Root, No. 1")
    before = folder.state()
    assert folder.add(root.pem, EVENT) == ("our-root-no-1.pem",)
    assert folder.state() != before
    assert [each.reading.der for each in folder.read().authorities] == [root.der]
    assert folder.add(root.der, EVENT) == ()
    assert folder.remove("Our Root, No. 1", GONE) == "our-root-no-1.pem"
    assert names(folder) == []
    entries = [(entry.kind, entry.subject, entry.detail.split(",")[0]) for entry in site.audit.entries(9)]
    assert entries == [
        (Kind.TRUST_REMOVE, "Our Root, No. 1", "trust/our-root-no-1.pem"),
        (Kind.TRUST_ADD, "Our Root, No. 1", "trust/our-root-no-1.pem"),
    ]


def test_two_of_the_same_name_have_two_files(folder: TrustFolder) -> None:
    first, second = Authority.root("Twin"), Authority.root("Twin")
    digits = second.issued.certificate.fingerprint(second.issued.certificate.signature_hash_algorithm).hex()
    assert folder.add(first.pem + second.pem, EVENT) == ("twin.pem", f"twin-{digits[:8]}.pem")
    with pytest.raises(GitupdError, match=r"'Twin' names several; name one of the files: twin-.*, twin.pem"):
        folder.remove("Twin", GONE)
    assert folder.remove(digits[:12].upper(), GONE) == f"twin-{digits[:8]}.pem"
    assert folder.remove("twin", GONE) == "twin.pem"


def test_of_a_file_with_several_none_is_removed_alone(folder: TrustFolder) -> None:
    (folder.path / "bundle.pem").write_bytes(Authority.root("One").pem + Authority.root("Two").pem)
    with pytest.raises(GitupdError, match="holds 2 of them"):
        folder.remove("One", GONE)
    assert folder.remove("bundle.pem", GONE) == "bundle.pem"


@pytest.mark.parametrize("name", ["", "x", "../gitupd.toml", "abcdefgh", ".new-1-x"])
def test_what_names_nothing_removes_nothing(folder: TrustFolder, name: str) -> None:
    folder.add(Authority.root("One").pem, EVENT)
    with pytest.raises(GitupdError, match=r"names none; name one of the files: one\.pem"):
        folder.remove(name, GONE)
    assert names(folder) == ["one.pem"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is neither a certificate nor a list of revoked certificates, in PEM or DER"),
        (b"junk", "is neither a certificate nor"),
        (b"-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----", "has a damaged block of PEM"),
        (Authority.root().device("IP222-30-00-af").pem, "IP222-30-00-af may not sign others; add the certificate of"),
        (Authority.root("Unknown").crl(), "no authority of this site has signed the list of CN=Unknown"),
    ],
)
def test_nothing_but_authorities_and_their_lists_is_taken(folder: TrustFolder, content: bytes, why: str) -> None:
    good = Authority.root("Good").pem
    for whole in (content, good + content if content.startswith(b"-----") else content):
        with pytest.raises(GitupdError, match=why):
            folder.add(whole, EVENT)
    assert names(folder) == []


def test_a_list_takes_the_place_of_an_older_one(site: Site, folder: TrustFolder) -> None:
    root = Authority.root("Root")
    older, gone = root.crl(), root.revoke(root.device("IP222-30-00-af"))
    newer = root.crl(updated=NOW)
    (name,) = folder.add(root.pem + older, EVENT)[1:]
    assert folder.add(newer, EVENT) == (name,)
    store = folder.read()
    assert [each.list.numbers for each in store.lists] == [frozenset({gone.certificate.serial_number})]
    with pytest.raises(GitupdError, match="is older than the one that is there"):
        folder.add(older, EVENT)
    assert site.audit.entries(1)[0].detail.startswith(f"trust/{name}, a list of 1 revoked certificates")


def test_what_was_left_by_somebody_who_was_killed_is_settled_by_the_audit(site: Site, folder: TrustFolder) -> None:
    root = Authority.root("Root")
    folder.add(root.pem, EVENT)
    removed = site.audit.entries(1)[0].id
    (folder.path / f".new-{removed}-entered.pem").write_bytes(Authority.root("Entered").pem)
    (folder.path / ".new-99-never.pem").write_bytes(Authority.root("Never").pem)
    (folder.path / ".gone-99-still.pem").write_bytes(Authority.root("Still").pem)
    assert len(folder.read().authorities) == 1
    folder.settle()
    assert names(folder) == ["entered.pem", "root.pem", "still.pem"]


def test_a_folder_that_is_not_there_is_made(site: Site, folder: TrustFolder) -> None:
    folder.path.rmdir()
    assert folder.read().authorities == ()
    folder.add(Authority.root("Root").pem, EVENT)
    assert names(folder) == ["root.pem"]
    assert len(site.audit.entries(9)) == 1


def test_an_old_list_that_lies_there_does_not_forbid_a_new_one(folder: TrustFolder) -> None:
    root = Authority.root("Root")
    folder.add(root.pem + root.crl(updated=NOW - timedelta(days=9)), EVENT)
    assert folder.add(root.crl(), EVENT)
