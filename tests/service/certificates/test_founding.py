"""How a site gets an authority of its own, and what it does not take for one."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from support.authorities import EXPIRED, NOW, YEAR, Authority, Validity
from support.signing_sites import FOUNDING, PASSPHRASE, SERIAL, VERA, asks, signing_site

from gitupd.core.people.audit import Kind
from gitupd.errors import GitupdError, InvalidEntry, SiteError
from gitupd.service.certificates.founding import TakingOver, found, found_again, random_passphrase, take_over
from gitupd.service.certificates.own_authority import own_authority, own_authority_facts, own_troubles
from gitupd.service.certificates.revoked_lists import list_file, published, renew_lists
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = timedelta(days=1)
CHAIN = Authority.root("Company Root")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site.create(tmp_path / "site")
    yield made
    made.close()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that nobody changes."""
    with signing_site(tmp_path_factory.mktemp("founded") / "site") as made:
        yield made


def again(site: Site, **given: bool) -> None:
    authority = site.authority.current()
    assert authority is not None
    found_again(site, FOUNDING, site.authority.root(authority, PASSPHRASE), VERA, now(), **given)


def modes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): f"{path.stat().st_mode & 0o777:o}" for path in folder.rglob("*")}


def test_nobody_else_may_read_what_is_made(founded: Site) -> None:
    assert modes(founded.path / "authority") == {
        "1": "700",
        **dict.fromkeys(("1/chain.pem", "1/issuing.key", "1/issuing.pem", "1/root.key", "passphrase"), "600"),
    }


def test_keys_are_encrypted_by_passphrases_of_their_own(founded: Site) -> None:
    place = founded.path / "authority"
    for key, passphrase in (("root", PASSPHRASE), ("issuing", (place / "passphrase").read_text().strip())):
        for given, wanted in ((passphrase, 0), ("another", 1)):
            command = ["openssl", "pkey", "-in", place / f"1/{key}.key", "-passin", f"pass:{given}", "-noout"]
            assert subprocess.run(command, capture_output=True, check=False).returncode == wanted
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in (place / f"1/{key}.key").read_bytes()


def test_it_is_trusted_listed_and_told(founded: Site) -> None:
    assert [each.reading.certificate.name for each in founded.trust.read().authorities] == [
        "Example Issuing CA",
        "Example Root CA",
    ]
    assert founded.trust.read().troubles(now()) == ()
    facts = own_authority(founded, now())
    assert facts is not None
    assert (facts.names, facts.issued, facts.troubles) == (("Example Issuing CA", "Example Root CA"), 0, ())
    assert own_authority_facts(facts)["issuing"]["name"] == "Example Issuing CA"
    assert [entry.subject for entry in founded.audit.entries(9, kind=Kind.AUTHORITY_ADD)] == ["Example Issuing CA"]


def test_what_is_wrong_with_it_is_told(founded: Site) -> None:
    assert "expires on" in own_troubles(founded, now() + timedelta(days=3300))[0]
    late = own_troubles(founded, now() + timedelta(days=3651))
    assert "has expired" in late[0]
    assert "is over since" in late[-1]


def test_a_second_one_is_refused(founded: Site) -> None:
    with pytest.raises(SiteError, match="has an authority already"):
        found(founded, FOUNDING, PASSPHRASE, VERA, now())


@pytest.mark.parametrize(
    ("name", "passphrase"), [("", PASSPHRASE), ("x" * 51, PASSPHRASE), ("a\nb", PASSPHRASE), ("Example", "too short")]
)
def test_bad_names_and_passphrases_are_refused_before_anything_is_made(site: Site, name: str, passphrase: str) -> None:
    with pytest.raises(InvalidEntry):
        found(site, replace(FOUNDING, name=name), passphrase, VERA, now())
    assert list((site.path / "authority").iterdir()) == []


def test_passphrases_of_chance_are_long_and_differ() -> None:
    made = {random_passphrase() for _ in range(100)}
    assert len(made) == 100
    assert {len(each.replace("-", "")) for each in made} == {26}


def test_a_passphrase_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    with signing_site(tmp_path / "site") as site:
        (site.path / "authority/passphrase").chmod(0o644)
        again_opened = Site(site.path)
        (trouble,) = own_troubles(again_opened, now())
        again_opened.close()
        assert "can be read by everybody" in trouble


def pem_key(authority: Authority, passphrase: bytes) -> bytes:
    encryption = BestAvailableEncryption(passphrase)
    return authority.issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize("form", ["separate", "together", "root alone"])
def test_an_authority_from_elsewhere_signs(site: Site, form: str) -> None:
    issuing = CHAIN if form == "root alone" else CHAIN.issuing("Company Phones", length=0)
    content = issuing.pem + CHAIN.pem if form == "together" else issuing.pem
    chain = CHAIN.pem if form == "separate" else b""
    authority = take_over(site, TakingOver(content, pem_key(issuing, b"theirs"), "theirs", chain), VERA, now())
    assert authority.names[-1] == "Company Root"
    assert not authority.has_root_key
    key = (site.path / "authority/1/issuing.key").read_bytes()
    assert b"ENCRYPTED" in key
    assert site.authority.issuer(authority).key.private_numbers() == issuing.issued.key.private_numbers()
    with pytest.raises(SiteError, match=r"root\.key is not in"):
        again(site)


