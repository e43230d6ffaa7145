"""What the signature of a commit is worth, decided from what was found of it, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from gitupd.core.deployments.signers import NAMESPACE, fingerprint, first_listed, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.signers import AllowedSigner, CommitSigners
    from gitupd.core.snapshot import CommitId

_MOST_TOLD = 5
_LONGEST_SUBJECT = 60


class Flaw(Enum):
    """Why a signature counts for nothing, as it is said of its commit."""

    DAMAGED = "has a damaged signature"
    SEVERAL = "has several signatures, where one is allowed"
    FOREIGN = "has a signature of another kind than SSH and OpenPGP"
    WEAK = "has a signature that is too weak"
    OTHER_CONTENT = "has a signature of other content"
    NAMESPACE = "has a signature that was made for something else than Git"
    UNKNOWN_KEY = "is signed by an unknown key"
    REVOKED = "is signed by a revoked key"
    EXPIRED = "is signed by a key that had expired at its time"
    NOT_YET_VALID = "is signed by a key that was not valid yet at its time"
    NO_SIGNER = "is signed by a key that may not sign commits"
    FUTURE = "is dated in the future"


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A signature that counts: ``name`` is what ``signers/`` call its holder, ``key`` the fingerprint."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class NotSigned:
    """A commit without a signature."""


@dataclass(frozen=True, slots=True)
class Discounted:
    """A signature that counts for nothing: ``flaw`` is why, ``detail`` more of it, empty if there is nothing to say.

    ``key`` is the fingerprint of the key, empty where that can't be told.
    """

    flaw: Flaw
    detail: str = ""
    key: str = ""


SignatureVerdict = SignedBy | NotSigned | Discounted


@dataclass(frozen=True, slots=True)
class SshCertificate:
    """What an SSH certificate says: that ``authority`` (a key) lets its holder be each of ``principals`` for a time."""

    authority: bytes
    principals: tuple[str, ...]
    after: datetime | None
    before: datetime | None


@dataclass(frozen=True, slots=True)
class SshClaim:
    """A sound SSH signature: made by the holder of ``key`` for a ``namespace``, perhaps with a ``certificate``."""

    key: bytes
    namespace: str
    certificate: SshCertificate | None = None


def entitled(claim: SshClaim, at: datetime, signers: CommitSigners) -> SignedBy | Discounted:
    """Return what *claim*, in a commit of the time *at*, is worth by what *signers* say, as ``ssh-keygen`` does."""
    key = fingerprint(claim.key)
    authority = claim.certificate.authority if claim.certificate else None
    if claim.key in signers.revoked or authority in signers.revoked:
        return Discounted(Flaw.REVOKED, "signers/revoked_keys lists it", key)
    if claim.namespace != NAMESPACE:
        return Discounted(Flaw.NAMESPACE, repr(claim.namespace[:_LONGEST_SUBJECT]), key)
    verdicts = [_by_line(claim, at, line, key) for line in signers.allowed]
    known = [verdict for verdict in verdicts if verdict is not None]
    signed = (verdict for verdict in known if isinstance(verdict, SignedBy))
    return next(signed, known[0] if known else Discounted(Flaw.UNKNOWN_KEY, "", key))


def _by_line(claim: SshClaim, at: datetime, line: AllowedSigner, key: str) -> SignedBy | Discounted | None:
    """Return what one *line* says of *claim*, None if it is about other keys."""
    name, place = line.name, f"signers/allowed_signers:{line.line}"
    if not line.authority:
        # A key that came with a certificate counts by that alone, as for OpenSSH.
        if line.key != claim.key or claim.certificate is not None:
            return None
    else:
        if claim.certificate is None or line.key != claim.certificate.authority:
            return None
        holder = first_listed(claim.certificate.principals, line.principals)
        if holder is None:
            return Discounted(Flaw.NO_SIGNER, ", ".join(claim.certificate.principals)[:_LONGEST_SUBJECT], key)
        if flaw := _untimely(at, claim.certificate.after, claim.certificate.before, "its certificate"):
            return Discounted(*flaw, key)
        name = holder
    if line.namespaces and not listed(NAMESPACE, line.namespaces):
        return Discounted(Flaw.NO_SIGNER, f"{place} lets it sign for {line.namespaces}", key)
    if flaw := _untimely(at, line.after, line.before, place):
        return Discounted(*flaw, key)
    return SignedBy(name, key)


def _untimely(at: datetime, after: datetime | None, before: datetime | None, whose: str) -> tuple[Flaw, str] | None:
    if after is not None and at < after:
        return Flaw.NOT_YET_VALID, f"{whose}: not before {after:%Y-%m-%d %H:%M} UTC"
    if before is not None and at > before:
        return Flaw.EXPIRED, f"{whose}: not after {before:%Y-%m-%d %H:%M} UTC"
    return None


def sentence(verdict: SignatureVerdict) -> str:
    """Return what is said of a commit with this *verdict*, without its subject: ``is not signed`` and the like."""
    match verdict:
        case NotSigned():
            return "is not signed"
        case SignedBy(name):
            return f"is signed by {name}"
        case Discounted(flaw, detail, key):
            told = f"{flaw.value} ({detail})" if detail else flaw.value
            return f"{told}, {key}" if key else told
        case _:
            assert_never(verdict)


def mark(verdict: SignatureVerdict) -> str:
    """Return *verdict* in one to three words, as lists have room for."""
    match verdict:
        case NotSigned():
            return "not signed"
        case SignedBy():
            return "signed"
        case Discounted(Flaw.UNKNOWN_KEY):
            return "unknown key"
        case Discounted():
            return "bad signature"
        case _:
            assert_never(verdict)


def refusals(judged: Sequence[tuple[CommitInfo, SignatureVerdict]]) -> Iterator[tuple[str, CommitId]]:
    """Yield why commits may not be deployed, each with its subject, and its id; of many the oldest, and how many more.

    *judged* are commits, newest first: a history is mended from its oldest fault on.
    """
    bad = [(commit, verdict) for commit, verdict in judged if not isinstance(verdict, SignedBy)][::-1]
    most = _MOST_TOLD if len(bad) > _MOST_TOLD + 1 else len(bad)
    for commit, verdict in bad[:most]:
        yield f"commit {commit.id[:12]} {_subject(commit)} {sentence(verdict)}", commit.id
    if most < len(bad):
        yield f"{len(bad) - most:,} more commits are not signed as they have to be", bad[-1][0].id


def _subject(commit: CommitInfo) -> str:
    subject = commit.subject
    return repr(subject if len(subject) <= _LONGEST_SUBJECT else f"{subject[: _LONGEST_SUBJECT - 1]}…")
