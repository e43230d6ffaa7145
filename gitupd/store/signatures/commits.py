"""The signature of a commit: found in what Git has of it, and held against those who may sign."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gitupd.core.deployments.signature import (
    Discounted,
    Flaw,
    NotSigned,
    SignatureVerdict,
    SignedBy,
    entitled,
)
from gitupd.store.signatures import ssh
from gitupd.store.signatures.ssh import SshSignature, TooWeak, Unsound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.deployments.signers import CommitSigners
    from gitupd.core.snapshot import CommitId
    from gitupd.store.signatures.openpgp import OpenPgpKeys

LARGEST_SIGNATURE = 64 * 2**10
"""Bytes; one with the largest certificate that is meant has four thousand."""
TOLERANCE = timedelta(days=1)
"""How far the clock of whoever commits may be in front of ours."""
_KEPT = 50_000
_HEADER, _OTHER_FORMAT = b"gpgsig ", b"gpgsig-"
_OPENPGP, _OPENPGP_INLINE = b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN PGP MESSAGE-----"


class SplitCommit(NamedTuple):
    """A commit as Git has it: what is signed of it, and its signatures."""

    signed: bytes
    signatures: tuple[bytes, ...]


def split(content: bytes) -> SplitCommit:
    """Return the parts of a commit with this *content*, as ``git verify-commit`` takes it apart."""
    end = content.find(b"\n\n")
    head, rest = (content, b"") if end < 0 else (content[: end + 1], content[end + 1 :])
    kept, signatures = [], list[list[bytes]]()
    inside = False
    for line in head.split(b"\n"):
        if inside and line.startswith(b" "):
            signatures[-1].append(line[1:])
            continue
        inside = line.startswith((_HEADER, _OTHER_FORMAT))
        if inside:
            signatures.append([line.partition(b" ")[2]])
        else:
            kept.append(line)
    return SplitCommit(b"\n".join(kept) + rest, tuple(b"\n".join(lines) + b"\n" for lines in signatures))


class CommitJudge:
    """Judges commits by one set of signers, each once; may be used by several threads."""

    def __init__(self, signers: CommitSigners) -> None:
        """Judge by *signers*."""
        self._signers = signers
        self._known: OrderedDict[CommitId, SignatureVerdict] = OrderedDict()
        self._lock = threading.Lock()

    def verdict(self, commit: CommitInfo, read: Callable[[CommitId], bytes], now: datetime) -> SignatureVerdict:
        """Return what the signature of *commit* is worth; *read* returns what Git has of it, and may raise."""
        with self._lock:
            if (known := self._known.get(commit.id)) is not None:
                self._known.move_to_end(commit.id)
                return known
        verdict = self.judge(read(commit.id), commit.at, now)
        if not (isinstance(verdict, Discounted) and verdict.flaw is Flaw.FUTURE):
            with self._lock:
                self._known[commit.id] = verdict
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return verdict

    def judge(self, content: bytes, at: datetime, now: datetime) -> SignatureVerdict:
        """Return what the signature in a commit with this *content* is worth, which was committed *at* that time."""
        signed, signatures = split(content)
        if not signatures:
            return NotSigned()
        if len(signatures) > 1:
            return Discounted(Flaw.SEVERAL)
        (signature,) = signatures
        if len(signature) > LARGEST_SIGNATURE:
            return Discounted(Flaw.DAMAGED, f"{len(signature):,} bytes")
        if signature.startswith(ssh.BEGIN.encode()):
            verdict = self._by_ssh(signature, signed, at)
        elif signature.startswith(_OPENPGP):
            verdict = self._openpgp.judge(signature, signed, now)
        else:
            return Discounted(Flaw.FOREIGN if signature.startswith(b"-----BEGIN ") else Flaw.DAMAGED)
        if isinstance(verdict, SignedBy) and at > now + TOLERANCE:
            return Discounted(Flaw.FUTURE, f"{at:%Y-%m-%d %H:%M} UTC", verdict.key)
        return verdict

    def _by_ssh(self, armoured: bytes, signed: bytes, at: datetime) -> SignatureVerdict:
        try:
            signature = SshSignature.parse(armoured)
            claim = signature.claim()
        except Unsound as error:
            return Discounted(error.flaw, str(error))
        verdict = entitled(claim, at, self._signers)
        if not isinstance(verdict, SignedBy):
            return verdict  # with the key of a stranger nothing is computed, which may take long
        try:
            signature.check(signed)
        except Unsound as error:
            return Discounted(error.flaw, str(error), verdict.key)
        except TooWeak as error:
            return Discounted(Flaw.WEAK, str(error), verdict.key)
        return verdict

    @cached_property
    def _openpgp(self) -> OpenPgpKeys:
        from gitupd.store.signatures.openpgp import OpenPgpKeys  # noqa: PLC0415 - a large library that few need

        return OpenPgpKeys(content for _, content in self._signers.certificates)