@pytest.mark.parametrize(
    ("issuing", "others", "passphrase", "reason"),
    [
        (CHAIN.issuing("Phones"), b"", "theirs", "is missing"),
        (CHAIN.issuing("Phones"), CHAIN.pem, "wrong", "no private key that can be read"),
        (CHAIN.issuing("Phones", valid=EXPIRED), CHAIN.pem, "theirs", "has expired"),
        (Authority(CHAIN.device("Phones")), CHAIN.pem, "theirs", "may not sign"),
        (CHAIN.issuing("Phones"), Authority.root("Company Root").pem, "theirs", "is not signed by"),
        (CHAIN.issuing("Narrow", length=0).issuing("Phones"), CHAIN.pem, "theirs", "is missing"),
    ],
)
def test_what_is_taken_over_by_mistake_is_refused(
    site: Site, issuing: Authority, others: bytes, passphrase: str, reason: str
) -> None:
    with pytest.raises(GitupdError, match=reason):
        take_over(site, TakingOver(issuing.pem, pem_key(issuing, b"theirs"), passphrase, others), VERA, now())
    assert site.authority.current() is None
    assert site.trust.read().authorities == ()


def test_an_authority_that_is_not_allowed_by_the_one_above_is_refused(site: Site) -> None:
    narrow = CHAIN.issuing("Narrow", length=0)
    below = narrow.issuing("Phones")
    with pytest.raises(InvalidEntry, match="Narrow allows no such authority"):
        take_over(site, TakingOver(below.pem, pem_key(below, b"x"), "x", narrow.pem + CHAIN.pem), VERA, now())
    another = Authority.root("Other").issued
    with pytest.raises(InvalidEntry, match="not that of the authority's certificate"):
        take_over(site, TakingOver(CHAIN.pem, another.key_pem), VERA, now())


def test_another_one_below_the_same_root_signs_from_then_on_and_the_first_revokes_still(tmp_path: Path) -> None:
    with signing_site(tmp_path / "site") as site:
        asks(site)
        signing = Signing(site)
        assert signing.approve([SERIAL], VERA, now())[0].is_done
        again(site)
        first, second = site.authority.all()
        assert second.names == ("Example Issuing CA 2", "Example Root CA")
        assert site.authority.current() == second
        signing.revoke([SERIAL], "lost", VERA, now())
        listed = [published(site, each) for each in (first, second)]
        assert [each and each.revoked for each in listed] == [1, 0]
        assert sorted(path.name for path in (site.path / "authority").iterdir()) == ["1", "2", "passphrase"]


def test_what_a_stolen_key_has_signed_identifies_nobody(tmp_path: Path) -> None:
    with signing_site(tmp_path / "site") as site:
        asks(site)
        Signing(site).approve([SERIAL], VERA, now())
        certificate = site.issued.of(SERIAL)[0].certificate
        assert site.trust.read().shown([certificate]).paths
        again(site, is_stolen=True)
        shown = site.trust.read().shown([certificate])
        assert (shown.paths, shown.fault) == ((), "is of an authority that was revoked: Example Issuing CA")
        again(site, is_stolen=True)
        root_list = list_file(replace(site.authority.all()[0], reading=site.authority.all()[0].above[-1]))
        assert len(x509.load_pem_x509_crl((site.trust.path / root_list).read_bytes())) == 2


def test_lists_are_made_anew_in_time_and_when_they_are_gone(tmp_path: Path) -> None:
    with signing_site(tmp_path / "site") as site:
        authority, at = site.authority.current(), now()
        assert authority is not None
        assert renew_lists(site, at + timedelta(hours=23)) == []
        first = published(site, authority)
        assert renew_lists(site, at + timedelta(hours=25)) == [list_file(authority)]
        second = published(site, authority)
        assert first is not None
        assert second is not None
        assert second.number > first.number
        assert second.next_update == second.updated + 7 * DAY
        assert renew_lists(site, at) == [list_file(authority)], "one of the future is from a clock that was wrong"
        (site.trust.path / list_file(authority)).write_text("no list")
        assert published(site, authority) is None
        assert renew_lists(site, at) == [list_file(authority)]
        assert (site.trust.path / list_file(authority)).stat().st_mode & 0o777 == 0o644
        (site.path / "authority/passphrase").unlink()
        other = Site(site.path)
        with pytest.raises(SiteError, match="can't read"):
            renew_lists(other, at + 3 * DAY)
        other.close()


def test_an_old_authority_has_no_more_lists(tmp_path: Path) -> None:
    short = replace(FOUNDING, days=10)
    with signing_site(tmp_path / "site", "enabled: true\nrenew_before: 1d\n", short) as site:
        assert renew_lists(site, now() + 11 * DAY) == []


def test_the_end_of_the_root_is_the_end_of_all(site: Site) -> None:
    root = Authority.root("Ending", valid=Validity(NOW - YEAR, NOW + DAY))
    take_over(site, TakingOver(root.pem, root.issued.key_pem), VERA, now())
    assert "expires on" in own_troubles(site, now())[0]
