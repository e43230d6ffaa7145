"""Whose defaults count: those of the installation, which are not always those of the last release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.config.builtin import BUILTIN
from gitupd.config.loader import load
from gitupd.errors import InvalidConfiguration
from gitupd.importer import import_installation

if TYPE_CHECKING:
    from conftest import Old

OFF = '<master info=""/>'


def edit(old: Old, before: str, after: str) -> None:
    """Change the installation's own defaults, which are on one line."""
    path = old.root / "config.xml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def told(old: Old, sections: str = OFF) -> list[str]:
    return [str(note).removeprefix("config.xml:1: warning: ") for note in old.imported(sections).notes]


def test_the_defaults_of_the_last_release_are_not_worth_a_word(old: Old) -> None:
    assert told(old) == []


def test_without_the_file_the_last_release_is_assumed(old: Old) -> None:
    (old.root / "config.xml").unlink()
    (note,) = told(old)
    assert note.startswith("config.xml: warning: there is no such file; the defaults of build 2033 are taken")


def test_a_default_that_was_edited_counts_and_is_named(old: Old) -> None:
    edit(old, 'interval="15"', 'interval="30"')
    assert old.document("policies/delivery.yaml", OFF) == "interval: 30"
    assert told(old) == ['interval="30" of <times>, where "15" is usual, counts']
    assert old.document("policies/delivery.yaml", f'{OFF}<times interval="60"/>') == "interval: 60"


def test_releases_without_forced_staging_do_not_force_it(old: Old) -> None:
    edit(old, ' forcestaging="true"', "")
    policy = load(old.imported(f'{OFF}<times allow="1"/>').files).policy
    assert not policy.delivery.staging_ignores_window
    assert told(old) == ['<times> has no forcestaging, where "true" is usual; that counts']


def test_an_older_class_has_the_models_it_had(old: Old) -> None:
    edit(old, "<model>ip101</model>", "")
    policy = load(old.imported(OFF).files).policy
    assert [each.name for each in policy.classes] == list(BUILTIN.classes)
    assert [each.name for each in policy.classes_of("ip101")] == ["ip101"]
    assert next(each.name for each in policy.classes_of("ip102")) == "phone"
    assert '<class id="phone"> has no ip101, where these are usual; that counts' in told(old)


def test_a_release_without_a_class_has_none_now_either(old: Old) -> None:
    text = (old.root / "config.xml").read_text()
    start = text.index('<class id="pbx">')
    edit(old, text[start : text.index("</class>", start) + len("</class>")], "")
    policy = load(old.imported(OFF, "update-pbx-default.txt").files).policy
    assert "pbx" not in [each.name for each in policy.classes]
    assert "<classes> has no pbx, where these are usual; that counts" in told(old)
    policy = load(old.imported(f'{OFF}<classes><class id="pbx"><model>ip800</model></class></classes>').files).policy
    assert [each.name for each in policy.classes_of("ip800")][-2:] == ["pbx", "ip800"]
    assert "pbx" not in [each.name for each in policy.classes_of("ip6000")]


def test_a_class_that_was_added_counts_and_is_named(old: Old) -> None:
    edit(old, "</classes>", '<class id="desk"><model>ip9</model></class></classes>')
    assert [each.name for each in load(old.imported(OFF).files).policy.classes_of("ip9")] == ["desk", "ip9"]
    assert told(old) == ["<classes> has desk, which are not usual; they count"]


def test_lists_of_exceptions_are_those_of_the_installation(old: Old) -> None:
    edit(old, "<model>ipbs2</model>", "")
    policy = load(old.imported('<master info="none" firmware="1" bootcode="2"/>').files).policy
    assert "ipbs2" not in policy.firmware.no_firmware | policy.firmware.no_bootcode
    assert "ipbs" in policy.firmware.no_firmware


def test_releases_without_names_of_files_load_what_the_model_is_called(old: Old) -> None:
    text = (old.root / "config.xml").read_text()
    start = text.index("<filenames>")
    edit(old, text[start : text.index("</filenames>") + len("</filenames>")], "")
    policy = load(old.imported(OFF).files).policy
    assert policy.firmware.file_names["mypbxa"] == {"prot": "mypbxa.bin", "boot": "bootmypbxa.bin"}
    assert "<config> has no <filenames>, where these are usual; that counts" in told(old)


def test_arguments_that_devices_fill_in(old: Old) -> None:
    edit(old, '<stdarg key="ip" value="#i" />', '<stdarg key="ip" value="#j" />')
    edit(old, '<stdarg key="ver" />', "")
    assert old.document("policies/delivery.yaml", OFF) == "url_arguments: {ip: '#j'}"
    assert any("devices fill these in all the same" in note for note in told(old))


def test_the_command_of_a_built_in_query(old: Old) -> None:
    edit(old, "mod cmd CMD0 xml-info", "mod cmd CMD9 xml-info")
    sections = f'{OFF}<queries><query id="admin"><applies>*</applies></query></queries>'
    assert [each.command for each in load(old.imported(sections).files).policy.queries if each.id == "admin"] == [
        "mod cmd CMD9 xml-info"
    ]
    assert any('the text "mod cmd CMD9 xml-info" of <cmd>' in note for note in told(old, sections))


def test_what_the_php_server_could_not_read_stops_the_import(old: Old) -> None:
    old.write("config.xml", b"<config>\n<times></config>")
    assert old.refused(OFF).startswith("config.xml:2: not well-formed XML")


def test_the_developers_configuration_wins(old: Old) -> None:
    old.write("config/user-config-dvl.xml", b'<config><master info=""/>\n<times interval="9" color="x"/></config>')
    imported = old.imported(f'{OFF}<times interval="60"/>')
    assert b"interval: 9\n" in imported.files["policies/delivery.yaml"]
    said = "\n".join(map(str, imported.notes))
    assert "config/user-config-dvl.xml:2: warning: <times> has an unknown attribute" in said
    assert "config/user-config.xml: warning: left out: the PHP server reads config/user-config-dvl.xml instead" in said


def test_before_build_2007_all_was_in_the_root(old: Old) -> None:
    old.write("user-config.xml", b'<config><master info=""/><times interval="7"/></config>')
    assert b"interval: 7\n" in import_installation(old.root).files["policies/delivery.yaml"]
    old.write("user-config-dvl.xml", b'<config><master info=""/><times interval="8"/></config>')
    assert b"interval: 8\n" in import_installation(old.root).files["policies/delivery.yaml"]
    imported = old.imported(OFF)
    assert "policies/delivery.yaml" not in imported.files
    assert [note.path for note in imported.notes] == ["user-config-dvl.xml", "user-config.xml"]


@pytest.mark.parametrize(
    "files",
    [
        {"update.php": b"<?php require_once('classes/updateserver.class.php');", "user-config.xml": b"<config/>"},
        {"update.php": b"<?php"},
        {"build.txt": b"1011\n", "config/user-config.xml": b"<config/>"},
    ],
)
def test_the_first_version_is_told_what_to_do(old: Old, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        old.write(path, content)
    with pytest.raises(InvalidConfiguration) as caught:
        import_installation(old.root)
    assert "build 1011 or older, which can't be imported; on a copy of it, install build 2033" in str(caught.value)


def test_the_second_version_is_no_first_one(old: Old) -> None:
    old.write("update.php", b"<?php require_once('classes/updateserverV2.class.php');")
    old.write("build.txt", b"2028")
    assert "phases.yaml" in old.imported(OFF).files
