"""One installation with nearly everything in it, held against the repository it has to become."""

from __future__ import annotations

from pathlib import Path

from gitupd.config.loader import load
from gitupd.importer import import_installation

HERE = Path(__file__).parent
SOURCE = HERE / "rich"
EXPECTED = HERE / "rich-repository"


def test_every_file_is_as_it_should_be() -> None:
    expected = {
        path.relative_to(EXPECTED).as_posix(): path.read_bytes() for path in EXPECTED.rglob("*") if path.is_file()
    }
    notes = expected.pop("notes.txt").decode()
    imported = import_installation(SOURCE)
    assert dict(imported.files) == expected
    assert "".join(f"{note}\n" for note in imported.notes) == notes


def test_the_repository_says_the_same() -> None:
    policy = load(import_installation(SOURCE).files).policy
    assert policy.staged_phases == ("Pilot", "staging", "_first_update", "update")
    assert not policy.full_expansion
    assert policy.transport.https_rewrite is not None
    assert policy.transport.https_rewrite("https://h/update.php?x") == "https://h/mtls/update.php?x"
    assert [each.name for each in policy.classes_of("ip111")][-2:] == ["DESK_2", "ip111"]


def test_the_master_devices_last_answer_and_firmware_come_along() -> None:
    imported = import_installation(SOURCE)
    cached = SOURCE / "cache/master-info.xml"
    assert imported.master_info == (b"<info/>", cached.stat().st_mtime)
    assert imported.firmware == (("137213/ip222.bin", SOURCE / "fw/137213/ip222.bin"),)
