"""How a site gets an authority of its own: made here, taken over from elsewhere, or another one below the same root.

All of it is there afterwards, or nothing: keys, certificates, trust in them, a list of revoked ones, and the entries
in the audit (docs/decisions/0020-own-authority.md).
"""

from __future__ import annotations

import base64
import re
import secrets
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.core.people.audit import Event, Kind
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.certificates.handing_in import read_certificates
from gitupd.service.certificates.revoked_lists import VALID, list_file
from gitupd.store.certificates.authority import NewAuthority, OwnAuthority, read_above, read_key
from gitupd.store.certificates.making import (
    KEYS,
    Issuer,
    RevokedEntry,
    make_issuing,
    make_list,
    make_root,
    new_key,
    ordered_above,
)
from gitupd.store.certificates.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.people.person import Actor
    from gitupd.service.site import Site

SHORTEST_PASSPHRASE = 16
"""Characters of a passphrase that somebody has chosen: whoever has the file may try as many as they like."""

_LONGEST_NAME = 50
_ROOT_LIST = timedelta(days=3650)
_RANDOM = 16  # bytes


@dataclass(frozen=True, slots=True)
class Founding:
    """How an authority is to be made: the *name* that its certificates begin with, the kind of keys, and days."""

    name: str
    key: str = KEYS[0]
    root_days: int = 7300
    days: int = 3650


@dataclass(frozen=True, slots=True)
class TakingOver:
    """An authority from elsewhere: the contents of files of its certificate, its key, and what is above it."""

    certificate: bytes
    key: bytes = field(repr=False)
    passphrase: str = field(default="", repr=False)
    chain: bytes = b""


def random_passphrase() -> str:
    """Return a passphrase of 128 bits that can be written down and read out."""
    letters = base64.b32encode(secrets.token_bytes(_RANDOM)).decode("ascii").rstrip("=").lower()
    return "-".join(re.findall(".{1,5}", letters))


def default_name() -> str:
    """Return the name of an authority for which nobody has chosen one."""
    return f"gitupd {socket.gethostname()}"[:_LONGEST_NAME]


def check_passphrase(passphrase: str) -> None:
    """Raise InvalidEntry for a passphrase of the root that is too short."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise InvalidEntry(f"the root's passphrase must have {SHORTEST_PASSPHRASE} characters or more")


def require_none(site: Site) -> None:
    """Raise SiteError if *site* has an authority already."""
    site.authority.settle()
    if site.authority.current() is not None:
        raise SiteError(
            f"{site.path} has an authority already, see: gitupd certificates authority; "
            "for another one below the same root: gitupd certificates init --again"
        )


def found(site: Site, founding: Founding, root_passphrase: str, actor: Actor, now: datetime) -> OwnAuthority:
    """Make a root and an authority below it for *site*; raises GitupdError if it has one, or can't keep it."""
    if not founding.name.strip() or len(founding.name) > _LONGEST_NAME or not founding.name.isprintable():
        raise InvalidEntry(f"the authority's name must have 1 to {_LONGEST_NAME} characters")
    check_passphrase(root_passphrase)
    require_none(site)
    root_key, key = new_key(founding.key), new_key(founding.key)
    root = make_root(f"{founding.name} Root CA", root_key, now, founding.root_days)
    own = make_issuing(f"{founding.name} Issuing CA", key, Issuer(root, root_key), now, founding.days)
    made = NewAuthority(Issuer(own, key), (root,), root_key, root_passphrase)
    return _keep(site, made, _event(actor, now, f"made here, {founding.key}"), is_first=True)


def take_over(site: Site, importing: TakingOver, actor: Actor, now: datetime) -> OwnAuthority:
    """Have an authority from elsewhere sign for *site*; raises GitupdError if it has one, or that one does not fit."""
    require_none(site)
    certificates = read_certificates(importing.certificate)
    others = read_certificates(importing.chain) if importing.chain else ()
    key = read_key(importing.key, importing.passphrase, "the authority's key")
    own = next((each for each in (*certificates, *others) if each.public_key() == key.public_key()), None)
    if own is None:
        raise InvalidEntry("the key is not that of the authority's certificate")
    above = ordered_above(own, (*certificates, *others))
    _check_line((own, *above), now)
    return _keep(site, NewAuthority(Issuer(own, key), above), _event(actor, now, "taken over"), is_first=True)


