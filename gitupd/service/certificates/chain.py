"""What is wrong with the authority's certificates in a configuration, and only shows once they are read, or in time."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gitupd.config.chain import certificates_in
from gitupd.errors import Problem, Severity
from gitupd.store.certificates.reading import UnreadableCertificate, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from gitupd.core.policy import Certificates
    from gitupd.store.certificates.reading import CertificateReading

_MOST = 100
"""So many certificates are looked at; a chain has three or four."""


class _Link(NamedTuple):
    """One certificate of the chain, and in which file it stands."""

    path: str
    reading: CertificateReading

    @property
    def name(self) -> str:
        return self.reading.certificate.name


def chain_faults(files: Mapping[str, bytes], policy: Certificates, now: datetime) -> Iterator[Problem]:
    """Yield warnings on those of *files* that go along with what is signed, as they are *now*."""
    chain: list[_Link] = []
    paths = sorted(path for path in files if fnmatchcase(path, policy.chain))
    for path, der in islice(((place, der) for place in paths for der in certificates_in(files[place])), _MOST):
        try:
            chain.append(_Link(path, read(der)))
        except UnreadableCertificate as error:
            yield _warning(path, f"what stands here {error}", "put the authority's certificate here")
    for at, link in enumerate(chain):
        yield from _faults(link, now)
        yield from _disorder(chain, at)


def _faults(link: _Link, now: datetime) -> Iterator[Problem]:
    if untimely := link.reading.certificate.untimely(now):
        hint = "put the authority's present certificate here"
        yield _warning(link.path, f"the certificate {link.name} {untimely}", hint)
    if not link.reading.may_sign and not (link.reading.is_old and link.reading.is_self_issued):
        hint = "leave only those of the authority here"
        yield _warning(link.path, f"the certificate {link.name} may not sign others, so it is no authority's", hint)


def _disorder(chain: Sequence[_Link], at: int) -> Iterator[Problem]:
    """Yield a warning if who has signed a certificate of the *chain* is in it, and does not come next."""
    link = chain[at]
    above = [place for place, other in enumerate(chain) if other.reading.subject == link.reading.issuer]
    if link.reading.is_self_issued or not above or at + 1 in above:
        return
    issuer = chain[above[0]]
    message = f"out of order: the certificate {link.name} is not followed by {issuer.name}, which has signed it"
    yield _warning(link.path, message, f"that one is in {issuer.path}; number the files from the issuing authority up")


def _warning(path: str, message: str, hint: str) -> Problem:
    return Problem(path, 0, 0, message, hint, Severity.WARNING)
