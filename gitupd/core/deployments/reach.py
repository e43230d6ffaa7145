"""Which devices a change of files reaches, by what is remembered of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.names import ALL, fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.device import Device
    from gitupd.core.snapshot import Snapshot


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
        return self.covers(device.model or "", (device.serial.place, *device.environments))

    def covers(self, model: str, places: Iterable[str]) -> bool:
        """Whether a device of *model* gets one of the files, in whatever phase.

        *places* are its serial number, as it stands in names of snippets, and its environments.
        """
        if self.is_whole:
            return True
        folded = {ALL, *map(fold, places)}
        return any(
            snippet.place in folded and snippet.device_class in _classes(snapshot, model)
            for snapshot, snippets in self._sides
            for snippet in snippets
        )


def _classes(snapshot: Snapshot, model: str) -> tuple[str, ...]:
    return (ALL, *(fold(device_class.snippets) for device_class in snapshot.policy.classes_of(model)))
