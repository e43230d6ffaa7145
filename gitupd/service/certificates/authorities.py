"""The authorities of a site: what there is to tell of them, and how somebody changes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gitupd.core.identity import VENDOR_AUTHORITIES
from gitupd.core.people.audit import Event, Kind
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gitupd.core.people.person import Actor
    from gitupd.service.site import Site
    from gitupd.store.certificates.trust import TrustedAuthority, TrustedList, TrustStore

SOON = timedelta(days=30)
"""How long before its end an authority is warned of."""


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """An authority as it is told: ``fault`` is why nobody is identified by it now, None if devices are."""

    name: str
    file: str
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    is_vendors: bool
    fault: str | None
    expires_soon: bool


@dataclass(frozen=True, slots=True)
class ListFacts:
    """A list of revoked certificates as it is told; ``fault`` is why it does not count, or is late."""

    name: str
    file: str
    updated: datetime
    next_update: datetime | None
    revoked: int
    fingerprint: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Trusted:
    """All that a site trusts, and what is wrong with it, as sentences without their full stops."""

    authorities: tuple[AuthorityFacts, ...]
    lists: tuple[ListFacts, ...]
    troubles: tuple[str, ...]


def trusted(store: TrustStore, now: datetime) -> Trusted:
    """Return what there is to tell of *store* at the time *now*."""
    authorities = tuple(_authority(each, now) for each in store.authorities)
    lists = tuple(_list(each, now) for each in store.lists)
    return Trusted(authorities, lists, (*store.troubles(now), *_ends(authorities)))


def _authority(authority: TrustedAuthority, now: datetime) -> AuthorityFacts:
    certificate = authority.reading.certificate
    return AuthorityFacts(
        name=certificate.name,
        file=authority.file,
        issuer=certificate.issuer or "",
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        fingerprint=certificate.fingerprint,
        is_vendors=certificate.common_name in VENDOR_AUTHORITIES,
        fault=authority.fault or certificate.untimely(now),
        expires_soon=certificate.not_after - now < SOON,
    )


def _list(listed: TrustedList, now: datetime) -> ListFacts:
    each = listed.list
    is_stale = each.next_update is not None and each.next_update < now
    fault = "is signed by no authority of this site" if not listed.is_signed else None
    return ListFacts(
        name=each.name,
        file=listed.file,
        updated=each.updated,
        next_update=each.next_update,
        revoked=len(each.numbers),
        fingerprint=each.fingerprint,
        fault=fault or ("should have been replaced by a newer one" if is_stale else None),
    )


def _ends(authorities: Iterable[AuthorityFacts]) -> Iterable[str]:
    for each in authorities:
        if each.fault is not None and each.fault.startswith("has expired"):
            yield f"{each.file}: the authority {each.name} {each.fault}, so it identifies no device any more"
        elif each.expires_soon:
            yield f"{each.file}: the authority {each.name} expires on {each.not_after:%Y-%m-%d}"


def trust_facts(what: Trusted) -> dict[str, Any]:
    """Return the same as values of JSON."""
    return {
        "authorities": [
            {
                "name": each.name,
                "file": each.file,
                "issuer": each.issuer,
                "not_before": plain(each.not_before),
                "not_after": plain(each.not_after),
                "fingerprint": each.fingerprint,
                "vendor": each.is_vendors,
                "fault": each.fault,
            }
            for each in what.authorities
        ],
        "revocation_lists": [
            {
                "name": each.name,
                "file": each.file,
                "updated": plain(each.updated),
                "next_update": each.next_update and plain(each.next_update),
                "revoked": each.revoked,
                "fingerprint": each.fingerprint,
                "fault": each.fault,
            }
            for each in what.lists
        ],
        "troubles": list(what.troubles),
    }


def add_trust(site: Site, content: bytes, actor: Actor, now: datetime) -> tuple[str, ...]:
    """Have *site* trust the authorities in *content*, and know the lists in it; return the names of the files.

    Raises GitupdError if there is anything else in it.
    """
    return site.trust.add(content, Event(now, actor.name, Kind.TRUST_ADD, address=actor.address))


def remove_trust(site: Site, name: str, actor: Actor, now: datetime) -> str:
    """Have *site* trust *name* no more, and return the file that is gone; raises GitupdError if it names none."""
    return site.trust.remove(name, Event(now, actor.name, Kind.TRUST_REMOVE, address=actor.address))
