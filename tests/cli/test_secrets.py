"""gitupd secrets: files of a configuration that only the site can read."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.secrets import ANOTHER, CANARY, Keyholder
from support.waiting import until

from gitupd.cli.acting import who
from gitupd.cli.main import cli
from gitupd.core.people.audit import Kind
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.service.site import Site

PLAIN = f"variables: {{pin: {CANARY}}}\n"


@dataclass
class Desk:
    """Somebody at work on a checkout beside a site."""

    site: Site
    checkout: Path
    recipient: str
    monkeypatch: pytest.MonkeyPatch

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Return what a command says, its error if it *fails*; there is no secret in it."""
        result = CliRunner().invoke(cli, ["secrets", *arguments], catch_exceptions=True)
        assert CANARY not in result.output
        if fails:
            assert isinstance(result.exception, SiteError), result.output
            return f"{result.output}{result.exception}"
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def keyed(self, *arguments: str, fails: bool = False) -> str:
        return self.run(*arguments, "--site", str(self.site.path), fails=fails)

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.checkout), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def opened(self, name: str) -> str:
        return self.site.secrets_key.opener()((self.checkout / name).read_bytes()).decode()

    def edits(self, script: str) -> None:
        """Have the editor run *script*, to which the file is given as $1."""
        editor = self.checkout.parent / "editor"
        editor.write_text(f"#!/bin/sh\n{script}\n")
        editor.chmod(0o700)
        self.monkeypatch.setenv("EDITOR", str(editor))
        self.monkeypatch.delenv("VISUAL", raising=False)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    checkout = tmp_path / "checkout"
    (checkout / "snippets").mkdir(parents=True)
    monkeypatch.chdir(checkout)
    monkeypatch.delenv("GITUPD_SITE", raising=False)
    made = Desk(site, checkout, "", monkeypatch)
    made.git("init", "-q")
    made.recipient = made.keyed("init").split()[0]
    made.run("recipients", "--add", made.recipient)
    yield made
    site.close()


def test_a_site_has_one_key_which_is_never_printed(desk: Desk) -> None:
    assert desk.recipient == desk.site.secrets_key.recipients()[0]
    assert stat.S_IMODE(desk.site.secrets_key.path.stat().st_mode) == 0o600
    assert "is there already" in desk.keyed("init", fails=True)
    (entry,) = desk.site.audit.entries(9, kind=Kind.SECRETS_KEY_ADD)
    assert (entry.who, entry.subject) == (who(), desk.recipient)
    assert desk.run("recipients").split() == [desk.recipient]


def test_a_file_is_encrypted_beside_its_plain_text(desk: Desk) -> None:
    plain = desk.checkout / "secrets.yaml"
    plain.write_text(PLAIN)
    output = desk.run("encrypt", "secrets.yaml")
    assert output.startswith("secrets.yaml.age\n")
    assert "is still there in plain text" in output
    assert desk.opened("secrets.yaml.age") == PLAIN
    assert plain.exists()
    assert "is there already; gitupd secrets edit changes it" in desk.run("encrypt", "secrets.yaml", fails=True)
    assert "is encrypted already" in desk.run("encrypt", "secrets.yaml.age", fails=True)


def test_plain_text_that_is_staged_does_not_stay_so(desk: Desk) -> None:
    (desk.checkout / "secrets.yaml").write_text(PLAIN)
    desk.git("add", "secrets.yaml")
    assert "is in the index of Git, and would be committed" in desk.run("encrypt", "secrets.yaml", fails=True)
    assert not (desk.checkout / "secrets.yaml.age").exists()
    desk.run("encrypt", "--remove", "secrets.yaml")
    assert not (desk.checkout / "secrets.yaml").exists()
    assert "secrets.yaml\n" not in desk.git("ls-files")
    assert desk.opened("secrets.yaml.age") == PLAIN


