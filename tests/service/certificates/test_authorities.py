from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from support.authorities import EXPIRED, FACTORY, FUTURE, NOW, Authority, Validity

from gitupd.core.people.audit import Event, Kind
from gitupd.service.certificates.authorities import trust_facts, trusted
from gitupd.service.clock import now
from gitupd.service.creating import import_site
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime.now(UTC)
ADDED = Event(AT, "vera", Kind.TRUST_ADD)
FORCED = """<?xml version="1.0"?>
<config><master info=""/>
<times forcehttps="true" forcetrust="true"/><customcerts dir="certs" CAname="Our CA"/></config>
"""


def test_what_is_wrong_with_authorities_and_lists_is_told(tmp_path: Path) -> None:
    soon = Validity(NOW - timedelta(days=1), NOW + timedelta(days=9))
    with closing(Site.create(tmp_path / "site")) as site:
        for authority in (
            Authority.root(FACTORY),
            Authority.root("Old", valid=EXPIRED),
            Authority.root("New", valid=FUTURE),
            Authority.root("Soon", valid=soon),
        ):
            site.trust.add(authority.pem, ADDED)
        root = Authority.root("Root")
        site.trust.add(root.pem + root.crl(next_update=NOW - timedelta(hours=1)), ADDED)
        (site.trust.path / "stranger.crl").write_bytes(Authority.root("Stranger").crl())
        what = trusted(site.trust.read(), AT)
    faults = {each.name: each.fault and each.fault.split(" on ")[0].split(" before ")[0] for each in what.authorities}
    assert faults == {FACTORY: None, "Old": "has expired", "New": "is not valid", "Soon": None, "Root": None}
    assert [each.name for each in what.authorities if each.is_vendors] == [FACTORY]
    assert [each.name for each in what.authorities if each.expires_soon and not each.fault] == ["Soon"]
    assert {each.name: each.fault for each in what.lists} == {
        "CN=Root": "should have been replaced by a newer one",
        "CN=Stranger": "is signed by no authority of this site",
    }
    told = "\n".join(what.troubles)
    for text in (
        "soon.pem: the authority Soon expires on",
        "old.pem: the authority Old has expired",
        "stranger.crl: no",
    ):
        assert text in told
    facts = trust_facts(what)
    assert {len(facts["authorities"]), len(facts["revocation_lists"]), len(facts["troubles"])} == {5, 2, 4}


def test_an_import_trusts_the_authorities_of_the_installation(tmp_path: Path) -> None:
    ours, device = Authority.root("Our CA"), Authority.root("Else").device("IP222-30-00-af")
    old = tmp_path / "php"
    for name, content in {
        "config/user-config.xml": FORCED.encode(),
        "scripts/update-all-all.txt": b"config add A /b c\n",
        "certs/CAkey-01.pem": ours.pem,
        "certs/CAkey-02.pem": device.pem,
        "certs/CAkey-03.pem": b"no certificate",
    }.items():
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_bytes(content)
    site, _, report = import_site(old, tmp_path / "site", who="vera", now=now())
    with closing(site):
        assert [each.name for each in trusted(site.trust.read(), AT).authorities] == ["Our CA"]
        assert [entry.subject for entry in site.audit.entries(9) if entry.kind == Kind.TRUST_ADD] == ["Our CA"]
    told = "\n".join(map(str, report))
    assert "gitupd trust add FILE" in told
    assert "no address of this site speaks TLS to devices" in told
