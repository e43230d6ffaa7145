"""What files make, and all that is wrong with them: also what depends on the time."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gitupd.config.documents import SIGNERS
from gitupd.config.loader import NOT_COMMITTED, build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gitupd.core.secrets.sealed import Opener
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.errors import Problem


def examined(
    files: Mapping[str, bytes], now: datetime, commit: CommitId = NOT_COMMITTED, opener: Opener | None = None
) -> tuple[Snapshot, tuple[Problem, ...]]:
    """Return the snapshot that *files* make and all that is wrong with them *now*, in order of place.

    As :func:`~gitupd.config.loader.build`, and after a look into certificates, and into keys of those who sign commits.
    """
    snapshot, problems = build(files, commit, opener)
    certificates = snapshot.policy.certificates
    more: list[Problem] = []
    if any(fnmatchcase(path, certificates.chain) for path in files):
        from gitupd.service.certificates.chain import chain_faults  # noqa: PLC0415 - cryptography is for few

        more += chain_faults(files, certificates, now)
    if any(path.startswith(SIGNERS) for path in files):
        from gitupd.service.deployments.signing_keys import key_faults  # noqa: PLC0415 - see above

        more += key_faults(files, now)
    return snapshot, tuple(sorted((*problems, *more))) if more else problems
