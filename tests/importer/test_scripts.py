"""Which scripts are taken over: those that the PHP server would have sent to some device."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

import pytest

from gitupd.config.loader import load
from gitupd.core.names import fold

if TYPE_CHECKING:
    from conftest import Old

ALONE = '<master info=""/>'
TWO = f'{ALONE}<phases><phase id="Pre" seq="1"/></phases><environments><environment id="ÄRzte"/></environments>'


def snippets(old: Old, sections: str, name: str) -> list[str]:
    return [path for path in old.imported(sections, name).files if path.startswith("snippets/")]


@pytest.mark.parametrize(
    ("sections", "name"),
    [
        (ALONE, "update-all-default.txt"),
        (ALONE, "update-ip29-9-default.txt"),
        (ALONE, "update-phone_-00_90_33_30_00_af.txt"),
        (ALONE, "update-phone-0090333000af.txt"),
        (TWO, "all-all-all.txt"),
        (TWO, "pre-ip110a-Ärzte.txt"),
        (f'{ALONE}<times allow="1" forcestaging="true"/>', "all-all-default.txt"),
    ],
)
def test_taken(old: Old, sections: str, name: str) -> None:
    assert snippets(old, sections, name) == [f"snippets/{name}"]


@pytest.mark.parametrize(
    ("sections", "name"),
    [
        (ALONE, "all-all-default.txt"),
        (ALONE, "update-all-all.txt"),
        (f'{ALONE}<times allow="1"/>', "all-all-default.txt"),
        (TWO, "Pre-all-all.txt"),
        (TWO, "all-PHONE-all.txt"),
        (TWO, "all-all-All.txt"),
        (TWO, "all-all-ärzte.txt"),
        (TWO, "all-all-00_90_33_30_00_AF.txt"),
        (TWO, "all-all-00-90-33-30-00-af.txt"),
        (TWO, "all--all.txt"),
        (TWO, "all-all.txt"),
        (TWO, "all-all-all.TXT"),
        (TWO, "all-all-all.txt.bak"),
        (TWO, "all-a b-all.txt"),
        (TWO, "nophase-all-all.txt"),
        (TWO, "all-all-nowhere.txt"),
        (f'{TWO}<times allow="1" forcestaging="true"/>', "_first_update-all-all.txt"),
    ],
)
def test_left_out_with_a_note(old: Old, sections: str, name: str) -> None:
    assert snippets(old, sections, name) == []
    assert f"scripts/{name}: warning: left out" in "\n".join(map(str, old.imported(sections).notes))


@pytest.mark.parametrize("name", ["wall phones", "a'b", "a&amp;b", "&lt;a&gt;", "a&quot;b", "ärzte", ".x", "_x"])
def test_a_class_and_its_scripts_may_be_called_as_no_model_can(old: Old, name: str) -> None:
    sections = f'{ALONE}<classes><class id="{name}"><model>ip232</model></class></classes>'
    script = f"update-{unescape(name, {'&quot;': chr(34)})}-default.txt"
    snapshot = load(old.imported(sections, script).files)
    assert [each.path for each in snapshot.snippets] == [f"snippets/{script}"]


@pytest.mark.parametrize("name", [".pre", ".", "..x", "#x", "README", "ReadMe"])
def test_a_phase_may_be_called_as_files_about_snippets_begin(old: Old, name: str) -> None:
    script = f"{fold(name)}-all-default.txt"
    sections = f'{ALONE}<phases><phase id="{name}" seq="1"/></phases>'
    snapshot = load(old.imported(sections, script).files)
    assert [each.path for each in snapshot.snippets] == [f"snippets/{script}"]


def test_a_name_that_no_repository_can_hold_is_no_reason_to_say_that_it_was_never_sent(old: Old) -> None:
    sections = f'{ALONE}<classes><class id="a\u00a0b"><model>ip232</model></class></classes>'
    notes = "\n".join(map(str, old.imported(sections, "update-a\u00a0b-default.txt").notes))
    assert "left out: its name is too long for a repository, or has unprintable characters" in notes


def test_the_content_is_kept_byte_for_byte(old: Old) -> None:
    content = b"\xef\xbb\xbf a \r\n\r\n\xff\x00b"
    old.write("scripts/update-all-default.txt", content)
    assert old.imported(ALONE).files["snippets/update-all-default.txt"] == content


def test_another_folder(old: Old) -> None:
    old.write("texts/update-all-default.txt")
    assert snippets(old, f'{ALONE}<times dir="texts"/>', "update-gw-default.txt") == ["snippets/update-all-default.txt"]


def test_a_folder_that_is_not_there(old: Old) -> None:
    assert snippets(old, f'{ALONE}<times dir="/srv/x"/>', "update-gw-default.txt") == ["snippets/update-gw-default.txt"]
    assert 'dir="/srv/x"' in str(old.imported(f'{ALONE}<times dir="/srv/x"/>').notes[0])