def test_nobody_is_encrypted_to_by_accident(desk: Desk) -> None:
    (desk.checkout / "age-recipients.txt").unlink()
    (desk.checkout / "secrets.yaml").write_text(PLAIN)
    assert "names nobody to encrypt to" in desk.run("encrypt", "secrets.yaml", fails=True)
    assert "names nobody to encrypt to" in desk.keyed("edit", "secrets.yaml.age", fails=True)
    assert "one of the recipients is none" in desk.run("recipients", "--add", "age1x", fails=True)
    assert "is none of the recipients" in desk.run("recipients", "--remove", ANOTHER, fails=True)


def test_a_file_is_edited_where_nobody_else_can_look(desk: Desk) -> None:
    seen = desk.checkout.parent / "seen"
    desk.edits(f'stat -c "%a %n" "$(dirname "$1")" "$1" > {seen}; printf "variables: {{pin: {CANARY}}}\\n" > "$1"')
    assert desk.keyed("edit", "secrets.yaml.age").strip() == "secrets.yaml.age"
    assert desk.opened("secrets.yaml.age") == PLAIN
    (mode, folder), (file_mode, file) = (line.split() for line in seen.read_text().splitlines())
    assert (mode, file_mode) == ("700", "600")
    assert not Path(folder).exists()
    assert Path(file).name == "secrets.yaml"
    before = (desk.checkout / "secrets.yaml.age").read_bytes()
    desk.edits(f'grep -q {CANARY} "$1"')
    assert "nothing was changed" in desk.keyed("edit", "secrets.yaml.age")
    assert (desk.checkout / "secrets.yaml.age").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        ("secrets.yaml.age", 'echo "varables: {}" > "$1"', "secrets.yaml:1:1: unknown key 'varables'"),
        ("snippets/all-all-all.txt.j2.age", 'echo "{{ x() }}" > "$1"', "a call is not allowed in a template"),
    ],
)
def test_what_is_wrong_is_told_and_not_kept(desk: Desk, name: str, script: str, told: str) -> None:
    desk.edits(script)
    output = desk.keyed("edit", name, fails=True)
    assert told in output
    assert "was left as it was" in output
    assert not (desk.checkout / name).exists()


def test_an_editor_that_is_ended_leaves_nothing_behind(desk: Desk) -> None:
    mark = desk.checkout.parent / "mark"
    desk.edits(f'echo secret > "$1"; echo "$1" > {mark}.new; mv {mark}.new {mark}; sleep 60')
    command = [sys.executable, "-m", "gitupd", "secrets", "edit", "secrets.yaml.age", "--site", str(desk.site.path)]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(mark.exists)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(60)
    assert not Path(mark.read_text().strip()).parent.exists()
    assert not (desk.checkout / "secrets.yaml.age").exists()


def test_what_cant_be_edited_says_why(desk: Desk) -> None:
    (desk.checkout / "secrets.yaml.age").write_bytes(Keyholder().seal("x"))
    assert "can't be decrypted: it is encrypted to other keys" in desk.keyed("edit", "secrets.yaml.age", fails=True)
    assert "does not end in .age" in desk.keyed("edit", "secrets.yaml", fails=True)
    assert "give --site DIR, or --identity FILE" in desk.run("edit", "secrets.yaml.age", fails=True)


def test_people_have_keys_of_their_own(desk: Desk) -> None:
    (desk.checkout / "secrets.yaml").write_text(PLAIN)
    desk.run("encrypt", "--remove", "secrets.yaml")
    ada = Keyholder()
    identity = desk.checkout.parent / "ada.key"
    identity.write_text(f"{ada.identity}\n")
    identity.chmod(0o600)
    assert desk.keyed("recipients", "--add", ada.recipient).split() == ["secrets.yaml.age"]
    assert desk.run("recipients").split() == [desk.recipient, ada.recipient]
    desk.edits('echo "variables: {a: b}" > "$1"')
    desk.run("edit", "secrets.yaml.age", "--identity", str(identity))
    assert desk.opened("secrets.yaml.age") == "variables: {a: b}\n"
    desk.run("recipients", "--remove", ada.recipient, "--identity", str(identity))
    assert "can't be decrypted" in desk.run("edit", "secrets.yaml.age", "--identity", str(identity), fails=True)


