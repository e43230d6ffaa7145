"""Installations that nobody would make by accident."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import InvalidConfiguration
from gitupd.importer import import_installation

if TYPE_CHECKING:
    from conftest import Old

PLAIN = '<master info=""/>'


def refused(old: Old, content: bytes) -> str:
    old.write("config/user-config.xml", content)
    with pytest.raises(InvalidConfiguration) as caught:
        import_installation(old.root)
    return str(caught.value)


def test_no_configuration(old: Old) -> None:
    with pytest.raises(InvalidConfiguration, match=r"config/user-config.xml: there is no such file"):
        import_installation(old.root)


def test_a_configuration_beside_the_folders(old: Old) -> None:
    old.write("user-config.xml", b'<config><master firmware="x"/></config>')
    with pytest.raises(InvalidConfiguration, match=r"^user-config.xml:1: firmware="):
        import_installation(old.root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "config/user-config.xml: the file is empty"),
        (b" \n", "config/user-config.xml: the file is empty"),
        (b"<config>\n<times></config>", "config/user-config.xml:2: not well-formed XML"),
        (b"<config>\xff</config>", "not well-formed XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><config/>', "not well-formed XML"),
        (b'<config xmlns="urn:x"/>', "is in a namespace"),
        (b"<config>" + b"<a>" * 10_000, "not well-formed XML"),
        (b"<config>" + b" " * (4 * 2**20) + b"</config>", "it has 4,194,321 bytes"),
        (b"<!DOCTYPE config SYSTEM 'x.dtd'><config><master info='http://m/x'>&a;</master></config>", "entity"),
    ],
)
def test_configurations_that_can_not_be_read(old: Old, content: bytes, message: str) -> None:
    assert message in refused(old, content)


def test_entities_are_refused_and_never_expanded(old: Old) -> None:
    old.write("secret", b"do not tell")
    secret = (old.root / "secret").as_uri().encode()
    declared = b'<!DOCTYPE config [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b SYSTEM "' + secret + b'">]>'
    for use in (b"<unknown>&a;&b;</unknown>", b'<times interval="&a;"/>', b""):
        said = refused(old, declared + b"<config>" + use + b"</config>")
        assert "entit" in said
        assert "tell" not in said
    bomb = b'<!ENTITY l0 "lol">' + b"".join(
        b'<!ENTITY l%d "%s">' % (depth, b"&l%d;" % (depth - 1) * 10) for depth in range(1, 10)
    )
    assert len(refused(old, b"<!DOCTYPE c [" + bomb + b"]><config><times interval='&l9;'/></config>")) < 1000


def test_a_document_type_elsewhere_is_ignored(old: Old) -> None:
    old.write("config/user-config.xml", b'<!DOCTYPE config SYSTEM "http://127.0.0.1:1/x.dtd"><config/>')
    assert "phases.yaml" in import_installation(old.root).files


def test_other_encodings(old: Old) -> None:
    text = '<?xml version="1.0" encoding="{}"?><config><environments><environment id="Zürich"/></environments></config>'
    for encoding in ("ISO-8859-1", "UTF-8", "UTF-16"):
        old.write("config/user-config.xml", text.format(encoding).encode(encoding))
        assert "Zürich: {}" in import_installation(old.root).files["environments.yaml"].decode()


def test_texts_that_no_repository_can_hold(old: Old) -> None:
    said = old.refused(
        f'<queries><query id="x" title="{"t" * 2000}"><cmd>c</cmd><applies>*</applies></query></queries>'
    )
    assert "config/user-config.xml: queries.yaml can't say the same" in said
    assert old.refused(f'<fwstorage url="{"&#9;" * 3}"/>')


def test_values_that_are_no_yaml_as_they_stand(old: Old) -> None:
    sections = """<environments><environment id="yes"/><environment id="010"/><environment id="# x: {"/>
      <environment id="&#x2028;x&#x85;y"/></environments>"""
    assert 'id="\\u2028x' in old.refused(sections)
    known = old.imported(sections.replace("&#x2028;", "")).files["environments.yaml"].decode()
    assert "'yes': {}" in known
    assert "'010': {}" in known


def test_links_and_other_things_among_the_scripts(old: Old) -> None:
    outside = old.root.parent / f"{old.root.name}-outside.txt"
    outside.write_bytes(b"secret")
    old.write("scripts/phone.inc", b"config add X /y\n")
    (old.root / "scripts/update-gw-default.txt").symlink_to(outside)
    (old.root / "scripts/update-phone-default.txt").symlink_to("phone.inc")
    (old.root / "scripts/update-pbx-default.txt").symlink_to("update-pbx-default.txt")
    (old.root / "scripts/update-mobile-default.txt").mkdir()
    os.mkfifo(old.root / "scripts/update-brigw-default.txt")
    old.write("scripts/update-all-default.txt", b"x" * (4 * 2**20 + 1))
    imported = old.imported(PLAIN)
    assert [path for path in imported.files if path.startswith("snippets/")] == ["snippets/update-phone-default.txt"]
    said = "\n".join(map(str, imported.notes))
    assert "update-gw-default.txt: warning: left out: it is a link to a place outside" in said
    assert "update-pbx-default.txt: warning: left out: it can't be read" in said
    assert "update-mobile-default.txt: warning: left out: it is no regular file" in said
    assert "update-brigw-default.txt: warning: left out: it is no regular file" in said
    assert "update-all-default.txt: warning: left out: it has 4,194,305 bytes" in said


def test_names_that_are_no_text(old: Old) -> None:
    for name in (b"update-\xff-default.txt", b"update-a\nb-default.txt", b"\x1b[31m.txt"):
        (old.root / "scripts" / os.fsdecode(name)).write_bytes(b"x")
    imported = old.imported(PLAIN)
    assert not [path for path in imported.files if path.startswith("snippets/")]
    assert all(note.path.isprintable() for note in imported.notes)
    assert len(imported.notes) == 3


def test_folders_outside_are_not_read(old: Old) -> None:
    outside = old.root.parent / f"{old.root.name}-certs"
    outside.mkdir()
    (outside / "CAkey.pem").write_bytes(b"x")
    for named in (f"../{outside.name}", str(outside), "x" * 5000):
        sections = f'{PLAIN}<customcerts dir="{named}"/><times dir="{named}"/>'
        assert not [path for path in old.imported(sections).files if path.startswith("certificates/")]
    (old.root / "link").symlink_to(outside)
    assert len(old.imported(f'{PLAIN}<customcerts dir="link"/>').files) == 6
    assert old.imported(f'<master info="" cache="../{outside.name}/CAkey.pem"/>').master_info is None


def test_certificates_of_the_authority(old: Old) -> None:
    old.write("certs/CAkey1.pem", b"-----BEGIN CERTIFICATE-----")
    old.write("certs/CAkey2.pem", b"-----BEGIN " + b"RSA PRIVATE KEY-----")
    old.write("certs/root.cer", b"root")
    imported = old.imported(f'{PLAIN}<customcerts dir="certs"/>')
    assert [path for path in imported.files if path.startswith("certificates/")] == ["certificates/CAkey1.pem"]
    assert "certs/CAkey2.pem: warning: left out: it holds a private key" in "\n".join(map(str, imported.notes))
    imported = old.imported(f'{PLAIN}<customcerts dir="certs" CAkeys="root*"/>')
    assert imported.files["certificates/root.cer"] == b"root"
    assert b"chain: certificates/root*\n" in imported.files["policies/certificates.yaml"]


def test_firmware_files(old: Old) -> None:
    good = old.write("fw/137213/ip222.bin")
    old.write("fw/13 72/x.bin")
    (old.root / "fw/137213/passwd").symlink_to("/etc/passwd")
    imported = old.imported(PLAIN)
    assert imported.firmware == (("137213/ip222.bin", good),)
    assert [note.path for note in imported.notes] == ["fw/13 72/x.bin", "fw/137213/passwd"]


def test_own_code_is_named(old: Old) -> None:
    old.write("config/scripting.class.php", b"<?php class CustomUpdateSnippet extends UpdateSnippet {}")
    assert str(old.imported(PLAIN).notes[0]).startswith(
        "config/scripting.class.php: warning: own code can't be translated"
    )


def test_the_class_that_own_code_extends_is_none_unless_somebody_has_written_into_it(old: Old) -> None:
    base = old.write("scripting.class.php", b"<?php class UpdateSnippet {}")
    assert "part of the PHP server itself" in str(old.imported(PLAIN).notes[0])
    base.write_bytes(b"<?php class UpdateSnippet {} class CustomUpdateSnippet extends UpdateSnippet {}")
    assert "own code can't be translated" in str(old.imported(PLAIN).notes[0])
