"""One-time codes: made for people, and shown by devices."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.admission.codes import LENGTH, LETTERS, Code, Redemption, canonical, written
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.guessing import WINDOW, Failures, neighbourhood
from gitupd.core.people.person import parse_title
from gitupd.errors import InvalidEntry
from gitupd.service.people.passwords import key_hash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.people.person import Actor
    from gitupd.service.site import Site

DAYS = 7
MOST_AT_ONCE, LONGEST_DAYS = 1000, 365
_FREE = 10
_MOST_ADDRESSES = 10_000
_KEPT = timedelta(days=365)


def make_codes(
    site: Site, actor: Actor, now: datetime, *, count: int = 1, days: int = DAYS, title: str = "devices"
) -> list[tuple[Code, str]]:
    """Make codes on behalf of *actor*, and return each with what is to be shown of it, this once.

    Raises InvalidEntry for numbers that are senseless, SiteError if there are too many open ones.
    """
    if not 1 <= count <= MOST_AT_ONCE:
        raise InvalidEntry(f"choose a number of codes from 1 to {MOST_AT_ONCE:,}")
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidEntry(f"a code is good for 1 to {LONGEST_DAYS} days")
    called, expires = parse_title(title), now + timedelta(days=days)
    shown = [_generated() for _ in range(count)]
    made = {_hashed(code): Code(0, called, actor.name, now, expires) for code in shown}
    detail = f"{count:,} for {called}, good until {expires:%Y-%m-%d}"
    added = site.codes.add(made, Event(now, actor.name, Kind.CODE_ADD, called, detail, actor.address))
    return list(zip(added, shown, strict=True))


def revoke_codes(site: Site, numbers: Sequence[int], actor: Actor, now: datetime) -> int:
    """Revoke codes that no device has used, on behalf of *actor*; return how many."""
    listed = ", ".join(map(str, numbers))
    return site.codes.revoke(numbers, Event(now, actor.name, Kind.CODE_REVOKE, listed, address=actor.address))


class Redeeming:
    """Accepts devices by the codes that they show, of a worker; guessing is slowed down by address."""

    def __init__(self, site: Site) -> None:
        """Look for codes in *site*."""
        self._codes = site.codes
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, Failures] = OrderedDict()

    def redeem(self, code: str, serial: Serial | None, address: str | None, now: datetime) -> Redemption:
        """Return what comes of *code*, shown by the device with this *serial*; raises UnusableDatabase."""
        if serial is None:
            return Redemption.NAMELESS
        home = neighbourhood(address)
        with self._lock:
            failures = self._failures.get(home, Failures())
        if failures.pause(_FREE, now) > timedelta():
            return Redemption.SLOWED
        event = Event(now, "", Kind.CODE_USE, address=address)
        if self._codes.redeem(_hashed(code), serial, event):
            return Redemption.ACCEPTED
        self._note(home, now)
        return Redemption.WRONG

    def _note(self, home: str, now: datetime) -> None:
        with self._lock:
            failures = self._failures.pop(home, Failures())
            lately = failures.latest is not None and now - failures.latest < WINDOW
            self._failures[home] = Failures(failures.count + 1 if lately else 1, now)
            while len(self._failures) > _MOST_ADDRESSES:
                self._failures.popitem(last=False)


def drop_old_codes(site: Site, now: datetime) -> None:
    """Forget codes that have been of no use for long; what became of them stays in the audit."""
    site.codes.drop(now - _KEPT)


def _generated() -> str:
    return written("".join(secrets.choice(LETTERS) for _ in range(LENGTH)))


def _hashed(code: str) -> str:
    return key_hash(canonical(code))
