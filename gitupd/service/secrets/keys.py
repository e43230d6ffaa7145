"""The key of a site for what is encrypted to it: who makes another one, or forgets an older one, is in the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.people.audit import Event, Kind
from gitupd.core.words import counted
from gitupd.service.deployments.deploying import needed_recipients

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.people.person import Actor
    from gitupd.service.site import Site


def make_key(site: Site, actor: Actor, now: datetime) -> str:
    """Make the first key of *site*, and return its recipient; raises SiteError if there is one already."""
    with site.audit.entering() as enter:
        recipient = site.secrets_key.create()
        enter(Event(now, actor.name, Kind.SECRETS_KEY_ADD, recipient, address=actor.address))
    return recipient


def make_another_key(site: Site, actor: Actor, now: datetime) -> str:
    """Make another key of *site*, to which is encrypted from now on, and return its recipient; raises SiteError."""
    with site.audit.entering() as enter:
        recipient = site.secrets_key.add()
        enter(Event(now, actor.name, Kind.SECRETS_KEY_ADD, recipient, "instead of older ones", actor.address))
    return recipient


def forget_keys(site: Site, actor: Actor, now: datetime) -> int:
    """Forget the keys of *site* that what is deployed does not need; return how many. Raises SiteError."""
    needed = needed_recipients(site)
    with site.audit.entering() as enter:
        if gone := site.secrets_key.retain(needed):
            detail = f"{counted(gone, 'key')} that what is deployed does not need"
            enter(Event(now, actor.name, Kind.SECRETS_KEY_FORGET, "", detail, actor.address))
    return gone
