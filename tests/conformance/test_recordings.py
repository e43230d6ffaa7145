"""What the PHP server sent is what gitupd sends, but for the differences that are on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.replay import replay

if TYPE_CHECKING:
    from pathlib import Path


def test_recording(recording: dict[str, Any], tmp_path: Path) -> None:
    differences = replay(recording, tmp_path)
    assert not differences, "\n\n".join(differences)
