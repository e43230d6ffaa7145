"""Statements hold for SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.completing import offers
from support.fleets import device

from gitupd.core.admission.admittance import Admittance
from gitupd.core.caller import Serial
from gitupd.core.snapshot import CommitId
from gitupd.service.clock import now
from gitupd.store.glances import values
from gitupd.store.glances.database import glance
from gitupd.store.inventory import Inventory
from gitupd.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.store.database import Database
    from gitupd.store.glances.database import Glance

COMMIT = CommitId("c" * 40)
OLDER = CommitId("b" * 40)
BROKEN = CommitId("a" * 40)


@pytest.fixture
def seen(database: Database, database_url: str) -> Iterator[Glance]:
    """A database with a value for each question."""
    usual = [device(number, COMMIT, now()) for number in range(4)]
    odd = replace(usual[1], serial=Serial("0090330000aa"), given_name="100%_Ä! sure", address="10.9.9.9")
    out = replace(usual[1], serial=Serial("0090330000bb"), given_name="Stranger", admission=Admittance.REFUSED)
    Inventory(database).save_sightings([*usual, odd, out])
    at = now()
    rows = {
        "users": [{"name": "ada", "role": "operator", "password_hash": "x", "created": at, "disabled": False}],
        "saved_searches": [
            {"owner": owner, "key": name.lower(), "name": name, "text": text, "columns": "", "sort": ""}
            | {"descending": False, "at": at, "who": "ada"}
            for owner, name, text in (("", "Berlin, missing", "env:berlin missing"), ("ada", "Berlin of hers", ""))
        ],
        "tokens": [{"key_hash": "k", "user": "ada", "title": "board", "role": "viewer", "created": at}],
        "codes": [
            {"key_hash": "1", "title": "office", "who": "ada", "created": at, "expires": at, "used": None},
            {"key_hash": "2", "title": "used", "who": "ada", "created": at, "expires": at, "used": at},
        ],
        "deployments": [
            {"commit": commit, "at": at, "who": "ada", "kind": "deploy", "after": after, "reason": ""}
            for after, commit in enumerate((BROKEN, OLDER, COMMIT))
        ],
        "blocked_commits": [{"commit": BROKEN, "at": at, "who": "ada", "reason": ""}],
        "backup_heads": [
            {"serial": serial, "fingerprint": "x", "length": 1, "received": at, "seen": at}
            for serial in ("009033000001", "0090330000ff")
        ],
        "backup_versions": [
            {"serial": "009033000001", "received": at, "commit": commit, "blob": "x", "fingerprint": "x"}
            | {"length": 1, "lines": 7, "added": 0, "removed": 0, "facts": {}}
            for commit in (OLDER, COMMIT)
        ],
    }
    with database.connection() as connection:
        for table, each in rows.items():
            connection.execute(metadata.tables[table].insert(), each)
    with glance(database_url) as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of a site, whose database the environment names."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "gitupd.toml").write_text("")
    return folder


@pytest.mark.usefixtures("seen")
def test_a_shell_is_offered_what_is_there(site: Path, database_url: str) -> None:
    named = {"GITUPD_DATABASE": database_url}
    assert offers("users", "passwd", "", where=site, **named) == {"ada": "operator"}
    assert offers("device", "Desk", where=site, **named).keys() == {"Desk 1", "Desk 3"}
    assert offers("rollback", "", where=site, **named) == {"b" * 12: "", "a" * 12: ""}
    assert [path.name for path in site.iterdir()] == ["gitupd.toml"]


@pytest.mark.usefixtures("seen")
def test_a_shell_does_not_wait_for_somebody_who_holds_the_tables(
    site: Path, database: Database, database_url: str
) -> None:
    """With SQLite nobody who writes keeps others from reading; with PostgreSQL one may."""
    is_sqlite = database.dialect == "sqlite"
    held = "UPDATE users SET role = 'viewer'" if is_sqlite else "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"
    with database.connection() as connection:
        connection.exec_driver_sql(held)
        offered = offers("users", "passwd", "", where=site, GITUPD_DATABASE=database_url)
    assert offered == ({"ada": "operator"} if is_sqlite else {})


def test_devices(seen: Glance) -> None:
    assert values.serials(seen, "009033000001") == [("009033000001", "Desk 1 IP232")]
    assert [serial[-2:] for serial, _ in values.serials(seen, "")] == ["00", "01", "02", "03", "aa", "bb"]
    assert values.names(seen, "desk") == [("Desk 1", "009033000001"), ("Desk 3", "009033000003")]
    assert values.names(seen, "Str") == []
    assert [name for name, _ in values.names(seen, "")] == ["100%_Ä! sure", "Desk 1", "Desk 3"]
    assert [name for name, _ in values.names(seen, "100%_Ä!")] == ["100%_Ä! sure"]
    assert values.names(seen, "1_0") == []
    assert values.addresses(seen, "10.9") == [("10.9.9.9", "100%_Ä! sure")]


def test_values_of_devices(seen: Glance) -> None:
    assert values.own_values(seen, "model", "ip2") == [("IP222", ""), ("IP232", "")]
    assert values.own_values(seen, "phase", "") == [("staging", ""), ("update", "")]
    assert values.listed_values(seen, "environments", "ho") == [("homeoffice", "")]
    assert values.listed_values(seen, "classes", "no such") == []


def test_commits(seen: Glance) -> None:
    assert list(values.live_commit(seen)) == [("c" * 12, "deployed: ")]
    assert values.deployed(seen) == [("b" * 12, ""), ("a" * 12, "")]
    assert values.blocked(seen) == [("a" * 12, "")]
    assert values.refused(seen) == []


def test_versions(seen: Glance) -> None:
    assert values.kept_serials(seen, "00") == [("009033000001", "Desk 1 IP232"), ("0090330000ff", "")]
    found = values.versions(seen, "009033000001", "")
    assert [commit for commit, _ in found] == ["c" * 12, "b" * 12]
    assert found[0][1].endswith(" UTC, 7 lines")
    assert [commit for commit, _ in values.versions(seen, "009033000001", "bb")] == ["b" * 12]
    assert values.versions(seen, "009033000002", "") == []


def test_searches_that_are_for_everybody(seen: Glance) -> None:
    assert values.shared_searches(seen, "ber") == [("Berlin, missing", "env:berlin missing")]
    assert values.shared_searches(seen, "%") == []


def test_people_and_what_they_made(seen: Glance) -> None:
    assert values.people(seen, "A") == [("ada", "operator")]
    assert values.people(seen, "%") == []
    assert values.tokens(seen, "") == [("1", "ada: board")]
    assert values.open_codes(seen, "") == [("1", "office")]
    assert values.certificate_numbers(seen, "") == []
