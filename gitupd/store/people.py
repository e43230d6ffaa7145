"""People, their sessions and tokens, and log-ins that failed. Of keys, only hashes are kept."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, not_, select, update
from sqlalchemy.exc import IntegrityError

from gitupd.core.people.guessing import WINDOW, Failures, Guesses
from gitupd.core.people.person import Role, Token, User
from gitupd.errors import SiteError
from gitupd.store.audit import append
from gitupd.store.searches.tables import saved_searches
from gitupd.store.tables import login_failures, sessions, tokens, users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from gitupd.core.people.audit import Event
    from gitupd.store.database import Database

_ADMINISTRATORS = and_(users.c.role == Role.ADMINISTRATOR, users.c.disabled.is_(False))

_OTHER_CLOCKS = timedelta(minutes=1)
"""How far the clocks of two servers of a site may be apart."""


class People:
    """The people of a site; each call is a transaction, which holds with its entry in the audit or not at all."""

    def __init__(self, database: Database) -> None:
        """Keep people in *database*."""
        self._database = database
        self._by_session = select(users, sessions.c.used).join(sessions, sessions.c.user == users.c.name)
        self._by_token = select(tokens, users.c.role.label("own_role")).join(users, users.c.name == tokens.c.user)

    def users(self) -> list[User]:
        """Return everybody, by name."""
        with self._database.connection() as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]

    def user(self, name: str) -> User | None:
        """Return somebody, None if there is nobody of that *name*."""
        credentials = self.credentials(name)
        return credentials and credentials[0]

    def credentials(self, name: str) -> tuple[User, str] | None:
        """Return somebody and the hash of their password."""
        with self._database.connection() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        return None if row is None else (_user(row), row.password_hash)

    def add(self, user: User, password_hash: str, event: Event) -> None:
        """Add somebody; raises SiteError if there is somebody of that name."""
        row = {"name": user.name, "role": user.role, "created": user.created, "disabled": user.disabled}
        with self._database.connection() as connection:
            try:
                connection.execute(insert(users).values(password_hash=password_hash, **row))
            except IntegrityError as error:
                raise SiteError(f"there is somebody called {user.name} already; choose another name") from error
            _end_everything(connection, user.name)
            append(connection, event)

    def change(self, name: str, event: Event, *, role: Role | None = None, disabled: bool | None = None) -> None:
        """Change somebody's role, or whether they may log in; None leaves it as it is. Who is disabled is logged out.

        Raises SiteError if there is nobody of that name, or no administrator would be left.
        """
        values = {"role": role, "disabled": disabled}
        changes = {column: value for column, value in values.items() if value is not None}
        with self._database.connection() as connection, _an_administrator_left(connection, name):
            hold_person(connection, name)
            connection.execute(update(users).where(users.c.name == name).values(**changes))
            if disabled:
                connection.execute(delete(sessions).where(sessions.c.user == name))
            append(connection, event)

    def remove(self, name: str, event: Event) -> None:
        """Remove somebody with their sessions, tokens and saved searches; raises SiteError as :meth:`change` does."""
        with self._database.connection() as connection, _an_administrator_left(connection, name):
            hold_person(connection, name)
            connection.execute(delete(users).where(users.c.name == name))
            _end_everything(connection, name)
            append(connection, event)

    def set_password(self, name: str, password_hash: str, event: Event) -> None:
        """Give somebody another password, and end their sessions; raises SiteError if there is nobody."""
        with self._database.connection() as connection:
            hold_person(connection, name)
            connection.execute(update(users).where(users.c.name == name).values(password_hash=password_hash))
            connection.execute(delete(sessions).where(sessions.c.user == name))
            append(connection, event)

    def set_language(self, name: str, language: str | None) -> None:
        """Let somebody read pages in *language*, None for that of their browser; nothing happens if there is nobody."""
        with self._database.connection() as connection:
            connection.execute(update(users).where(users.c.name == name).values(language=language))

    def keep_device_columns(self, name: str, columns: str | None) -> None:
        """Keep *columns* for somebody's list of devices, None for the usual; nothing happens if there is nobody."""
        with self._database.connection() as connection:
            connection.execute(update(users).where(users.c.name == name).values(device_columns=columns))

    def rehash(self, name: str, old: str, new: str) -> None:
        """Keep the same password under a hash of other parameters, unless it has been changed meanwhile."""
        same = and_(users.c.name == name, users.c.password_hash == old)
        with self._database.connection() as connection:
            connection.execute(update(users).where(same).values(password_hash=new))

    # Sessions

    def open_session(
        self, key_hash: str, name: str, password_hash: str, *, now: datetime, event: Event, lifetime: timedelta
    ) -> bool:
        """Open a session for somebody whose password was found to be right; drop those that are past *lifetime*.

        Return whether it is open: it is not if the person was disabled or removed meanwhile, or the password changed.
        """
        same = and_(users.c.name == name, users.c.password_hash == password_hash, users.c.disabled.is_(False))
        row = {"key_hash": key_hash, "user": name, "created": now, "used": now, "address": event.safe().address}
        with self._database.connection() as connection:
            if not _hold(connection, same):
                return False
            connection.execute(delete(sessions).where(sessions.c.created <= now - lifetime))
            connection.execute(insert(sessions).values(row))
            append(connection, event)
        return True

    def session(self, key_hash: str, since: datetime) -> tuple[User, datetime] | None:
        """Return whose session this is and when it was used last; None if there is none, or it is from before."""
        conditions = (sessions.c.key_hash == key_hash, sessions.c.created > since, users.c.disabled.is_(False))
        with self._database.connection() as connection:
            row = connection.execute(self._by_session.where(*conditions)).first()
        return None if row is None else (_user(row), row.used)

    def session_used(self, key_hash: str, now: datetime) -> None:
        """Note down that a session was used."""
        with self._database.connection() as connection:
            connection.execute(update(sessions).where(sessions.c.key_hash == key_hash).values(used=now))

    def close_session(self, key_hash: str, event: Event) -> None:
        """End a session; nothing happens if there is none."""
        with self._database.connection() as connection:
            if connection.execute(delete(sessions).where(sessions.c.key_hash == key_hash)).rowcount:
                append(connection, event)

    # Tokens

    def add_token(self, token: Token, key_hash: str, event: Event) -> Token:
        """Add a token, whose id is given here, and return it; raises SiteError if its person is gone."""
        row = {"user": token.user, "title": token.title, "role": token.role, "created": token.created}
        with self._database.connection() as connection:
            hold_person(connection, token.user)
            added = insert(tokens).values(key_hash=key_hash, expires=token.expires, **row).returning(tokens)
            row_added = connection.execute(added).one()
            append(connection, event)
        return _token(row_added)

    def tokens(self, name: str) -> list[Token]:
        """Return somebody's tokens, the oldest first."""
        with self._database.connection() as connection:
            rows = connection.execute(select(tokens).where(tokens.c.user == name).order_by(tokens.c.id))
            return [_token(row) for row in rows]

    def token(self, number: int) -> Token | None:
        """Return a token by its id, None if there is none."""
        with self._database.connection() as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == number)).first()
        return None if row is None else _token(row)

    def token_by_key(self, key_hash: str, now: datetime) -> tuple[Token, Role] | None:
        """Return the token with a key and the present role of its person; None if it is not good, or they are not."""
        conditions = (tokens.c.key_hash == key_hash, users.c.disabled.is_(False))
        with self._database.connection() as connection:
            row = connection.execute(self._by_token.where(*conditions)).first()
        if row is None or (row.expires is not None and row.expires <= now):
            return None
        return _token(row), Role(row.own_role)

    def token_used(self, number: int, now: datetime) -> None:
        """Note down that a token was used."""
        with self._database.connection() as connection:
            connection.execute(update(tokens).where(tokens.c.id == number).values(used=now))

    def revoke(self, number: int, event: Event) -> bool:
        """Revoke a token; return whether it was there."""
        with self._database.connection() as connection:
            gone = connection.execute(delete(tokens).where(tokens.c.id == number)).rowcount > 0
            if gone:
                append(connection, event)
        return gone


