"""What the PHP server remembered of devices is read as it wrote it, and as somebody left it there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitupd.importer.devices import RememberedBuild

if TYPE_CHECKING:
    from conftest import Old

    from gitupd.importer.devices import RememberedDevice

RECORDED = json.loads((Path(__file__).parent / "rollouts.json").read_text("utf-8"))
SN = "00-90-33-30-00-af"
SECTIONS = '<master info=""/><status dir="status"/>'
WHOLE = """<?xml version="1.0"?>
<state seen="1700000900" nextphase="" phase="update" requested="137213bootcode"><device sn="00-90-33-30-00-af"
 type="IP222" classes="phone, ip222" ip="192.0.2.7" rp="true" proxy="192.0.2.1" phase="update"
 environments="berlin, intranet" hwid="IP222-30-00-af" realip="10.0.0.9" certstat="OK" backup="1690000000"/>
 <firmware requested="137213" requested-at="1700000800" build="137212"/><bootcode build="131286"/>
 <config filename="scripts/update-all-default.txt" delivered="1600000000" version="1500000000"/>
 <queries><admin seen="1700000700"><info name="Front &amp; desk"><a b="1">t</a></info> tail</admin></queries>
 <msgs time="1650000000" msg=""/></state>
"""


def devices(old: Old, **files: str | bytes) -> tuple[tuple[RememberedDevice, ...], list[str]]:
    for name, content in files.items():
        old.write(f"status/{name}", content if isinstance(content, bytes) else content.encode())
    imported = old.imported(SECTIONS)
    return imported.devices, [str(note) for note in imported.notes]


def test_all_that_is_known_is_read(old: Old) -> None:
    (device,), notes = devices(old, **{f"{SN}.xml": WHOLE})
    assert notes == []
    assert device.serial == "0090333000af"
    assert device.place == f"status/{SN}.xml"
    assert (device.seen, device.since, device.skips) == (1_700_000_900, 1_600_000_000, 0)
    assert (device.model, device.hardware_id) == ("IP222", "IP222-30-00-af")
    assert (device.address, device.own_address, device.proxy) == ("192.0.2.7", "10.0.0.9", "192.0.2.1")
    assert (device.phase, device.environments) == ("update", ("berlin", "intranet"))
    assert device.firmware == RememberedBuild("137212", "137213", 1_700_000_800)
    assert device.bootcode == RememberedBuild("131286")
    (answer,) = device.answers
    assert (answer.query, answer.at) == ("admin", 1_700_000_700)
    assert answer.xml == b'<info name="Front &amp; desk"><a b="1">t</a></info> tail'


@pytest.mark.parametrize("state", RECORDED["states"])
def test_what_the_php_server_wrote_is_read(old: Old, state: str) -> None:
    name = f"status/{RECORDED['serial']}.xml"
    (device,), notes = devices(old, **{name.removeprefix("status/"): RECORDED["states"][state][name]})
    assert notes == []
    assert (device.model, device.firmware.build, device.bootcode.build) == ("IP222", "134250", "131286")
    assert [answer.query for answer in device.answers] == ["certificates", "admin"]
    assert bool(device.skips) == (state in ("told to make a request", "sent its certificate"))


def test_without_a_proxy_there_is_none(old: Old) -> None:
    (device,), _ = devices(old, **{f"{SN}.xml": WHOLE.replace('rp="true"', 'rp="false"')})
    assert device.proxy == ""


def test_a_time_that_is_none_is_that_of_the_file(old: Old) -> None:
    for number, text in enumerate(("", "soon", "-5", "1e99", "9" * 40)):
        old.write(f"status/00-90-33-30-00-{number:02}.xml", f'<state seen="{text}"><device/></state>'.encode())
    for device in old.imported(SECTIONS).devices:
        assert device.seen == (old.root / device.place).stat().st_mtime
        assert device.since == device.seen


BROKEN = {
    "cut off": (WHOLE[:300], "not well-formed XML: "),
    "empty": ("", "not well-formed XML: "),
    "no XML": (b"\xff\xfe\x00garbage", "not well-formed XML: "),
    "something else": ("<html><body/></html>", "it is no status of a device"),
    "no device": ('<state seen="1"/>', "it is no status of a device"),
    "another device": (WHOLE.replace("-00-af", "-00-b7"), "says that it is of another"),
    "markup in the hardware id": (WHOLE.replace("IP222-30-00-af", "&lt;script>"), "is no hardware id"),
    "a type that is none": (WHOLE.replace('"IP222"', '"a b"'), "is no model name"),
    "entities": (
        '<!DOCTYPE state [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><state><device type="&b;"/></state>',
        "it has a document type",
    ),
    "a file from elsewhere": (
        '<!DOCTYPE state [<!ENTITY a SYSTEM "file:///etc/passwd">]><state><device/>&a;</state>',
        "it has a document type",
    ),
    "a laughing matter": (
        "<!DOCTYPE state [<!ENTITY a0 'ha'>"
        + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
        + "]><state><device type='&a11;'/></state>",
        "not well-formed XML",
    ),
    "very deep": ("<state>" + "<a>" * 5000 + "</a>" * 5000 + "<device/></state>", "not well-formed XML"),
    "large": ("<state><device/>" + " " * 5_000_000 + "</state>", "5,000,024 bytes, more than"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_status_is_named_and_all_others_are_read(old: Old, what: str) -> None:
    content, reason = BROKEN[what]
    others, notes = devices(old, **{f"{SN}.xml": content, "00-90-33-30-00-b0.xml": "<state><device/></state>"})
    assert [device.serial for device in others] == ["0090333000b0"]
    (note,) = notes
    assert note.startswith(f"status/{SN}.xml: warning: left out: ")
    assert reason in note


def test_many_broken_ones_are_one_note(old: Old) -> None:
    files = {f"00-90-33-30-00-{number:02x}.xml": "<html/>" for number in range(40)}
    found, (note,) = devices(old, **files)
    assert found == ()
    assert note.startswith("status/: warning: 40 left out: it is no status of a device: 00-90-33-30-00-00.xml, ")
    assert note.endswith(" and 10 more")


def test_of_two_files_of_a_device_the_later_one_counts(old: Old) -> None:
    earlier = WHOLE.replace('seen="1700000900"', 'seen="1600000900"').replace('"IP222"', '"IP111"')
    (device,), (note,) = devices(old, **{f"{SN.upper()}.xml": earlier, f"{SN}.xml": WHOLE})
    assert device.model == "IP222"
    assert note == f"status/{SN.upper()}.xml: warning: left out: of this device there is a later one"


def test_a_link_out_of_the_installation_is_not_followed(old: Old, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / f"{SN}.xml"
    elsewhere.write_text(WHOLE)
    (old.root / "status").mkdir()
    (old.root / f"status/{SN}.xml").symlink_to(elsewhere)
    found, (note,) = devices(old)
    assert found == ()
    assert "it is a link to a place outside the installation" in note


def test_texts_are_short_and_can_be_printed(old: Old) -> None:
    (device,), _ = devices(
        old, **{f"{SN}.xml": WHOLE.replace('"update"', f'"up&#10;\N{RIGHT-TO-LEFT OVERRIDE}{"x" * 999}"')}
    )
    assert device.phase.isprintable()
    assert len(device.phase) == 200
