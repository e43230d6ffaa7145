"""Who gets in, who has to wait, and what is written down about it."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, select
from support.hashing import hashed_as_usual

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role, User
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.creating import create_demo_site, create_site
from gitupd.service.deployments.deploying import deploy, rollback, unblock
from gitupd.service.people import passwords
from gitupd.service.people.access import Access, LoggedIn, add_first_administrator, session_key
from gitupd.service.people.login import Refused, Slowed
from gitupd.service.site import Site
from gitupd.store.tables import login_failures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
GOOD = "correct horse battery"
ROOT = Actor("root@host", Role.ADMINISTRATOR, None)
HOME, AWAY = "10.0.0.1", "10.9.9.9"

# A hash that takes no time, for tests in which the password itself plays no part.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site.create(tmp_path / "site", {})
    yield made
    made.close()


@pytest.fixture
def access(site: Site) -> Access:
    for name, role in (("ada", Role.ADMINISTRATOR), ("bob", Role.VIEWER)):
        site.people.add(User(name, role, NOON), QUICK, Event(NOON, "root@host", Kind.USER_ADD, name))
    return Access(site)


def enter(access: Access, name: str = "ada", address: str = HOME, seconds: float = 0) -> str:
    """Return the key of a new session."""
    outcome = access.log_in(name, GOOD, address, at(seconds))
    assert isinstance(outcome, LoggedIn), outcome
    return outcome.key


def fail(access: Access, times: int, name: str = "ada", address: str = HOME, seconds: float = 0) -> None:
    for _ in range(times):
        assert access.log_in(name, "wrong", address, at(seconds)) == Refused()


def copy_failure(site: Site, times: int) -> None:
    """Let the one failure there is have happened so often, each time from another address."""
    with site.database.connection() as connection:
        row = connection.execute(select(login_failures.c.at, login_failures.c.user)).one()
        rows = [{"at": row.at, "user": row.user, "address": f"10.1.1.{number}"} for number in range(times)]
        connection.execute(insert(login_failures), rows)


def audited(site: Site, kind: Kind) -> list[tuple[str, str, str, str | None]]:
    return [(each.who, each.subject, each.detail, each.address) for each in site.audit.entries(100, kind=kind)]


# Log-in


def test_a_log_in_opens_a_session_of_its_own(access: Access, site: Site) -> None:
    first, second = enter(access), enter(access, " ADA ")
    assert first != second
    assert min(len(first), len(second)) >= 43  # 256 bits
    person = access.by_session(first, NOON)
    assert person == User("ada", Role.ADMINISTRATOR, NOON)
    assert access.by_session(first + "x", NOON) is None
    access.log_out(Actor("ada", Role.ADMINISTRATOR, HOME), first, NOON)
    assert access.by_session(first, NOON) is None
    assert access.by_session(second, NOON) == person
    assert audited(site, Kind.LOGIN) == [("ada", "ada", "", HOME)] * 2
    assert audited(site, Kind.LOGOUT) == [("ada", "ada", "", HOME)]


def test_neither_keys_nor_passwords_are_stored(access: Access, site: Site) -> None:
    session = enter(access)
    _, token = access.add_token(ROOT, "ada", "test", NOON)
    access.set_password(ROOT, "bob", "another password", NOON)
    access.log_in("another password", "x", HOME, NOON)  # in the wrong field
    site.close()
    stored = b"".join(path.read_bytes() for path in site.path.rglob("*") if path.is_file())
    for secret in (session, token, token.removeprefix("gitupd_"), GOOD, "another password"):
        assert secret.encode() not in stored


def test_a_session_ends_after_its_hours(tmp_path: Path) -> None:
    Site.create(tmp_path / "site", {}).close()
    site = Site(tmp_path / "site", {"GITUPD_SESSION_HOURS": "2"})
    site.people.add(User("ada", Role.VIEWER, NOON), QUICK, Event(NOON, "x", Kind.USER_ADD))
    access = Access(site)
    key = enter(access)
    assert access.by_session(key, at(7199)) is not None
    assert access.by_session(key, at(7200)) is None
    site.close()


def test_use_is_noted_once_a_minute(access: Access, site: Site) -> None:
    key = enter(access)
    _, token = access.add_token(ROOT, "ada", "test", NOON)

    def used(seconds: float) -> tuple[object, object]:
        access.by_session(key, at(seconds))
        access.by_token(token, None, at(seconds))
        found = site.people.session(passwords.key_hash(key), at(-1))
        return found and found[1], site.people.tokens("ada")[0].used

    assert [used(seconds) for seconds in (1, 59, 60, 61, 120)] == [
        (at(0), at(1)),
        (at(0), at(1)),
        (at(60), at(1)),
        (at(60), at(61)),
        (at(120), at(61)),
    ]


@pytest.mark.parametrize("name", ["nobody", "", "no name at all", "\0", "x" * 10_000, "../ada", "ada\udcff"])
@pytest.mark.parametrize("password", ["", GOOD, "\udcff\0", "x" * 100_000])
def test_nobody_gets_in(access: Access, site: Site, name: str, password: str) -> None:
    assert access.log_in(name, password, HOME, NOON) == Refused()
    assert audited(site, Kind.LOGIN_REFUSED) == [("nobody", "", "wrong name or password", HOME)]


def test_who_is_refused_is_not_told_why_but_the_audit_is(access: Access, site: Site) -> None:
    access.set_disabled(ROOT, "bob", NOON, disabled=True)
    assert access.log_in("bob", GOOD, HOME, NOON) == access.log_in("bob", "wrong", HOME, NOON) == Refused()
    assert access.log_in("ada", GOOD + "x" * 1100, HOME, NOON) == Refused()
    assert audited(site, Kind.LOGIN_REFUSED) == [
        ("ada", "ada", "wrong name or password", HOME),
        ("bob", "bob", "wrong name or password", HOME),
        ("bob", "bob", "right password, but disabled", HOME),
    ]


@pytest.mark.slow
def test_an_unknown_name_takes_as_long_as_a_known_one(site: Site) -> None:
    """Both need one hash; a look-up without a hash would take a hundredth of it."""
    access = Access(site)

    def seconds(name: str, number: int) -> float:
        started = time.process_time()
        assert access.log_in(name, "wrong password", f"10.1.0.{number}", at(number * 1000)) == Refused()
        return time.process_time() - started

    with hashed_as_usual():
        access.add(ROOT, "ada", Role.VIEWER, GOOD, NOON)
        tries = [(seconds("ada", number), seconds("eve", number), seconds("no name", number)) for number in range(5)]
    known, unknown, senseless = (median(each) for each in zip(*tries, strict=True))
    assert 0.3 < unknown / known < 3
    assert 0.3 < senseless / known < 3


def test_an_outdated_hash_is_made_anew(access: Access, site: Site) -> None:
    assert passwords.is_outdated(QUICK)
    key = enter(access)
    found = site.people.credentials("ada")
    assert found is not None
    assert not passwords.is_outdated(found[1])
    assert access.by_session(key, NOON) is not None
    enter(access)
    again = site.people.credentials("ada")
    assert again == found


def test_accents_may_be_typed_either_way() -> None:
    assert passwords.matches("Zoe\u0308 has a password", passwords.hashed("Zo\u00eb has a password"))


# Guessing


def test_the_sixth_guess_has_to_wait_and_is_not_looked_at(access: Access, site: Site) -> None:
    fail(access, 5)
    assert access.log_in("ada", GOOD, HOME, at(10)) == Slowed(timedelta(seconds=20))
    enter(access, seconds=30)
    assert audited(site, Kind.LOGIN_REFUSED)[0] == (
        "ada",
        "ada",
        "after too many failures; the password was not looked at",
        HOME,
    )


def test_each_further_failure_doubles_the_pause(access: Access) -> None:
    fail(access, 5)
    for seconds, pause in ((30, 60), (90, 120), (210, 240)):
        fail(access, 1, seconds=seconds)
        assert access.log_in("ada", GOOD, HOME, at(seconds)) == Slowed(timedelta(seconds=pause))


def test_tries_that_are_refused_for_the_pause_do_not_prolong_it(access: Access, site: Site) -> None:
    fail(access, 5)
    for seconds in range(29):
        assert isinstance(access.log_in("ada", "wrong", HOME, at(seconds)), Slowed)
    enter(access, seconds=30)
    slowed = [each for each in audited(site, Kind.LOGIN_REFUSED) if "too many" in each[2]]
    assert len(slowed) == 1  # one a minute, so that the audit can't be flooded


def test_a_right_password_clears_the_failures_of_the_pair_only(access: Access) -> None:
    fail(access, 4)
    fail(access, 4, name="bob")
    enter(access)
    fail(access, 4)
    fail(access, 1, name="bob")
    assert isinstance(access.log_in("bob", GOOD, HOME, NOON), Slowed)
    enter(access)


def test_who_is_attacked_from_elsewhere_gets_in(access: Access) -> None:
    fail(access, 5, address=AWAY)
    assert isinstance(access.log_in("ada", GOOD, AWAY, NOON), Slowed)
    enter(access)


@pytest.mark.slow
def test_one_address_can_not_try_many_names(access: Access) -> None:
    for number in range(20):
        fail(access, 1, name=f"name{number}", address=AWAY)
    assert access.log_in("ada", GOOD, AWAY, NOON) == Slowed(timedelta(seconds=30))
    enter(access)


def test_a_network_of_ipv6_is_one_address(access: Access) -> None:
    for number in range(5):
        fail(access, 1, address=f"2001:db8::{number}")
    assert isinstance(access.log_in("ada", GOOD, "2001:db8::ffff", NOON), Slowed)
    enter(access, address="2001:db8:0:1::1")


def test_many_addresses_can_not_guess_one_name_nor_lock_it_out(access: Access, site: Site) -> None:
    enter(access, address=HOME, seconds=-86400)
    fail(access, 1, address="10.1.0.1")
    copy_failure(site, 48)
    fail(access, 1, address="10.2.0.2")
    assert access.log_in("ada", GOOD, "10.2.0.1", NOON) == Slowed(timedelta(seconds=30))
    enter(access, address=HOME)
    enter(access, name="bob", address="10.2.0.1")


def test_a_place_of_long_ago_is_no_longer_familiar(access: Access, site: Site) -> None:
    enter(access, address=HOME, seconds=-31 * 86400)
    fail(access, 1, address="10.1.0.1")
    copy_failure(site, 49)
    assert isinstance(access.log_in("ada", GOOD, HOME, NOON), Slowed)


def test_however_many_guesses_come_at_once_five_are_looked_at(access: Access) -> None:
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _: access.log_in("ada", "wrong", HOME, NOON), range(40)))
    assert sum(outcome == Refused() for outcome in outcomes) <= 5
    assert all(isinstance(outcome, Refused | Slowed) for outcome in outcomes)


# Passwords


def test_a_changed_password_ends_all_other_sessions(access: Access, site: Site) -> None:
    key, other = enter(access), enter(access, "bob")
    actor = Actor("ada", Role.ADMINISTRATOR, HOME)
    outcome = access.change_own_password(actor, GOOD, "a new password", NOON)
    assert isinstance(outcome, LoggedIn)
    assert access.by_session(key, NOON) is None
    assert access.by_session(outcome.key, NOON) is not None
    assert access.by_session(other, NOON) is not None
    assert access.log_in("ada", GOOD, HOME, NOON) == Refused()
    assert audited(site, Kind.PASSWORD) == [("ada", "ada", "", HOME)]


def test_a_stolen_session_can_not_guess_the_password(access: Access) -> None:
    actor = Actor("ada", Role.ADMINISTRATOR, HOME)
    key = enter(access)
    for _ in range(5):
        assert access.change_own_password(actor, "wrong", "a new password", NOON) == Refused()
    assert isinstance(access.change_own_password(actor, GOOD, "a new password", NOON), Slowed)
    assert access.by_session(key, NOON) is not None


def test_a_short_password_is_refused_before_anything_is_done(access: Access, site: Site) -> None:
    key = enter(access)
    before = site.people.credentials("ada")
    with pytest.raises(InvalidEntry, match="10 to 1024"):
        access.change_own_password(Actor("ada", Role.ADMINISTRATOR, HOME), GOOD, "short", NOON)
    with pytest.raises(InvalidEntry, match="10 to 1024"):
        access.set_password(ROOT, "ada", "short", NOON)
    with pytest.raises(InvalidEntry, match="10 to 1024"):
        access.add(ROOT, "eve", Role.VIEWER, "short", NOON)
    assert site.people.credentials("ada") == before
    assert access.by_session(key, NOON) is not None
    assert site.people.user("eve") is None


def test_generated_passwords_can_be_chosen() -> None:
    made = {passwords.generated_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) == 23 and each.isascii() for each in made)


# People and tokens


def test_everything_that_is_done_with_people_is_recorded(access: Access, site: Site) -> None:
    access.add(ROOT, "Eve", Role.VIEWER, GOOD, NOON)
    access.set_role(ROOT, "EVE", Role.OPERATOR, NOON)
    access.set_disabled(ROOT, "eve", NOON, disabled=True)
    access.set_disabled(ROOT, "eve", NOON, disabled=False)
    access.set_password(ROOT, "eve", GOOD + "!", NOON)
    token, _ = access.add_token(ROOT, "eve", "export", NOON, role=Role.AUDITOR, days=30)
    access.revoke(ROOT, token.id, NOON)
    access.remove(ROOT, "eve", NOON)
    found = [(each.kind, each.subject, each.detail) for each in site.audit.entries(8)]
    assert found == [
        ("user-remove", "eve", "was operator"),
        ("token-revoke", "eve", "'export' as auditor"),
        ("token-add", "eve", "'export' as auditor, until 2024-06-05"),
        ("password", "eve", ""),
        ("user-change", "eve", "enabled"),
        ("user-change", "eve", "disabled"),
        ("user-change", "eve", "operator instead of viewer"),
        ("user-add", "eve", "as viewer"),
    ]
    assert {(each.who, each.address) for each in site.audit.entries(8)} == {("root@host", None)}


def test_a_token_may_do_what_both_roles_allow(access: Access, site: Site) -> None:
    _, low = access.add_token(ROOT, "ada", "low", NOON, role=Role.AUDITOR)
    _, high = access.add_token(ROOT, "ada", "high", NOON)
    assert access.by_token(low, HOME, NOON) == Actor("ada", Role.AUDITOR, HOME)
    assert access.by_token(high, None, NOON) == Actor("ada", Role.ADMINISTRATOR, None)
    access.set_role(ROOT, "bob", Role.ADMINISTRATOR, NOON)
    access.set_role(ROOT, "ada", Role.VIEWER, NOON)
    assert access.by_token(low, HOME, NOON) == access.by_token(high, HOME, NOON) == Actor("ada", Role.VIEWER, HOME)
    assert {each.role for each in site.people.tokens("ada")} == {Role.AUDITOR, Role.ADMINISTRATOR}


def test_a_token_above_its_person_is_refused(access: Access) -> None:
    with pytest.raises(InvalidEntry, match="bob is only viewer, and can have no token as operator"):
        access.add_token(ROOT, "bob", "test", NOON, role=Role.OPERATOR)


def test_tokens_that_open_nothing(access: Access) -> None:
    token, key = access.add_token(ROOT, "ada", "test", NOON, days=1)
    assert access.by_token(key, None, at(86399)) is not None
    wrong = [key[:-1], key + "x", key.upper(), key.removeprefix("gitupd_"), "", "gitupd_", "gitupd_\udcff", " " + key]
    assert [access.by_token(each, None, NOON) for each in wrong] == [None] * len(wrong)
    assert access.by_token(key, None, at(86400)) is None
    with pytest.raises(SiteError, match="there is no token"):
        access.revoke(ROOT, token.id, NOON, owner="bob")
    access.revoke(ROOT, token.id, NOON, owner="ada")
    assert access.by_token(key, None, NOON) is None
    with pytest.raises(SiteError, match="there is no token"):
        access.revoke(ROOT, token.id, NOON)


# The key that signs cookies


def test_the_session_key_is_made_once_and_kept_to_the_owner(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(session_key, [tmp_path] * 64))
    assert len(keys) == 1
    assert len(keys.pop()) >= 32
    assert [path.name for path in tmp_path.iterdir()] == ["session.key"]
    assert stat.S_IMODE((tmp_path / "session.key").stat().st_mode) == 0o600
    assert session_key(tmp_path) == (tmp_path / "session.key").read_bytes()


def test_a_session_key_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "session.key").write_bytes(b"short")
    with pytest.raises(SiteError, match="is damaged; remove it, and a new one is made"):
        session_key(tmp_path)
    (tmp_path / "session.key").unlink()
    (tmp_path / "session.key").mkdir()
    with pytest.raises(SiteError, match=r"can't use .*session\.key: Is a directory"):
        session_key(tmp_path)


# New sites


def test_a_new_site_has_its_administrator(tmp_path: Path) -> None:
    site, _ = create_site(tmp_path / "site", who="ada", now=NOON, password=GOOD)
    assert isinstance(Access(site).log_in("admin", GOOD, HOME, NOON), LoggedIn)
    assert site.people.users() == [User("admin", Role.ADMINISTRATOR, NOON)]
    with pytest.raises(SiteError):
        add_first_administrator(site, GOOD, who="ada", now=NOON)
    site.close()


def test_the_demonstration_has_a_short_password(tmp_path: Path) -> None:
    site = create_demo_site(tmp_path / "site", who="demo", now=NOON)
    assert isinstance(Access(site).log_in("admin", "demo", "127.0.0.1", NOON), LoggedIn)
    site.close()


# Deployments in the audit


def test_deployments_are_recorded(sample: Sample) -> None:
    second = sample.commit({"snippets/all-all-all.txt": "config write\n"})
    bob = partial(dict, who="bob", now=NOON)
    deploy(sample.site, "main", address=HOME, **bob())
    rollback(sample.site, sample.first, address=HOME, reason="phones ring", **bob())
    assert unblock(sample.site, second, address=AWAY, **bob()) == second
    with pytest.raises(SiteError, match="is not blocked"):
        unblock(sample.site, second, **bob())
    found = [(each.who, each.address, each.kind, each.subject, each.detail) for each in sample.site.audit.entries(9)]
    assert found == [
        ("bob", AWAY, "unblock", second, ""),
        ("bob", HOME, "rollback", sample.first, f"instead of {second[:12]}: phones ring"),
        ("bob", HOME, "deploy", second, f"instead of {sample.first[:12]}"),
        ("ada", None, "deploy", sample.first, "the first one"),
    ]


def test_a_refused_deployment_is_not_recorded(sample: Sample) -> None:
    before = sample.site.audit.entries(9)
    with pytest.raises(SiteError, match="deployed already"):
        deploy(sample.site, "main", who="bob", now=NOON)
    assert sample.site.audit.entries(9) == before


_GROWTH = """
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from gitupd.service.people.passwords import hashed
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
before = peak()
list(ThreadPoolExecutor(8).map(hashed, ["x" * 10] * 16))
print(peak() - before)
"""


@pytest.mark.slow
def test_at_most_two_hashes_are_made_at_once() -> None:
    """Each takes 64 MiB; with 8 threads at it, the process grows by no more than two of them."""
    done = subprocess.run([sys.executable, "-c", _GROWTH], capture_output=True, text=True, check=True)
    assert 60 < int(done.stdout) < 180
