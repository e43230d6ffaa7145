"""Which devices a change of files reaches, by what is remembered of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.names import ALL, fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.device import Device
    from gitupd.core.snapshot import Snapshot, Snippet


class Reach:
    """The snippets among some changed files; what a document says may concern everybody."""

    def __init__(self, before: Snapshot, after: Snapshot, paths: Iterable[str]) -> None:
        """Look for changed files of these *paths* in what a commit says, and in what the other one does."""
        changed = set(paths)
        self._sides = [
            (snapshot, [snippet for snippet in snapshot.snippets if snippet.path in changed])
            for snapshot in (before, after)
        ]
        self.is_whole = bool(changed - {snippet.path for _, snippets in self._sides for snippet in snippets})

    def includes(self, device: Device) -> bool:
        """Whether *device* gets one of the files, in whatever phase."""
        return self.is_whole or any(
            _is_for(snippet, snapshot, device) for snapshot, snippets in self._sides for snippet in snippets
        )


def _is_for(snippet: Snippet, snapshot: Snapshot, device: Device) -> bool:
    classes = (fold(device_class.snippets) for device_class in snapshot.policy.classes_of(device.model or ""))
    places = (device.serial.place, *map(fold, device.environments))
    return snippet.device_class in (ALL, *classes) and snippet.place in (ALL, *places)