def found_again(
    site: Site,
    founding: Founding,
    root: Issuer,
    actor: Actor,
    now: datetime,
    *,
    is_stolen: bool = False,
) -> OwnAuthority:
    """Make another authority below the *root* of the one that signs, and have it sign from now on.

    If the key of the one before *is_stolen*, the root revokes it with all that it has signed. Raises GitupdError.
    """
    before = site.authority.current()
    if before is None:
        raise SiteError(f"{site.path} has no authority yet; make one: gitupd certificates init")
    _check_line((root.certificate,), now)
    name = f"{_without_number(before.reading.certificate.name)} {before.number + 1}"
    key = new_key(founding.key)
    own = make_issuing(name, key, root, now, founding.days)
    above = ordered_above(own, [each.parsed for each in (before.reading, *before.above)])
    further = {_root_file(root): _root_list(site, root, before, now)} if is_stolen else {}
    said = "made here, for the key of the one before it was stolen" if is_stolen else "made here"
    return _keep(site, NewAuthority(Issuer(own, key), above), _event(actor, now, said), further=further)


def _keep(
    site: Site,
    made: NewAuthority,
    event: Event,
    *,
    is_first: bool = False,
    further: dict[str, bytes] | None = None,
) -> OwnAuthority:
    """Keep an authority, trust it, and publish an empty list of it and *further* lists: all, or nothing of that."""
    site.authority.make_passphrase()
    line = b"".join(each.public_bytes(Encoding.PEM) for each in (made.issuer.certificate, *made.above))
    (own, *_) = read_above([made.issuer.certificate])
    event = Event(event.at, event.who, event.kind, own.certificate.name, event.detail, event.address)
    trusting = Event(event.at, event.who, Kind.TRUST_ADD, own.certificate.name, address=event.address)
    start = event.at.replace(microsecond=0)
    empty = make_list(made.issuer, (), int(event.at.timestamp()), (start, start + VALID))
    lists = {list_file(OwnAuthority(0, own)): empty.public_bytes(Encoding.PEM), **(further or {})}
    with ExitStack() as claims:
        claims.enter_context(site.authority.claimed())
        claims.enter_context(site.trust.claimed())
        if is_first and site.authority.current() is not None:
            raise SiteError("somebody else has made an authority meanwhile; see: gitupd certificates authority")
        asides: list[Path] = []
        with site.database.connection() as connection:
            aside = site.authority.lay_aside(connection, made, event)
            asides += site.trust.lay_aside(connection, line, trusting)
            for name, content in lists.items():
                said = Event(event.at, event.who, Kind.TRUST_ADD, own.certificate.name, f"trust/{name}", event.address)
                asides.append(site.trust.lay_aside_list(connection, name, content, said))
        site.trust.put(asides)
        site.authority.put(aside)
        kept = site.authority.current()
    if kept is None:
        raise SiteError(f"{site.authority.path} was emptied meanwhile")
    return kept


def _check_line(line: Sequence[x509.Certificate], now: datetime) -> None:
    """Raise InvalidEntry if the first of *line* may not sign for devices, or the others don't lead up to a root."""
    for height, reading in enumerate(read_above(line)):
        name = reading.certificate.name
        if reading.fault is not None or not (reading.may_sign and reading.may_sign_lists):
            raise InvalidEntry(f"{name} may not sign certificates and lists of revoked ones")
        if reading.path_length is not None and reading.path_length < height:
            raise InvalidEntry(f"{name} allows no such authority below it")
        if (fault := reading.certificate.untimely(now)) is not None:
            raise InvalidEntry(f"{name} {fault}")
    for below, above in pairwise(line):
        try:
            below.verify_directly_issued_by(above)
        except (InvalidSignature, UnsupportedAlgorithm, *UNREADABLE) as error:
            raise InvalidEntry(f"{_name(below)} is not signed by the certificate of {_name(above)}") from error
    if line[-1].subject != line[-1].issuer:
        raise InvalidEntry(f"the certificate of {line[-1].issuer.rfc4514_string()} is missing, who has signed the last")


def _root_list(site: Site, root: Issuer, stolen: OwnAuthority, now: datetime) -> bytes:
    """Return the root's list of revoked authorities, with one that was *stolen* besides those that are on it."""
    before: list[RevokedEntry] = []
    try:
        listed = x509.load_pem_x509_crl((site.trust.path / _root_file(root)).read_bytes())
        before = [RevokedEntry(each.serial_number, each.revocation_date_utc) for each in listed]
    except (OSError, *UNREADABLE):
        pass  # there is none yet
    entry = RevokedEntry(stolen.reading.number, now.replace(microsecond=0), x509.ReasonFlags.ca_compromise)
    start = now.replace(microsecond=0)
    end = min(start + _ROOT_LIST, root.certificate.not_valid_after_utc)
    return make_list(root, (*before, entry), int(now.timestamp()), (start, end)).public_bytes(Encoding.PEM)


def _root_file(root: Issuer) -> str:
    return list_file(OwnAuthority(0, read_above([root.certificate])[0]))


def _without_number(name: str) -> str:
    return re.sub(r" [0-9]+$", "", name)


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _event(actor: Actor, now: datetime, detail: str) -> Event:
    return Event(now, actor.name, Kind.AUTHORITY_ADD, detail=detail, address=actor.address)
