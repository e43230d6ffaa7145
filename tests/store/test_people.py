"""People, sessions, tokens, failures and the audit, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.guessing import WINDOW, Failures, Guesses
from gitupd.core.people.person import Role, Token, User
from gitupd.errors import SiteError
from gitupd.store.audit import Audit
from gitupd.store.people import LoginFailures, People
from gitupd.store.tables import users

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.store.database import Database


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
HOURS = timedelta(hours=12)
EVENT = Event(NOON, "root@host", Kind.USER_CHANGE, "x")


@pytest.fixture
def people(database: Database) -> People:
    return People(database)


def add(people: People, *names: str, role: Role = Role.ADMINISTRATOR) -> None:
    for name in names:
        people.add(User(name, role, NOON), f"hash of {name}", EVENT)


def open_session(people: People, key: str, name: str, now: datetime = NOON) -> bool:
    event = Event(now, name, Kind.LOGIN, name)
    return people.open_session(key, name, f"hash of {name}", now=now, event=event, lifetime=HOURS)


def recorded(database: Database) -> int:
    return len(Audit(database).entries(1000))


# People


def test_people(people: People, database: Database) -> None:
    add(people, "bob", "ada")
    assert people.users() == [User("ada", Role.ADMINISTRATOR, NOON), User("bob", Role.ADMINISTRATOR, NOON)]
    assert people.credentials("ada") == (User("ada", Role.ADMINISTRATOR, NOON), "hash of ada")
    assert (people.user("eve"), people.credentials("eve")) == (None, None)
    with pytest.raises(SiteError, match="somebody called ada already"):
        add(people, "ada", role=Role.VIEWER)
    people.change("bob", EVENT, role=Role.VIEWER)
    people.change("bob", EVENT, disabled=True)
    assert people.user("bob") == User("bob", Role.VIEWER, NOON, disabled=True)
    people.remove("bob", EVENT)
    assert [each.name for each in people.users()] == ["ada"]
    assert recorded(database) == 5


def test_what_somebody_prefers_is_kept_for_them(people: People, database: Database) -> None:
    add(people, "bob", "ada")
    people.set_language("ada", "de")
    people.keep_device_columns("ada", "name,seen")
    people.keep_device_columns("eve", "name")
    ada = User("ada", Role.ADMINISTRATOR, NOON, language="de", device_columns="name,seen")
    assert people.users() == [ada, User("bob", Role.ADMINISTRATOR, NOON)]
    open_session(people, "k", "ada")
    assert people.session("k", NOON - HOURS) == (ada, NOON)
    people.keep_device_columns("ada", None)
    assert people.user("ada").device_columns is None
    assert recorded(database) == 3, "two people, one session"


def test_what_is_done_to_nobody_is_refused_and_not_recorded(people: People, database: Database) -> None:
    deeds: tuple[Callable[[], object], ...] = (
        lambda: people.change("eve", EVENT, role=Role.VIEWER),
        lambda: people.remove("eve", EVENT),
        lambda: people.set_password("eve", "x", EVENT),
        lambda: people.add_token(token("eve"), "k", EVENT),
    )
    for deed in deeds:
        with pytest.raises(SiteError, match="there is nobody called eve"):
            deed()
    assert recorded(database) == 0


def test_the_last_administrator_stays(people: People, database: Database) -> None:
    add(people, "ada", "bob")
    add(people, "eve", role=Role.VIEWER)
    people.change("bob", EVENT, disabled=True)  # bob no longer counts
    before = recorded(database)
    deeds: tuple[Callable[[], object], ...] = (
        lambda: people.change("ada", EVENT, role=Role.OPERATOR),
        lambda: people.change("ada", EVENT, disabled=True),
        lambda: people.remove("ada", EVENT),
    )
    for deed in deeds:
        with pytest.raises(SiteError, match="ada is the last administrator who can log in; make another one first"):
            deed()
    assert people.user("ada") == User("ada", Role.ADMINISTRATOR, NOON)
    assert recorded(database) == before
    people.change("ada", EVENT, role=Role.ADMINISTRATOR)
    people.remove("eve", EVENT)
    people.remove("bob", EVENT)


@pytest.mark.parametrize(
    "deed",
    [
        lambda people: people.change("bob", EVENT, role=Role.VIEWER),
        lambda people: people.change("bob", EVENT, disabled=True),
        lambda people: people.remove("bob", EVENT),
    ],
    ids=["role", "disabled", "removed"],
)
def test_two_administrators_can_not_remove_each_other_at_once(
    database: Database, deed: Callable[[People], None]
) -> None:
    people = People(database)
    add(people, "ada", "bob")
    with ThreadPoolExecutor(1) as pool:
        with database.connection() as connection:
            connection.execute(update(users).where(users.c.name == "ada").values(role=Role.VIEWER))
            other = pool.submit(deed, people)
            # It must wait for what is not decided yet: as things stand, ada is an administrator still.
            assert wait([other], timeout=0.5).not_done
        with pytest.raises(SiteError, match="bob is the last administrator"):
            other.result(30)
    assert people.user("bob") == User("bob", Role.ADMINISTRATOR, NOON)


def test_a_password_is_hashed_anew_only_if_it_is_still_the_same(people: People) -> None:
    add(people, "ada")
    people.rehash("ada", "another", "wrong")
    people.rehash("ada", "hash of ada", "new")
    assert people.credentials("ada") == (User("ada", Role.ADMINISTRATOR, NOON), "new")


# Sessions


def test_a_session_is_found_until_it_ends(people: People, database: Database) -> None:
    add(people, "ada", "bob")
    assert open_session(people, "k1", "ada")
    assert open_session(people, "k2", "ada", LATER)
    ada = User("ada", Role.ADMINISTRATOR, NOON)
    assert people.session("k1", NOON - HOURS) == (ada, NOON)
    assert people.session("k3", NOON - HOURS) is None
    assert people.session("k1", NOON) is None  # opened then, and not after
    people.session_used("k1", LATER)
    assert people.session("k1", NOON - HOURS) == (ada, LATER)
    before = recorded(database)
    people.close_session("k1", EVENT)
    people.close_session("k1", EVENT)
    assert recorded(database) == before + 1
    assert people.session("k1", NOON - HOURS) is None
    assert people.session("k2", NOON - HOURS) == (ada, LATER)


def test_old_sessions_are_dropped_at_a_log_in(people: People) -> None:
    add(people, "ada")
    open_session(people, "k1", "ada", NOON)
    open_session(people, "k2", "ada", NOON + timedelta(minutes=1))
    open_session(people, "k3", "ada", NOON + HOURS)
    ever = NOON - timedelta(days=1)
    assert [people.session(key, ever) is not None for key in ("k1", "k2", "k3")] == [False, True, True]


@pytest.mark.parametrize(
    "deed",
    [
        lambda people: people.set_password("ada", "new", EVENT),
        lambda people: people.change("ada", EVENT, disabled=True),
        lambda people: people.remove("ada", EVENT),
    ],
    ids=["password", "disabled", "removed"],
)
def test_what_ends_all_sessions_of_somebody(people: People, deed: Callable[[People], None]) -> None:
    add(people, "ada", "bob")
    for key, name in (("k1", "ada"), ("k2", "ada"), ("k3", "bob")):
        assert open_session(people, key, name)
    deed(people)
    found = [people.session(key, NOON - HOURS) is not None for key in ("k1", "k2", "k3")]
    assert found == [False, False, True]
    # Whoever was found to have the right password just before gets no session either.
    assert not open_session(people, "k4", "ada")
    assert people.session("k4", NOON - HOURS) is None


def test_enabled_again_old_sessions_stay_ended(people: People) -> None:
    add(people, "ada", "bob")
    open_session(people, "k1", "ada")
    people.change("ada", EVENT, disabled=True)
    people.change("ada", EVENT, disabled=False)
    assert people.session("k1", NOON - HOURS) is None


def token(user: str, expires: datetime | None = None) -> Token:
    return Token(0, user, "test", Role.OPERATOR, NOON, expires, None)


# Tokens


def test_tokens(people: People, database: Database) -> None:
    add(people, "ada", "bob")
    first = people.add_token(token("ada"), "k1", EVENT)
    second = people.add_token(token("ada", LATER), "k2", EVENT)
    assert (first.title, first.expires, second.expires) == ("test", None, LATER)
    assert people.tokens("ada") == [first, second]
    assert (people.token(first.id), people.token(10**6)) == (first, None)
    assert people.token_by_key("k1", LATER) == (first, Role.ADMINISTRATOR)
    people.change("ada", EVENT, role=Role.VIEWER)
    assert people.token_by_key("k1", LATER) == (first, Role.VIEWER)
    assert people.token_by_key("k2", LATER - timedelta(seconds=1)) is not None
    assert people.token_by_key("k2", LATER) is None
    people.token_used(first.id, LATER)
    assert people.tokens("ada")[0].used == LATER
    before = recorded(database)
    assert people.revoke(first.id, EVENT)
    assert not people.revoke(first.id, EVENT)
    assert recorded(database) == before + 1
    assert people.token_by_key("k1", NOON) is None


def test_tokens_open_nothing_while_their_person_is_disabled(people: People) -> None:
    add(people, "ada", "bob")
    people.add_token(token("ada"), "k1", EVENT)
    people.change("ada", EVENT, disabled=True)
    assert people.token_by_key("k1", NOON) is None
    people.change("ada", EVENT, disabled=False)
    assert people.token_by_key("k1", NOON) is not None


def test_a_new_person_of_an_old_name_inherits_nothing(people: People) -> None:
    add(people, "ada", "bob")
    people.add_token(token("ada"), "k1", EVENT)
    open_session(people, "s1", "ada")
    people.remove("ada", EVENT)
    add(people, "ada", role=Role.VIEWER)
    assert (people.tokens("ada"), people.token_by_key("k1", NOON)) == ([], None)
    assert people.session("s1", NOON - HOURS) is None


# Failures


def test_failures_are_counted_by_pair_address_and_name(database: Database) -> None:
    failures = LoginFailures(database)
    own = failures.add("ada", "1.1.1.1", NOON)
    failures.add("ada", "2.2.2.2", LATER)
    failures.add("bob", "1.1.1.1", LATER)
    assert failures.guesses("ada", "1.1.1.1", LATER) == Guesses(
        Failures(1, NOON), Failures(2, LATER), Failures(2, LATER)
    )
    assert failures.guesses("ada", "1.1.1.1", LATER, besides=own).pair == Failures(0, None)
    assert failures.guesses("eve", "3.3.3.3", LATER) == Guesses()
    failures.forget("ada", "1.1.1.1")
    assert failures.guesses("ada", "1.1.1.1", LATER) == Guesses(Failures(), Failures(1, LATER), Failures(1, LATER))
    failures.drop(failures.add("ada", "1.1.1.1", LATER))
    assert failures.guesses("ada", "1.1.1.1", LATER).pair == Failures()


def test_failures_are_forgotten_after_the_window(database: Database) -> None:
    failures = LoginFailures(database)
    failures.add("ada", "1.1.1.1", NOON)
    assert failures.guesses("ada", "1.1.1.1", NOON + WINDOW - timedelta(seconds=1)).pair.count == 1
    assert failures.guesses("ada", "1.1.1.1", NOON - timedelta(seconds=5)).pair.count == 1, "clocks differ a little"
    assert failures.guesses("ada", "1.1.1.1", NOON - timedelta(days=1)).pair.count == 0, "the clock was put back"
    assert failures.guesses("ada", "1.1.1.1", NOON + WINDOW).pair.count == 0
    failures.add("bob", "2.2.2.2", NOON + WINDOW)
    assert failures.guesses("ada", "1.1.1.1", NOON).pair.count == 0
