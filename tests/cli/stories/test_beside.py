"""Two devices beside each other, on the command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result
from support import fleets

from gitupd.cli.main import cli
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beside") / "site"
    made = create_site(folder, who="test", now=now())[0]
    files = dict(made.config.files(made.config.resolve("main")))
    files["environments.yaml"] = (
        b"environments: {default: {variables: {sip_password: geheim}}, homeoffice: {}, intranet: {}}"
    )
    files["snippets/all-all-default.txt"] = b"config add X /word geheim\n"
    files["snippets/all-all-homeoffice.txt"] = b"config add Y /pw other\n"
    deploy(made, made.config.commit_files(files, "Two", "Ada <ada@example.org>"), who="test", now=now())
    fleets.fill(made, 20, now())
    made.close()
    return folder


def gitupd(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--site", str(site)])


def test_a_device_is_held_against_another_that_is_named(site: Path) -> None:
    said = gitupd(site, "device", "Desk 1", "--with", "10.0.0.3")
    assert said.exit_code == 0
    head, *facts = [re.split(" {2,}", line) for line in said.stdout.splitlines() if line[0] not in "+-"]
    assert head == ["", "Desk 1", "Desk 3"]
    assert facts[0] == ["type", "IP232", "IP6010", "differs"]
    assert ["environments", "default", "homeoffice, intranet", "differs"] in facts
    assert ["boot code", "137213", "137213"] in facts
    lines = [line for line in said.stdout.splitlines() if line[0] in "+-"]
    assert "-config add X /word ***" in lines
    assert "+config add Y /pw ***" in lines
    assert said.stderr.endswith(" lines of what they would get differ\n")
    shown = gitupd(site, "device", "Desk 1", "--with", "Desk 3", "--show-secrets").stdout
    assert "-config add X /word geheim\n" in shown
    assert "+config add Y /pw other\n" in shown


def test_the_same_for_programs(site: Path) -> None:
    said = gitupd(site, "device", "Desk 1", "--with", "Desk 3", "--json").stdout
    assert "geheim" not in said
    told = json.loads(said)
    assert (told["serial"], told["with"]) == ("00-90-33-00-00-01", "00-90-33-00-00-03")
    facts = {each["name"]: (each["left"], each["right"], each["differs"]) for each in told["facts"]}
    assert facts["environments"] == (["default"], ["homeoffice", "intranet"], True)
    assert {"number", "text", "kind", "path", "line"} == set(told["rows"][0]["left"] or told["rows"][0]["right"])


def test_two_that_are_alike_would_get_the_same(site: Path) -> None:
    assert gitupd(site, "device", "Desk 7", "--with", "Desk 13").stderr == "they would get the same\n"


def test_what_is_no_other_device_is_told(site: Path) -> None:
    same = gitupd(site, "device", "Desk 1", "--with", "10.0.0.1").exception
    assert str(same) == "00-90-33-00-00-01 is one device; name another one to hold it against"
    assert str(gitupd(site, "device", "Desk 1", "--with", "Desk").exception).startswith("'Desk' may be any of ")
    both = gitupd(site, "device", "Desk 1", "--with", "Desk 3", "--script")
    assert both.exit_code == click.UsageError.exit_code
    assert "take one of --script, --names and --with" in both.stderr
