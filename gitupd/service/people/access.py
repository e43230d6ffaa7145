"""Who may in: sessions, tokens, and what administrators do with people."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role, Token, User, lower_role, parse_name, parse_password, parse_title
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.people.login import Login, Refused, Right, Slowed
from gitupd.service.people.passwords import KEY_PREFIX, generated_key, hashed, is_outdated, key_hash
from gitupd.store.durable import create

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from gitupd.service.site import Site

SESSION_KEY = "session.key"
FIRST_ADMINISTRATOR = "admin"
_KEY_BYTES = 32
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A log-in that went well; ``key`` is the session's, and known to nobody but the browser."""

    user: User
    key: str


class Access:
    """The way into a site. Whatever changes something says who does it, and is recorded in the audit."""

    def __init__(self, site: Site) -> None:
        """Let people into *site*."""
        self._people = site.people
        self._login = Login(site)
        self._lifetime = timedelta(hours=site.settings.session_hours)

    # Sessions

    def log_in(self, name: str, password: str, address: str | None, now: datetime) -> LoggedIn | Refused | Slowed:
        """Open a session for *name* if *password* is theirs, and they are not slowed down."""
        checked = self._login.check(name, password, address, now)
        if not isinstance(checked, Right):
            return checked
        person, key = checked.user, self._open(checked.user, checked.password_hash, address, now)
        if key is None:
            return Refused()
        if is_outdated(checked.password_hash):
            self._people.rehash(person.name, checked.password_hash, hashed(password))
        return LoggedIn(person, key)

    def _open(self, person: User, password_hash: str, address: str | None, now: datetime) -> str | None:
        """Return the key of a new session, None if the person was changed since the password was looked at."""
        key, event = generated_key(), Event(now, person.name, Kind.LOGIN, person.name, address=address)
        opened = self._people.open_session(
            key_hash(key), person.name, password_hash, now=now, event=event, lifetime=self._lifetime
        )
        return key if opened else None

    def by_session(self, key: str, now: datetime) -> User | None:
        """Return whose session has this *key*, None if it has ended."""
        hidden = key_hash(key)
        session = self._people.session(hidden, now - self._lifetime)
        if session is None:
            return None
        person, used = session
        if now - used >= _USED_EVERY:
            self._people.session_used(hidden, now)
        return person

    def log_out(self, actor: Actor, key: str, now: datetime) -> None:
        """End the session with *key*."""
        self._people.close_session(key_hash(key), _event(actor, now, Kind.LOGOUT, actor.name))

    # People

    def add(self, actor: Actor, name: str, role: Role, password: str, now: datetime) -> User:
        """Add somebody; raises InvalidEntry for a name or a password that can't be one, SiteError if it is taken."""
        person, chosen = User(parse_name(name), role, now), parse_password(password)
        event = _event(actor, now, Kind.USER_ADD, person.name, f"as {role}")
        self._people.add(person, hashed(chosen), event)
        return person

    def set_role(self, actor: Actor, name: str, role: Role, now: datetime) -> None:
        """Give somebody another role; raises SiteError if no administrator would be left."""
        person = self._person(name)
        event = _event(actor, now, Kind.USER_CHANGE, person.name, f"{role} instead of {person.role}")
        self._people.change(person.name, event, role=role)

    def set_disabled(self, actor: Actor, name: str, now: datetime, *, disabled: bool) -> None:
        """Keep somebody out, or let them in again; raises SiteError if no administrator would be left."""
        person = self._person(name)
        event = _event(actor, now, Kind.USER_CHANGE, person.name, "disabled" if disabled else "enabled")
        self._people.change(person.name, event, disabled=disabled)

    def remove(self, actor: Actor, name: str, now: datetime) -> None:
        """Remove somebody with their sessions and tokens; raises SiteError if no administrator would be left."""
        person = self._person(name)
        self._people.remove(person.name, _event(actor, now, Kind.USER_REMOVE, person.name, f"was {person.role}"))

    def set_password(self, actor: Actor, name: str, password: str, now: datetime) -> None:
        """Give somebody another password, and end their sessions; raises InvalidEntry for one that can't be one."""
        person, chosen = self._person(name), parse_password(password)
        self._people.set_password(person.name, hashed(chosen), _event(actor, now, Kind.PASSWORD, person.name))

    def change_own_password(
        self, actor: Actor, present: str, password: str, now: datetime
    ) -> LoggedIn | Refused | Slowed:
        """Change the actor's own password if *present* is the present one; end their sessions, and open a new one.

        Raises InvalidEntry for one that can't be one.
        """
        chosen = parse_password(password)
        checked = self._login.check(actor.name, present, actor.address, now)
        if not isinstance(checked, Right):
            return checked
        password_hash = hashed(chosen)
        self._people.set_password(actor.name, password_hash, _event(actor, now, Kind.PASSWORD, actor.name))
        key = self._open(checked.user, password_hash, actor.address, now)
        return Refused() if key is None else LoggedIn(checked.user, key)

    def set_language(self, actor: Actor, language: str | None) -> None:
        """Let the actor read pages in *language*, None for that of their browser; that concerns nobody else."""
        self._people.set_language(actor.name, language)

    def keep_device_columns(self, actor: Actor, columns: str | None) -> None:
        """Let the actor's list of devices have *columns*, names with commas between them, None for the usual ones."""
        self._people.keep_device_columns(actor.name, columns)

    def _person(self, name: str) -> User:
        person = self._people.user(parse_name(name))
        if person is None:
            raise SiteError(f"there is nobody called {parse_name(name)}; see: gitupd users list")
        return person

    # Tokens

    def add_token(
        self, actor: Actor, name: str, title: str, now: datetime, *, role: Role | None = None, days: int | None = None
    ) -> tuple[Token, str]:
        """Add a token of somebody, with their own role if *role* is None, for *days*, None for ever; return its key.

        Raises InvalidEntry for a title that can't be one, and for a role above that of the person.
        """
        person = self._person(name)
        role = person.role if role is None else role
        if not person.role.allows(role):
            raise InvalidEntry(f"{person.name} is only {person.role}, and can have no token as {role}")
        expires = None if days is None else now + timedelta(days=days)
        key = KEY_PREFIX + generated_key()
        token = Token(0, person.name, parse_title(title), role, now, expires, None)
        until = "" if expires is None else f", until {expires:%Y-%m-%d}"
        event = _event(actor, now, Kind.TOKEN_ADD, person.name, f"{token.title!r} as {role}{until}")
        return self._people.add_token(token, key_hash(key), event), key

    def by_token(self, key: str, address: str | None, now: datetime) -> Actor | None:
        """Return who acts with the token *key*, None if it is not good; they can do what both roles allow."""
        if not key.startswith(KEY_PREFIX):
            return None
        token_and_role = self._people.token_by_key(key_hash(key), now)
        if token_and_role is None:
            return None
        token, own_role = token_and_role
        if token.used is None or now - token.used >= _USED_EVERY:
            self._people.token_used(token.id, now)
        return Actor(token.user, lower_role(token.role, own_role), address)

    def revoke(self, actor: Actor, number: int, now: datetime, *, owner: str | None = None) -> Token:
        """Revoke a token, if it is one of *owner*, None for anybody's; raises SiteError if there is none."""
        token = self._people.token(number)
        if token is None or owner not in (None, token.user):
            raise SiteError(f"there is no token {number}; see: gitupd users tokens NAME")
        event = _event(actor, now, Kind.TOKEN_REVOKE, token.user, f"{token.title!r} as {token.role}")
        self._people.revoke(number, event)
        return token


def add_first_administrator(site: Site, password: str, *, who: str, now: datetime) -> None:
    """Add the administrator that a new site starts with; *password* may be shorter than people may choose it."""
    person = User(FIRST_ADMINISTRATOR, Role.ADMINISTRATOR, now)
    event = Event(now, who, Kind.USER_ADD, person.name, f"as {person.role}")
    site.people.add(person, hashed(password), event)


def session_key(site: Path) -> bytes:
    """Return the key that signs the cookies of *site*, made at the first need, once however many need it at once.

    Raises SiteError if it can't be read or made, or is damaged.
    """
    path = site / SESSION_KEY
    try:
        if not path.exists():
            create(path, secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise SiteError(f"can't use {path}: {error.strerror}") from error
    if len(key) < _KEY_BYTES:
        raise SiteError(f"{path} is damaged; remove it, and a new one is made: everybody has to log in again")
    return key


def _event(actor: Actor, now: datetime, kind: Kind, subject: str, detail: str = "") -> Event:
    return Event(now, actor.name, kind, subject, detail, actor.address)
