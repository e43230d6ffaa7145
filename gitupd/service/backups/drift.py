"""How a backup stands to a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.backups.intent import intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.backups.intent import Intent
    from gitupd.core.patterns import TextPattern
    from gitupd.core.script import Script


def held_against(script: Script, backup: Iterable[str], secrets: Sequence[TextPattern]) -> Intent:
    """Return how the lines of a *backup* stand to a *script*; lines in which one of *secrets* is found are secret."""

    def is_secret(line: str) -> bool:
        return any(pattern.search(line) for pattern in secrets)

    return intent(((line.number, line.text) for line in script.lines), backup, is_secret)
