"""What there is to tell of the site's own authority: names, ends, how much it has signed, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gitupd.errors import GitupdError
from gitupd.service.certificates.revoked_lists import list_file, published
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.service.certificates.revoked_lists import PublishedList
    from gitupd.service.site import Site
    from gitupd.store.certificates.authority import OwnAuthority
    from gitupd.store.certificates.reading import CertificateReading

SOON = timedelta(days=365)
"""How long before its end the authority is warned of: it can't sign beyond, and devices have to get to know another."""


@dataclass(frozen=True, slots=True)
class OwnCertificateFacts:
    """A certificate of the authority, as it is told."""

    name: str
    not_before: datetime
    not_after: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True)
class OwnAuthorityFacts:
    """The site's own authority, as it is told.

    ``issuing`` signs for devices, ``above`` are those above it, the root last. ``names`` belong into the policy's
    ``authorities``. ``issued`` certificates were signed in all, so many of them are ``current``, and so many
    ``revoked``. ``listed`` is the list of revoked ones, None if there is none. ``has_root_key`` is whether
    the root's key lies on the server. ``troubles`` are sentences without their full stops.
    """

    number: int
    issuing: OwnCertificateFacts
    above: tuple[OwnCertificateFacts, ...]
    names: tuple[str, ...]
    issued: int
    current: int
    revoked: int
    listed: PublishedList | None
    has_root_key: bool
    troubles: tuple[str, ...]


def own_authority(site: Site, now: datetime) -> OwnAuthorityFacts | None:
    """Return what there is to tell of the authority of *site*, None if it has none.

    Raises SiteError if it can't be read; that its key can't be used is one of its troubles.
    """
    authority = site.authority.current()
    if authority is None:
        return None
    listed = published(site, authority)
    return OwnAuthorityFacts(
        number=authority.number,
        issuing=_facts(authority.reading),
        above=tuple(map(_facts, authority.above)),
        names=authority.names,
        issued=site.issued.count(),
        current=site.issued.count_current(now),
        revoked=site.issued.count_revoked(),
        listed=listed,
        has_root_key=any(each.has_root_key for each in site.authority.all()),
        troubles=tuple(_troubles(site, authority, listed, now)),
    )


def own_troubles(site: Site, now: datetime) -> tuple[str, ...]:
    """Return what is wrong with the authority of *site*, each as a sentence without its full stop."""
    try:
        authority = site.authority.current()
        return () if authority is None else tuple(_troubles(site, authority, published(site, authority), now))
    except GitupdError as error:
        return (str(error),)


def own_authority_facts(facts: OwnAuthorityFacts) -> dict[str, Any]:
    """Return the same as values of JSON."""
    return {
        "number": facts.number,
        "issuing": _plain(facts.issuing),
        "above": [_plain(each) for each in facts.above],
        "names": list(facts.names),
        "issued": facts.issued,
        "current": facts.current,
        "revoked": facts.revoked,
        "list": facts.listed and _plain_list(facts.listed),
        "root_key_is_here": facts.has_root_key,
        "troubles": list(facts.troubles),
    }


def _troubles(site: Site, authority: OwnAuthority, listed: PublishedList | None, now: datetime) -> Iterator[str]:
    try:
        site.authority.issuer(authority)
    except GitupdError as error:
        yield f"the authority can sign nothing: {error}"
    for reading in (authority.reading, *authority.above):
        certificate = reading.certificate
        if fault := certificate.untimely(now):
            yield f"the authority {certificate.name} {fault}, so nothing can be signed; make another: {_AGAIN}"
        elif certificate.not_after - now < SOON:
            end = f"{certificate.not_after:%Y-%m-%d}"
            yield f"the authority {certificate.name} expires on {end}; make another: {_AGAIN}"
    if listed is None:
        yield f"trust/{list_file(authority)}, the list of what was revoked, is missing or can't be read"
    elif listed.next_update < now:
        yield f"trust/{list_file(authority)}, the list of what was revoked, is over since {listed.next_update:%Y-%m-%d}"


_AGAIN = "gitupd certificates init --again"


def _facts(reading: CertificateReading) -> OwnCertificateFacts:
    certificate = reading.certificate
    return OwnCertificateFacts(certificate.name, certificate.not_before, certificate.not_after, certificate.fingerprint)


def _plain_list(listed: PublishedList) -> dict[str, Any]:
    return {
        "number": listed.number,
        "updated": plain(listed.updated),
        "next_update": plain(listed.next_update),
        "revoked": listed.revoked,
    }


def _plain(facts: OwnCertificateFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "not_before": plain(facts.not_before),
        "not_after": plain(facts.not_after),
        "fingerprint": facts.fingerprint,
    }
