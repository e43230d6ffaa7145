"""What the PHP server sent is what gitupd sends, but for the differences that are on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.conftest import RECORDINGS
from conformance.replay import replay

if TYPE_CHECKING:
    from pathlib import Path


def test_recording(recording: dict[str, Any], tmp_path: Path) -> None:
    differences = replay(recording, tmp_path)
    assert not differences, "\n\n".join(differences)


def test_a_changed_command_is_noticed(tmp_path: Path) -> None:
    recording = json.loads((RECORDINGS / "030_phase_staging_update.json").read_text("utf-8"))
    recording["steps"][2]["commands"][3] += "0"
    assert len(replay(recording, tmp_path)) == 1


def test_a_refusal_that_names_something_else_is_noticed(tmp_path: Path) -> None:
    recording = json.loads((RECORDINGS / "013_invalid_class_names.json").read_text("utf-8"))
    recording["import_error_must_name"].append("something else")
    assert len(replay(recording, tmp_path)) == 1


def test_a_version_too_many_or_another_content_is_noticed(tmp_path: Path) -> None:
    recording = json.loads((RECORDINGS / "142_backup_upload.json").read_text("utf-8"))
    recording["steps"][0]["stored"] += "0"
    recording["steps"][1]["new_version"] = True
    differences = replay(recording, tmp_path)
    assert ["stored" in differences[0], "0 new versions instead of 1" in differences[1]] == [True, True]
    assert len(differences) == 2
