"""The inventory on the command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support import fleets

from gitupd.cli.main import cli
from gitupd.core.caller import parse_serial
from gitupd.core.device import Message
from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("devices") / "site"
    made = create_site(folder, who="test", now=now())[0]
    fleets.fill(made, 120, now())
    made.inventory.tell(parse_serial("009033000002"), Message(now(), "odd \x1b[31m answer"))
    made.close()
    return folder


def gitupd(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--site", str(site)])


def test_devices_are_listed_and_found(site: Path) -> None:
    everything = gitupd(site, "devices")
    assert everything.exit_code == 0
    lines = everything.stdout.splitlines()
    assert lines[0].split() == [
        "state",
        "serial",
        "number",
        "type",
        "name",
        "environments",
        "address",
        "phase",
        "firmware",
        "commit",
        "certificate",
        "last",
        "seen",
    ]
    assert len(lines) == 121
    counts = [
        f"{len([line for line in lines if line.startswith(state)])} {state}"
        for state in ("current", "waiting", "missing")
    ]
    assert everything.stderr.startswith(f"120 devices: {', '.join(counts)}")
    assert "homeoffice" in everything.stdout
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d$", lines[1])
    few = gitupd(site, "devices", "IP222", "homeoffice", "--limit", "2", "--sort", "last_seen", "--descending")
    assert len(few.stdout.splitlines()) == 3
    assert re.match("20 devices, 2 shown: [0-9]+ [a-z]", few.stderr)
    assert gitupd(site, "devices", "Desk 17").stdout.splitlines()[1].split()[1] == "00-90-33-00-00-11"
    assert (gitupd(site, "devices", "no-such").stdout, gitupd(site, "devices", "no-such").stderr) == ("", "0 devices\n")


def test_a_key_that_is_none_is_an_error_that_lists_them(site: Path) -> None:
    failed = gitupd(site, "devices", "admin.nam:x")
    assert failed.exit_code == 1
    assert "'admin.nam' is nothing to search by; keys are sn, hwid, " in str(failed.exception)
    assert str(failed.exception).endswith("and of answers admin.name")
    assert gitupd(site, "devices", "admin.name:nobody").stderr == "0 devices\n"


def test_environments_are_listed(site: Path) -> None:
    listed = gitupd(site, "environments", "--sort", "devices")
    assert (listed.exit_code, listed.stderr) == (0, "3 environments\n")
    rows = [line.split() for line in listed.stdout.splitlines()]
    assert rows[0][:5] == ["environment", "devices", "missing", "waiting", "warned"]
    assert rows[1][:2] == ["default", "80"]
    assert rows[1][2] == gitupd(site, "devices", "env:default", "missing").stderr.split()[0]
    told = json.loads(gitupd(site, "environments", "--json").stdout)
    assert {each["name"]: each["total"] for each in told} == {"default": 80, "homeoffice": 40, "intranet": 40}


def test_devices_for_programs(site: Path) -> None:
    listed = json.loads(gitupd(site, "devices", "warned", "--json").stdout)
    assert [each["serial"] for each in listed] == ["00-90-33-00-00-02", "00-90-33-00-00-66"]
    assert listed[0]["unknown_environments"] == ["nowhere"]
    assert listed[0]["last_seen"].endswith("Z")
    report = json.loads(gitupd(site, "status", "--json").stdout)
    counts = {name: report[name] for name in ("total", "present", "missing", "current", "waiting", "warned")}
    assert counts == {"total": 120, "present": 117, "missing": 3, "current": 105, "waiting": 12, "warned": 2}


def test_columns_are_chosen(site: Path) -> None:
    chosen = ("devices", "sn:009033000003", "--columns", "name,env,sn,unknown-env,sent")
    head, row = gitupd(site, *chosen).stdout.splitlines()
    assert re.split(" {2,}", head) == ["name", "environments", "serial number", "unknown environments", "sent commit"]
    (told,) = json.loads(gitupd(site, *chosen, "--json").stdout)
    assert told["columns"]["env"] == ["homeoffice", "intranet"]
    assert row.split("  ")[0] == told["columns"]["name"] == "Desk 3"
    assert row.endswith(told["columns"]["sent"][:12])
    refused = gitupd(site, "devices", "--columns", "name,colour").exception
    assert isinstance(refused, GitupdError)
    assert "'colour' is no column; columns are state, name, sn," in str(refused)


def test_one_device(site: Path) -> None:
    assert isinstance(gitupd(site, "device", "nonsense").exception, GitupdError)
    said = gitupd(site, "device", "0090:3300:0002")
    assert said.exit_code == 0
    assert "state                 current\n" in said.stdout
    assert "odd \N{REPLACEMENT CHARACTER}[31m answer" in said.stdout, "a device must not steer the terminal"
    known = json.loads(gitupd(site, "device", "00-90-33-00-00-02", "--json").stdout)
    assert known["next_step"].startswith("It polls every 15 min.")
    assert known["messages"][0]["text"] == "odd \x1b[31m answer"


def test_the_script_of_a_device_hides_secrets_unless_asked(tmp_path: Path) -> None:
    made = create_site(tmp_path / "site", who="test", now=now())[0]
    files = dict(made.config.files(made.config.resolve("main")))
    files["environments.yaml"] = (
        b"environments: {default: {variables: {sip_password: heimlich}}, homeoffice: {}, intranet: {}}"
    )
    files["snippets/all-all-all.txt"] = b"config add X /pw geheim\nconfig add Y /word heimlich\n"
    made.config.commit_files(files, "A password", "Ada <ada@example.org>")
    made.close()
    assert gitupd(tmp_path / "site", "deploy", "main").exit_code == 0
    made = Site(tmp_path / "site")
    fleets.fill(made, 1, now())
    made.close()
    said = gitupd(tmp_path / "site", "device", "009033000000", "--script").stdout
    assert "config add X /pw ***\nconfig add Y /word ***\n" in said
    shown = gitupd(tmp_path / "site", "device", "009033000000", "--script", "--show-secrets").stdout
    assert "config add X /pw geheim\nconfig add Y /word heimlich\n" in shown


def test_the_names_that_snippets_of_a_device_could_have(site: Path) -> None:
    said = gitupd(site, "device", "00-90-33-00-00-02", "--names").stdout.splitlines()
    assert said[0].split() == ["all-all-all", "snippets/all-all-all.txt"]
    assert said[1].split() == ["all-all-00_90_33_00_00_02", "-"]
    listed = json.loads(gitupd(site, "device", "00-90-33-00-00-02", "--names", "--json").stdout)
    assert [each["name"] for each in listed] == [line.split()[0] for line in said]
    assert listed[0] == {"name": "all-all-all", "path": "snippets/all-all-all.txt"}


def test_devices_are_forgotten_and_touched_all_or_none(site: Path) -> None:
    missing = "00-90-33-00-00-01"
    assert "missing" in gitupd(site, "devices", missing).stdout
    for command in ("forget", "touch"):
        refused = gitupd(site, command, missing, "00-90-33-ff-ff-ff")
        assert "no such device: 00-90-33-ff-ff-ff; nothing was changed" in str(refused.exception)
    assert gitupd(site, "touch", missing, missing).stdout == "touched 1 device\n"
    assert "current" in gitupd(site, "devices", missing).stdout
    assert gitupd(site, "forget", missing).stdout == "forgot 1 device\n"
    gone = gitupd(site, "device", missing)
    assert "no device 00-90-33-00-00-01 ever asked" in str(gone.exception)
    opened = Site(site)
    entries = opened.audit.entries(2)
    opened.close()
    assert [(each.kind, each.subject) for each in entries] == [("device-forget", missing), ("device-touch", missing)]
