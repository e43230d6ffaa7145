"""Whether the render tests of a commit hold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gitupd.core.deployments.objection import Gate, Objection
from gitupd.core.situation import Basis
from gitupd.core.words import counted
from gitupd.errors import GitupdError
from gitupd.service.imagining import Imagining
from gitupd.service.testing.running import results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gitupd.core.snapshot import Snapshot
    from gitupd.service.deployments.gates.candidate import Candidate

_SECONDS_FOR_TESTS = 20.0


def by_tests(candidate: Candidate) -> Iterator[Objection]:
    """Yield how its render tests fail."""
    for text in failing_tests(candidate.snapshot, candidate.files, candidate.now):
        yield Objection(Gate.TESTS, text)


def failing_tests(snapshot: Snapshot, files: Mapping[str, bytes], now: datetime) -> Iterator[str]:
    """Yield in words how render tests fail; where lines are computed by code of its own, they are left to people."""
    if snapshot.scripting is not None:
        return
    deadline, failed = time.monotonic() + _SECONDS_FOR_TESTS, []
    try:
        for result in results(Imagining(Basis(snapshot), now), files):
            failed += [f"{result.path}: {result.name}"] if result.failures else []
            if time.monotonic() > deadline:
                yield f"its render tests take longer than {_SECONDS_FOR_TESTS:g} s"
                break
    except GitupdError as error:
        yield f"its render tests can't be run: {error}"
    if failed:
        yield f"{counted(len(failed), 'render test')} of it {'fails' if len(failed) == 1 else 'fail'}: {failed[0]}"
