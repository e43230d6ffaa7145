"""``gitupd backups``: what it prints, what it refuses, and what the audit says of it."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.histories import judged
from support.offices import LINES, SERIAL, Office, dump, git, opened

from gitupd.cli.main import cli
from gitupd.core.caller import parse_serial
from gitupd.core.device import Device
from gitupd.errors import SiteError
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path

OTHER = parse_serial("00-90-33-00-00-01")
SECRET = "config change PHONE /user 42 /pw hunter2"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A site with two versions of one device, which hold a secret."""
    with opened(tmp_path / "site") as office:
        office.upload(dump(*LINES, SECRET))
        office.upload(dump(*LINES, SECRET.replace("hunter2", "hunter3"), "config change CMD0 /name Desk"))
        assert office.commit() == 2
    return tmp_path / "site"


def backups(path: Path, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["backups", *arguments, "--site", str(path)], input=answer)


def on_a_terminal(*arguments: str) -> str:
    """Return what somebody sees who calls the program on a terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "gitupd", *arguments], stdin=its, stdout=its, stderr=its) as running:
        os.close(its)
        said = b""
        with suppress(OSError):  # the terminal is gone
            while part := os.read(ours, 2**16):
                said += part
        os.close(ours)
    assert running.returncode == 0, said
    return said.decode()


def fault(result: Result) -> str:
    assert isinstance(result.exception, SiteError)
    return str(result.exception)


def audited(path: Path) -> list[tuple[str, str, str]]:
    site = Site(path)
    found = [(each.kind, each.subject, each.detail) for each in site.audit.entries(20)]
    site.close()
    return found[::-1]


def test_versions_are_listed_the_newest_first(path: Path) -> None:
    lines = backups(path, "log", str(SERIAL)).output.splitlines()
    assert [line.rsplit("  ", 1)[1] for line in lines] == [
        "2 lines changed (phone, administration)",
        "first version, 201 lines",
    ]
    listed = json.loads(backups(path, "log", "--json").output)
    assert [(each["serial"], each["added"], each["removed"]) for each in listed] == [
        (str(SERIAL), 2, 1),
        (str(SERIAL), 201, 0),
    ]


def test_a_difference_is_told_as_commands(path: Path) -> None:
    hidden = backups(path, "diff", str(SERIAL), "--snippet").output.splitlines()
    shown = backups(path, "diff", str(SERIAL), "--snippet", "--show-secrets").output.splitlines()
    assert hidden == ["# Write its secret here: config add PHONE /pw ***", "config add CMD0 /name Desk"]
    assert shown == ["config add PHONE /pw hunter3", "config add CMD0 /name Desk"]


def test_secrets_are_shown_to_who_asks_for_them_only(path: Path) -> None:
    for command in (["show", str(SERIAL)], ["diff", str(SERIAL)], ["show", f"{SERIAL}@~1"]):
        hidden, shown = backups(path, *command), backups(path, *command, "--show-secrets")
        assert hidden.exit_code == shown.exit_code == 0, hidden.output
        assert "hunter" not in hidden.output
        assert "***" in hidden.output
        assert "hunter" in shown.output
    assert "hunter" not in backups(path, "search", "hunter").output


def test_tabs_of_a_device_are_kept_and_what_steers_the_terminal_is_not(tmp_path: Path) -> None:
    path = tmp_path / "site"
    with opened(path) as office:
        office.upload(dump(*LINES))
        office.upload(dump(*LINES, "config change\tCMD0 /name \x1b[2JDesk"))
        assert office.commit() == 2
    assert "+config change\tCMD0 /name \ufffd[2JDesk\n" in backups(path, "diff", str(SERIAL)).output
    assert "config change\tCMD0 /name \x1b[2JDesk\r\n" in backups(path, "show", str(SERIAL)).stdout_bytes.decode()
    shown = on_a_terminal("backups", "show", str(SERIAL), "--site", str(path))
    assert "config change\tCMD0 /name \ufffd[2JDesk\r\n" in shown


def test_who_was_forgotten_is_known_by_its_backups(path: Path) -> None:
    assert CliRunner().invoke(cli, ["forget", str(SERIAL), "--site", str(path)]).exit_code == 0
    found = CliRunner().invoke(cli, ["device", str(SERIAL), "--site", str(path)])
    assert f"its backups are kept: gitupd backups log {SERIAL}" in fault(found)
    stranger = CliRunner().invoke(cli, ["device", "00-90-33-99-99-99", "--site", str(path)])
    assert fault(stranger) == "no device 00-90-33-99-99-99 ever asked; see: gitupd devices"


def test_versions_of_some_days_are_listed(path: Path) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for device in ([], [str(SERIAL)]):
        assert len(backups(path, "log", *device, "--since", today, "--until", today).output.splitlines()) == 2
        assert backups(path, "log", *device, "--until", "2001-01-01").output == ""
        assert backups(path, "log", *device, "--since", "2999-01-01").output == ""
    assert "is neither a version nor a time" in fault(backups(path, "log", "--since", "x"))


def test_a_time_that_is_printed_names_the_version(path: Path) -> None:
    lines = backups(path, "log", str(SERIAL)).output.splitlines()
    commit, time = lines[0].split("  ")[:2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", time)
    later = (datetime.fromisoformat(time) + timedelta(seconds=1)).isoformat(" ")
    diff = backups(path, "diff", str(SERIAL), commit, later)
    assert diff.output.count(commit) == 2


def test_two_devices_are_compared(path: Path) -> None:
    office = Office(Site(path))
    office.upload(dump(*LINES, "config change CMD0 /name Other"), OTHER)
    assert office.commit() == 1
    office.intake.stop()
    office.site.close()
    diff = backups(path, "diff", str(SERIAL), f"{OTHER}@latest", "latest").output
    assert f"--- devices/0/1/{OTHER}.txt" in diff
    assert f"+++ devices/0/d/{SERIAL}.txt" in diff
    assert "-config change CMD0 /name Other\n+config change CMD0 /name Desk\n" in diff
    assert {subject for kind, subject, _ in audited(path) if kind == "backup-view"} == {str(SERIAL), str(OTHER)}
    refused = str(backups(path, "diff", str(SERIAL), "x@latest").exception)
    assert refused == "no device has the serial number, name or address 'x'; see: gitupd devices"


@pytest.fixture
def named(path: Path) -> Path:
    """The same, where the device is known, and another one is called nearly so."""
    site, at = Site(path), datetime.now(UTC)
    site.inventory.save_sightings(
        [
            Device(SERIAL, first_seen=at, last_seen=at, given_name="Gate 1@office", address="10.9.9.1"),
            Device(OTHER, first_seen=at, last_seen=at, given_name="Gate 12", address="10.9.9.12"),
        ]
    )
    site.close()
    return path


@pytest.mark.parametrize("device", ["gate 1@office", "10.9.9.1", "@office"])
def test_a_device_is_told_by_its_name_or_address(named: Path, device: str) -> None:
    for command, *more in (("log",), ("diff", "~1", "latest")):
        assert backups(named, command, device, *more).output == backups(named, command, str(SERIAL), *more).output
    for command in ("show", "since"):
        assert backups(named, command, f"{device}@latest").output == backups(named, command, str(SERIAL)).output
    diff = backups(named, "diff", str(SERIAL), f"{device}@~1", f"{device}@").output
    assert diff == backups(named, "diff", str(SERIAL)).output


def test_what_changes_a_device_takes_no_part_of_its_name(named: Path) -> None:
    assert str(backups(named, "log", "Gate").exception) == (
        f"'Gate' may be any of {OTHER} Gate 12, {SERIAL} Gate 1@office; write a serial number"
    )
    for command, *more in (("restore", "~1", "--yes"), ("cancel",)):
        refused = str(backups(named, command, "office", *more).exception)
        assert refused == f"'office' may be {SERIAL} Gate 1@office; write a serial number"
    assert f"{SERIAL} gets it when it polls next" in backups(named, "restore", "gate 1@office", "~1", "--yes").output
    assert backups(named, "cancel", "10.9.9.1").stdout == f"{SERIAL} stays as it is\n"


def test_since_when_a_line_is_there(path: Path) -> None:
    new, old = (each["commit"] for each in json.loads(backups(path, "log", "--json").output))
    (line,) = backups(path, "since", str(SERIAL), "/NAME").output.splitlines()
    assert line.startswith(f"{new[:12]} ")
    assert line.endswith("config change CMD0 /name Desk")
    found = json.loads(backups(path, "since", str(SERIAL), "--json").output)
    assert (found[0]["line"], found[0]["commit"], found[0]["older"]) == (1, old, False)
    assert "hunter" not in json.dumps(found)
    assert "hunter3" in backups(path, "since", str(SERIAL), "hunter", "--show-secrets").output
    assert backups(path, "since", f"{SERIAL}@~1", "/name").output == ""
    assert audited(path)[-1] == ("backup-view", str(SERIAL), f"since when the lines of {old[:12]} are there")


def test_whole_words_and_who_does_not_have_them(path: Path) -> None:
    assert backups(path, "search", "MODULE1", "--word").output.startswith(f"{SERIAL}:2: config change MODULE1 ")
    assert backups(path, "search", "Des", "--word").output == "0 devices\n"
    assert backups(path, "search", "Desk", "--without").output == "0 devices\n"
    assert backups(path, "search", "Other", "--without").output == f"{SERIAL}\n1 device\n"
    assert json.loads(backups(path, "search", "Other", "--without", "--json").output) == [str(SERIAL)]
    assert backups(path, "search", "Other", "--without", "--of", str(OTHER)).output == "0 devices\n"


def test_who_ever_had_a_text_is_found_and_from_when_to_when(path: Path) -> None:
    new, old = (each["commit"] for each in json.loads(backups(path, "log", "--json").output))
    (found,) = json.loads(backups(path, "search", "module7 ", "--history", "--json").output)
    assert (found["serial"], found["versions"]) == (str(SERIAL), 2)
    assert (found["first"]["commit"], found["last"]["commit"]) == (old, new)
    said = backups(path, "search", "Desk", "--history").output
    line = rf"{SERIAL}  from {new[:12]} \S+ \S+  to {new[:12]} \S+ \S+  1 version: config change CMD0 /name Desk"
    assert re.fullmatch(rf"{line}\n1 device\n", said)
    assert audited(path)[-1] == ("backup-view", "", "search for 'Desk' in the history")
    assert backups(path, "search", "hunter", "--history").output == "0 devices\n"
    assert backups(path, "search", "Desk", "--history", "--of", str(OTHER)).output == "0 devices\n"
    assert backups(path, "search", "Desk", "--history", "--without").exit_code == 2


def test_equal_lines_are_counted_once_for_all_devices(path: Path) -> None:
    output = backups(path, "search", "MODULE1", "--word", "--lines").output
    assert re.fullmatch(r" {6}1  config change MODULE1 .*\n1 device, 1 different line\n", output)
    (line,) = json.loads(backups(path, "search", "MODULE1", "--word", "--lines", "--json").output)
    assert line["devices"] == [str(SERIAL)]
    assert backups(path, "search", "MODULE1", "--lines", "--without").exit_code == 2


def test_a_secret_that_is_searched_for_is_not_told_to_readers_of_the_audit(path: Path) -> None:
    backups(path, "search", "hunter3")
    assert audited(path)[-1] == (
        "backup-view",
        "",
        "search in the latest versions for a text that is hidden, or nowhere",
    )


def test_who_gives_no_backup_is_listed(path: Path) -> None:
    said = backups(path, "overdue").output
    assert said.endswith("0 devices late, 18 devices without any backup, 1 more missing altogether\n")
    assert str(SERIAL) not in said
    listed = json.loads(backups(path, "overdue", "--json").output)
    assert len(listed) == 19
    assert {each["uploaded"] for each in listed} == {None}


def test_who_is_not_as_wanted_is_listed(path: Path) -> None:
    assert backups(path, "drift").output == "0 of 1 device not as wanted; 1 yet to be judged\n"
    site = Site(path)
    judged(site, SERIAL)
    site.close()
    said = backups(path, "drift").output
    assert re.search(rf"^{SERIAL}  NTP0 /addr", said)
    assert said.endswith("1 of 1 device not as wanted\n")
    (found,) = json.loads(backups(path, "drift", str(SERIAL), "--json").output)
    assert {"module": "NTP0", "option": "/addr", "how": "not there"} in found["options"]
    assert backups(path, "drift", str(OTHER)).output == "0 of 0 devices not as wanted\n"
    assert audited(path)[-1] == ("backup-view", "", "which devices are not as wanted")


def test_an_export_is_one_file_for_each_device(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    assert backups(path, "export", str(folder)).output == f"1 configuration in {folder}\n"
    assert "/pw ***" in (folder / f"{SERIAL}.txt").read_text()
    assert fault(backups(path, "export", str(folder))) == f"{folder} is not empty; choose another folder"
    old = backups(path, "export", "--at", "2020-01-01T12:00", str(tmp_path / "old"))
    assert old.output == f"0 configurations in {tmp_path / 'old'}\n"


def test_an_export_is_for_its_owner_alone(path: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert backups(path, "export", str(tmp_path / "export")).exit_code == 0
    finally:
        os.umask(before)
    modes = [each.stat().st_mode & 0o777 for each in (tmp_path / "export", tmp_path / "export" / f"{SERIAL}.txt")]
    assert modes == [0o700, 0o600]


def test_every_look_at_a_configuration_is_in_the_audit(path: Path, tmp_path: Path) -> None:
    for command in (["show", str(SERIAL)], ["diff", str(SERIAL)], ["search", "Desk"], ["export", str(tmp_path / "e")]):
        assert backups(path, *command).exit_code == 0
    new, old = (each["commit"][:12] for each in json.loads(backups(path, "log", "--json").output))
    assert [each for each in audited(path) if each[0] == "backup-view"] == [
        ("backup-view", str(SERIAL), new),
        ("backup-view", str(SERIAL), f"{old} against {new}"),
        ("backup-view", "", "search for 'Desk' in the latest versions"),
        ("backup-view", "", "export of 1 configuration, as of now"),
    ]


def test_a_history_packed_anew_holds_what_has_a_name_only(path: Path) -> None:
    with (path / "gitupd.toml").open("a") as settings:
        settings.write("sign_backups = true\n")
    office = Office(Site(path))
    office.upload(dump(*LINES, "config change CMD0 /name Other"))
    assert office.commit() == 1
    office.intake.stop()
    office.site.close()
    assert "unreachable commit" in git(path, "fsck", "--unreachable"), "the one without its signature"
    told = backups(path, "pack").output
    assert re.fullmatch(r"0\.\d MiB before, 0\.\d MiB now\n", told)
    assert git(path, "fsck", "--strict", "--unreachable") == ""
    assert len(list((path / "backups.git/objects/pack").glob("*.pack"))) == 1
    assert len(list((path / "backups.git/objects/pack").glob("*.bitmap"))) == 1
    assert backups(path, "verify").output.startswith("signed: 1 commit, which vouch")


def test_a_lost_history_is_given_up_only_if_somebody_says_so(path: Path) -> None:
    assert "is there; see: gitupd backups verify" in fault(backups(path, "begin-anew", "--yes"))
    shutil.rmtree(path / "backups.git" / "objects")
    assert backups(path, "begin-anew", answer="n\n").exit_code == 1
    assert "is damaged" in fault(backups(path, "verify"))
    done = backups(path, "begin-anew", answer="y\n")
    (aside,) = path.glob("backups.git.lost-*")
    assert done.output.endswith(f"a new history begins in {path / 'backups.git'}; what is left: {aside}\n")
    assert backups(path, "verify").output == "0 versions, every object is whole\n"
    assert audited(path)[-1] == ("backup-begin-anew", "", f"what is left: {aside}")


def test_a_restore_shows_what_it_does_before_it_is_asked_for(path: Path) -> None:
    declined = backups(path, "restore", str(SERIAL), "~1", answer="n\n")
    assert declined.exit_code == 1
    assert re.search(r"^--- devices/0/d/\S+  [0-9a-f]{12}  .*\n\+\+\+ ", declined.output)
    assert "\n-config change PHONE /user 42 /pw ***\n+config change PHONE /user 42 /pw ***\n" in declined.output
    assert (
        "It can't undo 1 line, of which that version says nothing:\n  config change CMD0 /name Desk\n"
        in declined.output
    )
    assert "hunter" not in declined.output
    assert backups(path, "restores").output == ""
    old = json.loads(backups(path, "log", "--json").output)[1]["commit"]
    assert ("backup-view", str(SERIAL), f"going back to {old[:12]}") in audited(path)


def test_a_restore_is_asked_for_listed_and_taken_back(path: Path) -> None:
    accepted = backups(path, "restore", str(SERIAL), "~1", answer="y\n")
    assert f"restore 1: {SERIAL} gets it when it polls next" in accepted.output
    (listed,) = json.loads(backups(path, "restores", "--json").output)
    assert (listed["serial"], listed["state"], listed["done"]) == (str(SERIAL), "asked", None)
    assert backups(path, "cancel", str(SERIAL)).output == f"{SERIAL} stays as it is\n"
    assert backups(path, "restores").output.split("  ")[-1].startswith("cancelled: cancelled by ")
    assert fault(backups(path, "cancel", str(SERIAL))).startswith(f"no restore of device {SERIAL} is open")
    assert backups(path, "restore", str(SERIAL), "~1", "--yes").output.startswith("restore 2: ")
    assert fault(backups(path, "restore", str(SERIAL), "~7", "--yes")).startswith(f"device {SERIAL} has no version")
