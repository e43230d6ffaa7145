"""Looking at passwords, but not at many guesses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from gitupd.core.names import fold
from gitupd.core.people.audit import Kind
from gitupd.core.people.guessing import is_familiar, neighbourhood
from gitupd.core.people.person import User, parse_name
from gitupd.errors import InvalidEntry
from gitupd.service.people.passwords import matches
from gitupd.store.people import LoginFailures

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.service.site import Site

_RECORDED_EVERY = timedelta(minutes=1)
_FAMILIAR_FOR = timedelta(days=30)
_BUSY = timedelta(seconds=5)
_WRONG, _DISABLED = "wrong name or password", "right password, but disabled"
_SLOWED_DOWN = "after too many failures; the password was not looked at"


@dataclass(frozen=True, slots=True)
class Right:
    """The password is right: whose it is, and the hash it was found to agree with."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The name or the password is wrong, or the person is disabled; nobody is told which."""


@dataclass(frozen=True, slots=True)
class Slowed:
    """Too many tries: the password was not looked at, and will not be before ``pause`` is over."""

    pause: timedelta


@dataclass(frozen=True, slots=True)
class _Try:
    name: str
    address: str | None
    at: datetime

    @property
    def counted(self) -> tuple[str, str]:
        """By what failures count; a hash of the name, which may be a password in the wrong field."""
        return sha256(fold(self.name).encode(errors="replace")).hexdigest(), neighbourhood(self.address)


class Login:
    """Looks at passwords for one site; see ``Guesses.pause`` for who is slowed down, and why not others."""

    def __init__(self, site: Site) -> None:
        """Look at the passwords of the people of *site*."""
        self._people, self._audit = site.people, site.audit
        self._failures = LoginFailures(site.database)

    def check(self, name: str, password: str, address: str | None, now: datetime) -> Right | Refused | Slowed:
        """Say whether *password* is that of *name*, after the same work for every name; record it if it is not.

        A try counts as failed before that is known, so that however many come at once, no more are looked at.
        """
        this = _Try(name.strip(), address, now)
        if pause := self._pause(this):
            return self._slow_down(this, pause)
        own = self._failures.add(*this.counted, now)
        if pause := self._pause(this, besides=own):
            self._failures.drop(own)
            return self._slow_down(this, pause)
        person, password_hash = self._credentials(this.name)
        right = matches(password, password_hash)
        if right is None:
            self._failures.drop(own)
            return Slowed(_BUSY)
        if right and password_hash is not None and person is not None and not person.disabled:
            self._failures.forget(*this.counted)
            return Right(person, password_hash)
        self._record(this, person, _WRONG if person is None or not right else _DISABLED)
        return Refused()

    def _credentials(self, name: str) -> tuple[User, str] | tuple[None, None]:
        try:
            return self._people.credentials(parse_name(name)) or (None, None)
        except InvalidEntry:
            return None, None

    def _pause(self, this: _Try, besides: int = 0) -> timedelta:
        guesses = self._failures.guesses(*this.counted, this.at, besides)
        pause = guesses.pause(this.at, familiar=False)
        if not pause:
            return pause
        addresses = self._audit.addresses(fold(this.name), Kind.LOGIN, this.at - _FAMILIAR_FOR)
        return guesses.pause(this.at, familiar=is_familiar(this.address, addresses))

    def _slow_down(self, this: _Try, pause: timedelta) -> Slowed:
        """Record a try that came too early: one a minute from each address, for such tries cost the guesser nothing."""
        since = this.at - _RECORDED_EVERY
        if not self._audit.has(Kind.LOGIN_REFUSED, this.address, since, _SLOWED_DOWN):
            self._record(this, self._credentials(this.name)[0], _SLOWED_DOWN)
        return Slowed(pause)

    def _record(self, this: _Try, person: User | None, reason: str) -> None:
        """Record a refusal. The name of nobody is not written down: it may be a password in the wrong field."""
        who = "nobody" if person is None else person.name
        subject = "" if person is None else person.name
        self._audit.add(this.at, who, Kind.LOGIN_REFUSED, subject, reason, address=this.address)
