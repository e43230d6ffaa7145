"""What a worker makes of certificates that clients show: looked at once, and remembered while nothing changes."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import structlog

from gitupd.service.background import Recurring, Trouble
from gitupd.store.certificates.trust import TrustStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.identity import Shown
    from gitupd.store.certificates.folder import TrustFolder

FOLLOW_SECONDS = 1.0
_MOST_KEPT = 10_000
_MOST_OPEN, _LARGEST_OPEN = 2_000, 8 * 2**10
"""So many chains, and of such a size at the most, are known without their digest, too."""

log = structlog.get_logger()


class Trusting:
    """Follows the authorities of a site from a thread, and knows what was shown last and is shown again."""

    def __init__(self, folder: TrustFolder) -> None:
        """Follow *folder*; :meth:`follow` looks once, :meth:`start` goes on looking."""
        self._folder = folder
        self._state: object = None
        self._known = _Known(TrustStore())
        trouble = Trouble("the authorities of the site can't be read")
        self._following = Recurring("trust", FOLLOW_SECONDS, self.follow, trouble)

    @property
    def trouble(self) -> str | None:
        """Why the authorities could not be read, None if they could."""
        return self._following.trouble.text

    @property
    def store(self) -> TrustStore:
        """What the site trusts now."""
        return self._known.store

    def start(self) -> None:
        """Look once, then start to follow in the background."""
        self._following.once()
        self._following.start()

    def stop(self) -> None:
        """Stop to follow."""
        self._following.stop()

    def follow(self) -> None:
        """Take over what is there now; raises SiteError if it can't be read, and goes by the last."""
        state = self._folder.state()
        if state == self._state:
            return
        store = self._folder.read()
        self._known, self._state = _Known(store), state
        log.info("authorities of the site", trusted=len(store.authorities), revocation_lists=len(store.lists))

    def shown(self, certificates: tuple[bytes, ...]) -> Shown | None:
        """Return what is to be made of the *certificates* that a client has shown, None if it has shown none.

        They are in DER, its own first.
        """
        return self._known.shown(certificates) if certificates else None


class _Known:
    """What was made of chains, by the authorities of one moment: another moment has another one of these."""

    def __init__(self, store: TrustStore) -> None:
        self.store = store
        self._kept: OrderedDict[bytes, Shown] = OrderedDict()
        self._open: dict[tuple[bytes, ...], Shown] = {}
        self._lock = threading.Lock()

    def shown(self, certificates: tuple[bytes, ...]) -> Shown:
        # On a connection that stays open they are the same objects at each request, so that nothing is compared.
        shown = self._open.get(certificates)
        if shown is None:
            shown = self._by_digest(certificates)
            if sum(map(len, certificates)) <= _LARGEST_OPEN:
                if len(self._open) >= _MOST_OPEN:
                    self._open.clear()
                self._open[certificates] = shown
        return shown

    def _by_digest(self, certificates: tuple[bytes, ...]) -> Shown:
        key = _key(certificates)
        with self._lock:
            shown = self._kept.get(key)
            if shown is not None:
                self._kept.move_to_end(key)
                return shown
        shown = self.store.shown(certificates)
        with self._lock:
            self._kept[key] = shown
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return shown


def _key(certificates: Sequence[bytes]) -> bytes:
    digest = hashlib.sha256()
    for der in certificates:
        digest.update(b"%d:" % len(der))
        digest.update(der)
    return digest.digest()
