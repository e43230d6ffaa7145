"""Nothing in an installation vanishes without a word: it is imported, or the report names it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import InvalidConfiguration
from gitupd.importer import Imported, import_installation
from gitupd.importer.defaults import KNOWN, TEXTS
from gitupd.importer.rollouts import RolloutPart

if TYPE_CHECKING:
    from conftest import Old

SERIAL, OTHER = "00-90-33-30-00-af", "00-90-33-30-00-b0"

FRAGMENTS = {
    "": "<config {}></config>",
    "master": '<config><master info="http://m/x" {}/></config>',
    "master/applies": '<config><master info="http://m/x"><applies {}>default</applies></master></config>',
    "fwstorage": "<config><fwstorage {}/></config>",
    "backup": "<config><backup {}/></config>",
    "status": "<config><status {}/></config>",
    "times": "<config><times {}/></config>",
    "customcerts": '<config><customcerts dir="certs" {}/></config>',
    "phases": "<config><phases {}/></config>",
    "phases/phase": "<config><phases><phase {}/></phases></config>",
    "environments": "<config><environments {}/></config>",
    "environments/environment": "<config><environments><environment {}/></environments></config>",
    "environments/environment/implies": (
        '<config><environments><environment id="e"><implies {}>default</implies></environment></environments></config>'
    ),
    "classes": "<config><classes {}/></config>",
    "classes/class": "<config><classes><class {}/></classes></config>",
    "classes/class/model": '<config><classes><class id="c"><model {}>ip1</model></class></classes></config>',
    "nobootdev": "<config><nobootdev {}/></config>",
    "nobootdev/model": "<config><nobootdev><model {}>ip1</model></nobootdev></config>",
    "nofirmdev": "<config><nofirmdev {}/></config>",
    "nofirmdev/model": "<config><nofirmdev><model {}>ip1</model></nofirmdev></config>",
    "filenames": "<config><filenames {}/></config>",
    "filenames/model": '<config><filenames><model id="ip1" {}/></filenames></config>',
    "stdargs": "<config><stdargs {}/></config>",
    "stdargs/stdarg": '<config><stdargs><stdarg key="x" {}/></stdargs></config>',
    "queries": "<config><queries {}/></config>",
    "queries/query": '<config><queries><query id="q" {}><cmd>c</cmd><applies>*</applies></query></queries></config>',
    "queries/query/cmd": (
        '<config><queries><query id="q"><cmd {}>c</cmd><applies>*</applies></query></queries></config>'
    ),
    "queries/query/applies": (
        '<config><queries><query id="q"><cmd>c</cmd><applies {}>default</applies></query></queries></config>'
    ),
    "queries/query/show": (
        '<config><queries><query id="q"><cmd>c</cmd><applies>*</applies><show {}>/a</show></query></queries></config>'
    ),
}
"""A configuration with an element of each path, and room for an attribute."""

VALUES = {
    "info": "http://n/y", "expire": "90", "firmware": "137213", "bootcode": "137213", "nbackups": "3", "minage": "4",
    "missing": "90", "refresh": "9", "logkeep": "90", "usehttpsdevlinks": "false", "check": "false", "polling": "7",
    "interval": "30", "grace": "900", "forcehttps": "true", "httpsport": "444", "forcetrust": "true",
    "httpsurlmod": "!a!b!", "forcestaging": "false", "allow": "1,2", "initial": "8", "renew": "9", "seq": "7",
    "CAkeys": "other*", "value": "#n", "CAnamesep": ";",
}  # fmt: skip
"""What is written into an attribute where not any text will do."""

IDS = ("phases/phase", "environments/environment", "classes/class")


def test_there_is_a_fragment_of_each_element() -> None:
    assert FRAGMENTS.keys() == KNOWN.keys()
    assert KNOWN.keys() > TEXTS


@pytest.mark.parametrize(
    ("path", "attribute"),
    [(path, name) for path, names in KNOWN.items() for name in sorted(names)] + [(path, "surplus") for path in KNOWN],
)
def test_each_attribute_is_imported_or_named(old: Old, path: str, attribute: str) -> None:
    fragment = FRAGMENTS[path]
    for name in ("info", "id", "key", "dir"):
        if name == attribute:
            fragment = fragment.replace(f'{name}="', f'was-{name}="')
    beside = ' id="x"' if path in IDS and attribute != "id" else ""
    if attribute == "forcetrust":
        fragment = fragment.replace("<times", '<customcerts dir="certs"/><times')
    old.write("certs/other1.pem")
    without = _imported(old, fragment.format(beside) if path != "master" else fragment.replace(" {}", beside))
    planted = _imported(old, fragment.format(f'{beside} {attribute}="{VALUES.get(attribute, "some")}"'))
    notes = [note for note in planted.notes if note not in without.notes and note.line]
    assert planted.files != without.files or any(attribute in note.message for note in notes)


def _imported(old: Old, configuration: str) -> Imported:
    """Return what comes of *configuration*: if it is refused, nothing and all errors."""
    old.write("config/user-config.xml", configuration.encode())
    try:
        return import_installation(old.root)
    except InvalidConfiguration as refusal:
        return Imported({}, refusal.problems, None, ())


@pytest.mark.parametrize("path", [path for path in KNOWN if path not in TEXTS])
def test_text_where_none_belongs_is_named(old: Old, path: str) -> None:
    tag = path.rpartition("/")[2] or "config"
    beside = ' id="x"' if path in IDS else ""
    configuration = FRAGMENTS[path].format(beside)
    start = configuration.index(f"<{tag}")
    end = configuration.index(">", start)
    within = (
        f"{configuration[: end - 1]}>stray text</{tag}>"
        if configuration[end - 1] == "/"
        else f"{configuration[:end]}>stray text"
    ) + configuration[end + 1 :]
    assert any('the text "stray text"' in note.message for note in _imported(old, within).notes)


FILES = (
    "config/user-config.xml", "config/user-config-sample.xml", "config/notes.txt", "config.xml", "full-config.xml",
    "full-config.dtd", "build.txt", "README.md", "LICENSE", "update-migrate.php", "scripting.class.php",
    "config/scripting.class.php", "admin/admin.php", "admin/own.php", "classes/core.php",
    "classes/updateserverV2.class.php", "web/style.css", "scripts/update-all-default.txt", "scripts/old/x.txt",
    "scripts/all-all-all-sample.txt", f"status/{SERIAL}.xml", f"status/{OTHER}.xml",
    "status/lastcleanup", "status/notes.xml", "certs/anybody-request.p10.der", "certs/CAkey1.pem",
    "certs/root.key", f"certs/{SERIAL}-request.p10.der", f"certs/{SERIAL}-request.p10.pem",
    f"certs/{SERIAL}-request.der.key", f"certs/{SERIAL}-signedrequest.cer", f"certs/{SERIAL}-requesterror",
    "certs/other.pem", "cache/master-info.xml", "cache/else.xml", "debug/before.xml",
    f"debug/debug-{SERIAL}-certs.txt", "debug/Request-Certs.txt", "backup/IP222-30-00-af/IP222-30-00-af.1.txt",
    "backup/IP222-30-00-af/notes.doc", "backup/strange/strange.1.txt", "backup/stray.txt", "fw/137213/ip222.bin",
    "fw/137213/deep/er.bin", "fw/ip222.bin", "fw/137213/empty.bin", ".htaccess", ".git/config", "web.config",
    "own/folder/file.bin", "with blank.txt",
)  # fmt: skip

CONTENTS = {f"status/{OTHER}.xml": b"<state><device/></state>"}
"""Of files that are looked into."""


def test_each_file_is_imported_or_named(old: Old) -> None:
    for path in FILES:
        if path != "config.xml":
            old.write(path, CONTENTS.get(path, b"" if "empty" in path else b"x"))
    (old.root / "hollow").mkdir()
    (old.root / "elsewhere").symlink_to("/etc")
    (old.root / "fw/linked").symlink_to(old.root / "own")
    (old.root / "dangling").symlink_to("nowhere")
    imported = old.imported(
        '<master info="http://m/x"/><status dir="status"/><backup dir="backup"/><customcerts dir="certs"/>'
    )
    taken = {
        "config/user-config.xml", "config.xml", "cache/master-info.xml", "certs/CAkey1.pem",
        "scripts/update-all-default.txt", "fw/137213/ip222.bin", "backup/IP222-30-00-af/IP222-30-00-af.1.txt",
        f"status/{OTHER}.xml", *(f"certs/{SERIAL}-{end}" for end in RolloutPart),
    }  # fmt: skip
    assert {
        path for path in (*FILES, "hollow", "elsewhere", "fw/linked", "dangling") if not _named(imported, path)
    } == taken
    assert {"certificates/CAkey1.pem", "snippets/update-all-default.txt"} <= imported.files.keys()
    assert imported.master_info is not None
    assert [name for name, _ in imported.firmware] == ["137213/ip222.bin"]
    assert [backup.path.name for backup in imported.backups] == ["IP222-30-00-af.1.txt"]
    assert [device.serial for device in imported.devices] == [OTHER.replace("-", "")]
    assert [len(rollout.files) for rollout in imported.rollouts] == [len(RolloutPart)]


def _named(imported: Imported, path: str) -> bool:
    """Whether a note is about *path*, or about a folder and the hidden folder or file in it."""
    folder, _, name = path.rpartition("/")
    places = {(path, ""), (f"{folder}/" if folder else ".", name)}
    if path.startswith(".git/"):
        places |= {(".git", ""), (".", ".git")}
    return any(
        note.path == place and (not word or word in re.split(", |: ", note.message))
        for note in imported.notes
        for place, word in places
    )


def test_many_files_of_a_kind_are_one_note(old: Old) -> None:
    for number in range(1000):
        old.write(f"status/00-90-33-00-{number // 100:02}-{number % 100:02}.xml", b"<state/>")
    old.write("status/lastcleanup", b"")
    stamp, note = sorted(old.imported('<master info=""/><status dir="status"/>').notes, reverse=True)
    assert "by which the PHP server knew when it had tidied up last" in str(stamp)
    assert str(note).startswith("status/: warning: 1,000 left out: it is no status of a device")
    assert str(note).endswith("00-90-33-00-00-29.xml and 970 more")


def test_links_to_folders_within_are_followed_only_where_the_configuration_leads(old: Old) -> None:
    old.write("disk/fw/137213/ip222.bin")
    (old.root / "fw").symlink_to(old.root / "disk/fw")
    imported = old.imported('<master info=""/>')
    assert [name for name, _ in imported.firmware] == ["137213/ip222.bin"]
    assert imported.notes == ()


@pytest.mark.parametrize("section", ["times", "status", "backup", "customcerts"])
def test_a_folder_elsewhere_is_named(old: Old, section: str) -> None:
    (note,) = [
        each for each in old.imported(f'<master info=""/><{section} dir="/srv/x"/>').notes if "dir=" in str(each)
    ]
    assert f'the folder dir="/srv/x" of <{section}> can\'t be read' in note.message
    assert note.line == 2


def test_what_has_no_effect_is_named(old: Old) -> None:
    notes = "\n".join(map(str, old.imported(
        '<master info="" firmware="1" expire="9"><applies>phone</applies></master><customcerts CAname="X"/>'
    ).notes))  # fmt: skip
    assert 'firmware="1" of <master> is without effect, because its info is empty' in notes
    assert 'expire="9" of <master> is without effect' in notes
    assert "<applies> in <master> is without effect" in notes
    assert 'CAname="X" of <customcerts> is without effect, because it has no dir' in notes
    notes = "\n".join(map(str, old.imported('<master info="x.xml" firmware="1" bootcode="2" expire="9"/>').notes))
    assert 'info="x.xml" of <master> is without effect, because no build follows a master device' in notes
    assert 'expire="9" of <master> is without effect' in notes


def test_passwords_are_not_repeated(old: Old) -> None:
    notes = "\n".join(map(str, old.imported('<master info="" user="joe" password="secret1"/>').notes))
    assert "user of <master> is dropped" in notes
    assert "password of <master> is dropped: the PHP server never sent it to the master device; people log in" in notes
    assert "secret1" not in notes
    assert "joe" not in notes


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ('<times interval="015"/>', 'interval="015" of <times> becomes 15'),
        ('<times polling="007"/>', 'polling="007" of <times> becomes 7'),
        ('<phases><phase id="x" seq="+5"/></phases>', 'seq="+5" of <phase id="x"> becomes 5'),
        ('<times grace="90"/>', ""),
        ('<times grace="91"/>', "grace of <times> is dropped: a commit counts as a whole"),
    ],
)
def test_numbers_that_are_written_anew_are_named(old: Old, section: str, told: str) -> None:
    assert told in "\n".join(map(str, old.imported(f'<master info=""/>{section}').notes))


@pytest.mark.parametrize(
    ("xpath", "told"),
    [
        ("/state/queries/q/info/@x", ""),
        ("/state/device/@phase", "looks at the answer to this query only"),
        ("concat(/state/queries/q/info/@x, /state/device/@ip)", "looks outside of /state/queries/"),
        ("php:function('x')", "calls functions of PHP"),
    ],
)
def test_values_that_are_looked_for_elsewhere_are_named(old: Old, xpath: str, told: str) -> None:
    query = f'<query id="q"><cmd>c</cmd><applies>*</applies><show title="t">{xpath}</show></query>'
    notes = old.imported(f'<master info=""/><queries>{query}</queries>').notes
    assert [told in each.message for each in notes] == ([True] if told else [])


def test_comments_are_named(old: Old) -> None:
    (note,) = old.imported('<master info=""/>\n<!-- keep me -->\n<!-- <times interval="9"/> -->').notes
    assert str(note).startswith("config/user-config.xml:3: warning: comments are not taken over (lines 3, 4)")