class LoginFailures:
    """Log-ins that failed lately, shared by all processes; names and addresses are whatever the caller counts by."""

    def __init__(self, database: Database) -> None:
        """Keep failures in *database*."""
        self._database = database

    def add(self, name: str, address: str, now: datetime) -> int:
        """Count a failure, and forget those that no longer matter; return its id."""
        with self._database.connection() as connection:
            connection.execute(delete(login_failures).where(not_(_matters(now))))
            row = insert(login_failures).values(at=now, user=name, address=address).returning(login_failures.c.id)
            return int(connection.execute(row).scalar_one())

    def guesses(self, name: str, address: str, now: datetime, besides: int = 0) -> Guesses:
        """Return the failures that matter for a log-in of *name* from *address*, leaving out the one *besides*."""
        by_name, by_address = login_failures.c.user == name, login_failures.c.address == address
        with self._database.connection() as connection:
            pair, of_address, of_name = (
                _failures(connection, condition, now, besides)
                for condition in (by_name & by_address, by_address, by_name)
            )
        return Guesses(pair, of_address, of_name)

    def drop(self, number: int) -> None:
        """Take back a failure."""
        with self._database.connection() as connection:
            connection.execute(delete(login_failures).where(login_failures.c.id == number))

    def forget(self, name: str, address: str) -> None:
        """Forget the failures of *name* from *address*."""
        pair = and_(login_failures.c.user == name, login_failures.c.address == address)
        with self._database.connection() as connection:
            connection.execute(delete(login_failures).where(pair))


