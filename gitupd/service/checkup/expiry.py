"""Certificates of a site that have ended, end soon, or can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.certificates.standing import SOON
from gitupd.errors import SiteError
from gitupd.listeners import KeyPair
from gitupd.service.certificates.authorities import trusted
from gitupd.service.certificates.own_authority import own_troubles
from gitupd.service.checkup.finding import SiteFinding
from gitupd.store.certificates.reading import UnreadableCertificate, read
from gitupd.store.certificates.server import read_server_certificate, read_server_key
from gitupd.store.places import TRUST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site


def server_certificates_end(site: Site, now: datetime) -> Iterator[SiteFinding]:
    """Yield what is wrong with the certificates by which the server is known."""
    tls = site.settings.tls
    speaks_tls = any(listener.tls for listener in site.settings.listen)
    for pair in (tls.first, *tls.further):
        path = site.path / pair.certificate
        is_own = pair == KeyPair()
        if not path.exists() and (is_own or not speaks_tls):
            continue  # one of its own is made when it is needed
        cure = "remove it and its key, and a new one is made" if is_own else "have whoever issues it renew it"
        try:
            certificate = read_server_certificate(path)
            read_server_key(site.path / pair.key, certificate)
        except SiteError as error:
            fault = str(error).removeprefix(f"{path}: ")
            yield SiteFinding(str(path), f"it can't be used: {fault}", "put the right file there")
            continue
        begin = certificate.certificate.not_valid_before_utc
        if (ends := _ends(certificate.not_after, now)) is not None:
            yield SiteFinding(str(path), f"the server's certificate {ends}", cure)
        elif now < begin:
            what = f"the server's certificate is not valid before {begin:%Y-%m-%d}"
            yield SiteFinding(str(path), what, "look at the clock of this machine, and of whoever issued it")


def trust_ends(site: Site, now: datetime) -> Iterator[SiteFinding]:
    """Yield what is wrong with the authorities that identify devices, and with lists of what they have revoked."""
    what = trusted(site.trust.read(), now)
    for authority in what.authorities:
        file = f"{TRUST}/{authority.file}"
        if (ends := _ends(authority.not_after, now)) is not None:
            cure = f"gitupd trust add its successor, and give devices certificates of that; gitupd trust remove {file}"
            yield SiteFinding(file, f"the authority {authority.name} {ends}, and identifies no device then", cure)
        elif authority.fault is not None:
            yield SiteFinding(file, f"{authority.name} {authority.fault}", f"gitupd trust remove {authority.file}")
    for listed in what.lists:
        if listed.fault is not None:
            cure = "fetch the newest from the authority, and gitupd trust add it"
            yield SiteFinding(f"{TRUST}/{listed.file}", f"the list of revoked certificates {listed.fault}", cure)
    for fault in site.trust.read().faults:
        file, _, why = fault.partition(": ")
        yield SiteFinding(f"{TRUST}/{file}", f"it {why}", f"remove it, or put a certificate there: {site.trust.path}")


def chain_ends(live: Live | None, now: datetime) -> Iterator[SiteFinding]:
    """Yield which certificates that go along with those of devices end."""
    for der in live.snapshot.chain if live is not None else ():
        try:
            certificate = read(der).certificate
        except UnreadableCertificate:
            continue  # validation tells
        if (ends := _ends(certificate.not_after, now)) is not None and live is not None:
            where = live.snapshot.policy.certificates.chain
            what = f"{certificate.name}, which goes along with certificates of devices, {ends}"
            yield SiteFinding(where, what, "put the authority's newer certificate there, and deploy that")


def own_authority_ends(site: Site, now: datetime) -> Iterator[SiteFinding]:
    """Yield what is wrong with the authority by which the site signs for devices."""
    for trouble in own_troubles(site, now):
        what, _, cure = trouble.partition("; make another: ")
        yield SiteFinding("authority", what, cure or "see: Replace a lost authority; gitupd certificates authority")


def devices_end(site: Site, now: datetime) -> Iterator[SiteFinding]:
    """Yield how many certificates of devices have ended: worth knowing, for a device may lie in a drawer."""
    ended = len(site.rollouts.expiring(now))
    if ended:
        what = f"{ended:,} certificates of devices have ended" if ended > 1 else "a certificate of a device has ended"
        yield SiteFinding("devices", what, "gitupd devices certificate:expired lists them", mend=False)


def _ends(end: datetime, now: datetime) -> str | None:
    if end < now:
        return f"has ended on {end:%Y-%m-%d}"
    return f"ends on {end:%Y-%m-%d}" if end < now + SOON else None
