"""Commands on a configuration: what an imagined device gets, and what render tests say of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from gitupd.cli.main import cli
from gitupd.resources import template_files

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTING = b"""
class Lines:
    def pre(self, device):
        name = device.xml.find('device').get('name')
        info = device.xml.find('queries/admin/info')
        return [f'vars create NAME p {name}', *([] if info is None else [f'vars create SIZE p {info.get("size")}'])]
"""
FOLLOWS = b'master: {url: "http://10.0.0.1/CMD0/box_info.xml"}\nfirmware: master\nbootcode: master\n'
PHONE = ("--type", "IP222", "--phase", "update")


def lay_out(place: Path, **changes: bytes) -> Path:
    """Lay out the template at *place* with changes, whose names have ``__`` for a slash and end in no ``.yaml``."""
    named = {f"{name.replace('__', '/')}.yaml": content for name, content in changes.items()}
    for path, content in {**template_files(), **named}.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    return place


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == code, result.output
    return result


REQUIRED = b"https: required\nhttps_port: 8443\n"
WITH_CERTIFICATE = REQUIRED + b"client_certificate: required\n"


@pytest.mark.parametrize("transport", [REQUIRED, WITH_CERTIFICATE])
def test_the_template_passes_its_own_tests_where_https_is_required(tmp_path: Path, transport: bytes) -> None:
    place = lay_out(tmp_path, policies__transport=transport)
    assert run("test", str(place)).output.endswith("2 of 2 passed\n")


@pytest.mark.parametrize("transport", [REQUIRED, WITH_CERTIFICATE])
def test_where_https_is_required_an_imagined_device_calls_by_it(tmp_path: Path, transport: bytes) -> None:
    place = str(lay_out(tmp_path, policies__transport=transport))
    script = run("render", place, *PHONE).output
    assert "mod cmd UP0 scfg https://gitupd.example:8443/update.php?mode=backup" in script
    assert "config add PHONE/REG /gk-addr 10.0.0.1\n" in script
    explained = json.loads(run("explain", place, *PHONE, "--json").stdout)
    assert "snippets/update-phone-default.txt" in [line["file"] for line in explained]


def test_a_device_may_be_imagined_that_is_not_there_yet(tmp_path: Path) -> None:
    place = str(lay_out(tmp_path, policies__transport=WITH_CERTIFICATE))
    plain = run("render", place, *PHONE, "--http").output
    assert "# HTTPS on port 8443 is required" in plain
    assert "snippets/" not in plain
    without = run("render", place, *PHONE, "--no-certificate").output
    assert "# a client certificate is required; no certificate was shown" in without
    elsewhere = run("render", place, *PHONE, "--host", "10.0.0.2:444/phones").output
    assert "config add UP1 /url https%3A%2F%2F10.0.0.2%3A8443%2Fphones%2Fupdate.php" in elsewhere


def test_a_device_says_of_itself_what_it_is_given(tmp_path: Path) -> None:
    place = str(lay_out(tmp_path))
    said = ("--host", "upd.example:8080/mtls", "--ip", "10.1.2.3", "--hwid", "IP222-aa-bb-cc", "--polling", "5")
    script = run("render", place, "--type", "IP222", "--phase", "staging", *said).output
    assert "mod cmd UP0 scfg http://upd.example:8080/mtls/update.php?mode=backup" in script
    refused = run("render", place, *PHONE, "--host", "http://upd.example", code=1)
    assert str(refused.exception) == (
        "'http://upd.example' is no place of a server; write HOST, HOST:PORT or HOST:PORT/DIRECTORY"
    )


def test_firmware_is_tested_with_the_builds_of_the_master_device(tmp_path: Path) -> None:
    tests = b"""
tests:
  - name: a phone follows the master device
    device: {type: IP222, phase: update, firmware: 134250, bootcode: 131286}
    master: {firmware: 137213, bootcode: 131286}
    contains: ["mod cmd UP0 prot http://gitupd.example/fw/137213/ ser 137213"]
  - name: one that has it already goes on
    device: {type: IP222, phase: update, firmware: 137213, bootcode: 137213}
    master: {firmware: 137213}
    contains: [config add PHONE/REG /gk-addr 10.0.0.1]
    lacks: ["mod cmd UP0 prot http://gitupd.example/fw/137213/ ser 137213"]
"""
    place = lay_out(tmp_path, policies__firmware=FOLLOWS, tests__firmware=tests)
    assert run("test", str(place)).output.endswith("4 of 4 passed\n")


def test_computed_lines_are_tested_with_what_a_device_has_answered(tmp_path: Path) -> None:
    tests = b"""
tests:
  - name: it is called as it says in its answer
    device: {type: IP222, phase: update}
    answers: {admin: '<info name="Reception" size="9"/>'}
    contains: [vars create NAME p Reception]
  - name: it is called as is said here
    device: {type: IP222, phase: update, name: Desk}
    contains: [vars create NAME p Desk]
  - name: nobody asks this
    device: {type: IP222, phase: update}
    answers: {nothing: <info/>}
  - name: this is no answer
    device: {type: IP222, phase: update}
    answers: {admin: <info>}
"""
    place = lay_out(tmp_path, tests__computed=tests)
    (place / "scripting.py").write_bytes(SCRIPTING)
    results = {
        each["name"]: each["failures"]
        for each in json.loads(run("test", str(place), "--scripting", "--json", code=1).stdout)
    }
    assert results["it is called as it says in its answer"] == []
    assert results["it is called as is said here"] == []
    assert results["nobody asks this"] == [
        "no device polls like this: there is no query 'nothing', only certificates, admin"
    ]
    assert results["this is no answer"][0].startswith(
        "no device polls like this: the answer to the query 'admin' can't be used: it is not well-formed XML"
    )
    answer = tmp_path / "admin.xml"
    answer.write_text('<info name="Lobby" size="7"/>')
    script = run("render", str(place), *PHONE, "--scripting", "--answer", f"admin={answer}").output
    assert "vars create NAME p Lobby\nvars create SIZE p 7\n" in script
    missing = run("render", str(place), *PHONE, "--scripting", "--answer", "admin=nowhere.xml", code=2)
    assert "--answer admin=nowhere.xml: No such file or directory; write QUERY=FILE" in missing.output


def test_a_model_that_no_class_has_is_doubted_and_rendered(tmp_path: Path) -> None:
    place = str(lay_out(tmp_path))
    doubted = run("render", place, "--type", "IP2222", "--phase", "update")
    assert (
        doubted.stderr
        == "warning: no class has the model 'IP2222', which gets what is for all; did you mean 'ip222'?\n"
    )
    assert "# from snippets/all-all-all.txt" in doubted.stdout
    assert run("explain", place, "--type", "IP2222", "--phase", "update").stderr == doubted.stderr
    strict = run("render", place, "--type", "IP2222", "--phase", "update", "--strict", code=1)
    assert strict.stdout == ""
    assert "no class has the model 'IP2222'" in str(strict.exception)
    run("render", place, "--type", "IP222", "--phase", "update", "--strict")
    for known in ("IP222", "ip232", "SWPHONE", "IPBS"):
        assert run("render", place, "--type", known, "--phase", "update").stderr == "", known