def _matters(now: datetime) -> ColumnElement[bool]:
    """Whether a failure counts; one that is still to come is from before the clock was put back."""
    return and_(login_failures.c.at > now - WINDOW, login_failures.c.at < now + _OTHER_CLOCKS)


def _failures(connection: Connection, condition: ColumnElement[bool], now: datetime, besides: int) -> Failures:
    columns = login_failures.c
    counted = select(func.count(), func.max(columns.at)).where(condition, _matters(now), columns.id != besides)
    return Failures(*connection.execute(counted).one())


def _hold(connection: Connection, condition: ColumnElement[bool]) -> int:
    """Keep everybody else from changing the people in question until the transaction ends; return how many they are.

    An update that changes nothing locks the rows in PostgreSQL and the file in SQLite alike.
    """
    return connection.execute(update(users).where(condition).values(disabled=users.c.disabled)).rowcount


def hold_person(connection: Connection, name: str) -> None:
    """Keep everybody else from changing somebody until the transaction ends; raises SiteError if there is nobody."""
    if not _hold(connection, users.c.name == name):
        raise SiteError(f"there is nobody called {name}; see: gitupd users list")


@contextmanager
def _an_administrator_left(connection: Connection, name: str) -> Iterator[None]:
    """Raise SiteError if what the block does to somebody leaves no administrator who can log in."""
    _hold(connection, _ADMINISTRATORS)
    was_one = connection.execute(select(users.c.name).where(_ADMINISTRATORS, users.c.name == name)).first() is not None
    yield
    if was_one and connection.execute(select(users.c.name).where(_ADMINISTRATORS).limit(1)).first() is None:
        raise SiteError(
            f"{name} is the last administrator who can log in; make another one first:"
            " gitupd users role NAME administrator"
        )


def _end_everything(connection: Connection, name: str) -> None:
    """End the sessions, tokens and searches of somebody who is gone; those of earlier people of that name as well."""
    for column in (sessions.c.user, tokens.c.user, saved_searches.c.owner):
        connection.execute(delete(column.table).where(column == name))


def _user(row: Any) -> User:
    return User(row.name, Role(row.role), row.created, row.disabled, row.language, row.device_columns)


def _token(row: Any) -> Token:
    return Token(row.id, row.user, row.title, Role(row.role), row.created, row.expires, row.used)
