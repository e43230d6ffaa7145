"""What is wrong with keys that commits are signed with, and only shows once they are read, or in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.signers import ALLOWED_SIGNERS, read_signers
from gitupd.core.deployments.signature import Discounted, Flaw, SignedBy
from gitupd.errors import Problem, Severity, UnreadableRepository
from gitupd.service.deployments.gates.signature import verdicts
from gitupd.store.signatures.openpgp import UnreadableKey, openpgp_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.store.git.repository import ConfigRepository
    from gitupd.store.signatures.openpgp import OpenPgpKey

_GONE = (Flaw.UNKNOWN_KEY, Flaw.REVOKED, Flaw.NO_SIGNER)


def key_faults(files: Mapping[str, bytes], now: datetime) -> Iterator[Problem]:
    """Yield what is wrong *now* with the keys of those who sign, by what *files* say."""
    signers = read_signers(files)
    for signer in signers.allowed:
        if signer.before is not None and signer.before < now:
            message = f"the key of {signer.name} expired on {signer.before:%Y-%m-%d}"
            hint = "remove it, or give it longer"
            yield Problem(ALLOWED_SIGNERS, signer.line, 0, message, hint, Severity.WARNING)
    for path, content in signers.certificates:
        try:
            keys = openpgp_keys(content)
        except UnreadableKey as error:
            hint = "write it by: gpg --export --armor vera@example.com"
            yield Problem(path, 0, 0, f"no OpenPGP public key: {error}", hint)
            continue
        for key in keys:
            yield from _untimely(path, key, now)


def _untimely(path: str, key: OpenPgpKey, now: datetime) -> Iterator[Problem]:
    if key.revoked:
        message, hint = f"the key of {key.name} is revoked, and never counts", "remove it"
    elif key.expires is not None and key.expires < now:
        message, hint = f"the key of {key.name} expired on {key.expires:%Y-%m-%d}", "remove it, or export it anew"
    else:
        return
    yield Problem(path, 0, 0, message, hint, Severity.WARNING)


def signers_that_go(
    repository: ConfigRepository, commit: CommitId, files: Mapping[str, bytes], live: CommitId, now: datetime
) -> tuple[Problem, ...]:
    """Return warnings if *commit*, made of *files*, no longer lists who has signed it, or the deployed commit *live*.

    Whoever removes the key that signed last may have locked everybody out.
    """
    signers = read_signers(files)
    try:
        before = read_signers(repository.files(live))
        commits = [repository.describe(each) for each in (live, commit)]
        was = verdicts(repository, commits, before, now)
        will = verdicts(repository, commits, signers, now)
    except UnreadableRepository:
        return ()
    found: dict[str, Problem] = {}
    for (info, old), (_, new) in zip(was, will, strict=True):
        if isinstance(old, SignedBy) and isinstance(new, Discounted) and new.flaw in _GONE and old.key not in found:
            message = f"it no longer lists {old.name}, who has signed {info.id[:12]}"
            hint = "see that somebody is left who signs"
            found[old.key] = Problem("signers/", 0, 0, message, hint, Severity.WARNING)
    return tuple(found.values())