def test_files_that_lag_behind_are_listed_and_encrypted_anew(desk: Desk) -> None:
    snippet = desk.checkout / "snippets" / "all-all-all.txt.age"
    snippet.write_bytes(desk_seal(desk, "config add X\n"))
    (desk.checkout / "age-recipients.txt").write_text(f"{desk.recipient}\n{ANOTHER}\n")
    assert "snippets/all-all-all.txt.age: not encrypted to all of them" in desk.run("recipients")
    assert json.loads(desk.run("recipients", "--json"))["lagging"] == ["snippets/all-all-all.txt.age"]
    desk.keyed("encrypt")
    assert json.loads(desk.run("recipients", "--json"))["lagging"] == []
    assert desk.opened("snippets/all-all-all.txt.age") == "config add X\n"
    snippet.write_bytes(Keyholder().seal("x"))
    assert "can't be decrypted by this key, and left as they were" in desk.keyed("encrypt", fails=True)


def desk_seal(desk: Desk, text: str) -> bytes:
    plain = desk.checkout / "plain"
    plain.write_text(text)
    desk.run("encrypt", "--remove", "plain")
    return (desk.checkout / "plain.age").read_bytes()


def test_another_key_takes_over_and_the_older_one_stays_as_long_as_it_is_needed(desk: Desk) -> None:
    (desk.checkout / "secrets.yaml").write_text(PLAIN)
    desk.run("encrypt", "--remove", "secrets.yaml")
    content = (desk.checkout / "secrets.yaml.age").read_bytes()
    phases = {"phases.yaml": b"phases: {update: {order: 1}}\n"}
    commit = desk.site.config.commit_files({**phases, "secrets.yaml.age": content}, "Secrets", "Ada <a@b>")
    deploy(desk.site, commit, who="test", now=now(), force=True, reason="test")
    new = desk.keyed("rotate").split()[0]
    assert new != desk.recipient
    assert desk.run("recipients").split() == [new]
    assert desk.opened("secrets.yaml.age") == PLAIN
    assert desk.keyed("rotate", "--forget") == "0 keys forgotten\n"
    assert desk.site.secrets_key.recipients() == (new, desk.recipient)
    changed = (desk.checkout / "secrets.yaml.age").read_bytes()
    commit = desk.site.config.commit_files({**phases, "secrets.yaml.age": changed}, "Rotate", "Ada <a@b>")
    deploy(desk.site, commit, who="test", now=now(), force=True, reason="test")
    assert desk.keyed("rotate", "--forget") == "1 key forgotten\n"
    assert desk.site.secrets_key.recipients() == (new,)
    added = desk.site.audit.entries(9, kind=Kind.SECRETS_KEY_ADD)
    assert [entry.subject for entry in added] == [new, desk.recipient]
    (gone,) = desk.site.audit.entries(9, kind=Kind.SECRETS_KEY_FORGET)
    assert (gone.who, gone.detail) == (who(), "1 key that what is deployed does not need")


def test_commands_on_the_configuration_need_no_key(desk: Desk) -> None:
    (desk.checkout / "secrets.yaml").write_text(PLAIN)
    desk.run("encrypt", "--remove", "secrets.yaml")
    (desk.checkout / "snippets/all-all-all.txt.j2").write_text("config add X /pin {{ pin }}\n")
    (desk.checkout / "tests").mkdir()
    (desk.checkout / "tests/a.yaml").write_text(
        "tests:\n- name: a\n  device: {type: IP222, certificate: true, https: true}\n"
        "  contains: ['config add X /pin ***']\n"
    )
    device = ("--type", "IP222", "--certificate", "--https")
    for arguments in (["validate"], ["test"], ["render", *device], ["explain", *device]):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        assert CANARY not in result.output
        if arguments[0] in ("render", "explain"):
            assert "config add X /pin ***" in result.output
            assert "CHECK is unknown: there is no key here for what is encrypted" in result.output
