"""Devices are told by their serial numbers, names and addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support import fleets

from gitupd.cli.main import cli
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("known") / "site"
    made = create_site(folder, who="test", now=now())[0]
    fleets.fill(made, 40, now())
    live = made.deployments.live()
    assert live
    named = replace(fleets.device(50, live.commit, now()), own_name="Homeoffice")  # as an environment is
    made.inventory.save_sightings([replace(named, given_name=None)])
    made.close()
    return folder


def gitupd(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--site", str(site)])


def test_a_name_an_address_and_a_serial_number_find_the_same_device(site: Path) -> None:
    said = gitupd(site, "device", "00-90-33-00-00-03").stdout
    assert "Desk 3" in said
    for text in ("Desk 3", "desk 3", "00903300 0003".replace(" ", ""), "10.0.0.3"):
        assert gitupd(site, "device", text).stdout == said, text
    assert gitupd(site, "timeline", "Desk 3").stdout == gitupd(site, "timeline", "00-90-33-00-00-03").stdout


def test_a_name_that_is_a_word_for_many_devices_means_the_one_that_is_called_so(site: Path) -> None:
    assert gitupd(site, "device", "homeoffice").stdout == gitupd(site, "device", "00-90-33-00-00-32").stdout
    assert gitupd(site, "touch", "homeoffice").stdout == "touched 1 device\n"


def test_what_may_be_several_is_told_with_their_serial_numbers(site: Path) -> None:
    said = str(gitupd(site, "device", "Desk").exception)
    assert said.startswith("'Desk' may be any of 00-90-33-00-00-01 Desk 1, ")
    assert said.endswith(", and more; write a serial number")
    assert said.count("00-90-33") == 10


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Nobody", "no device has the serial number, name or address 'Nobody'; see: gitupd devices"),
        ("00-90-33-ff-ff-ff", "no device 00-90-33-ff-ff-ff ever asked; see: gitupd devices"),
        ("\x01", "no device has the serial number, name or address '\\x01'; see: gitupd devices"),
        ("", "no device has the serial number, name or address ''; see: gitupd devices"),
        ('"', "no device has the serial number, name or address '\"'; see: gitupd devices"),
    ],
)
def test_what_is_none_is_told(site: Path, text: str, told: str) -> None:
    for command in ("device", "timeline"):
        assert str(gitupd(site, command, text).exception) == told


def test_what_changes_something_takes_all_of_a_name(site: Path) -> None:
    for command in (("touch",), ("forget",), ("requests", "--record"), ("certificates", "request")):
        assert str(gitupd(site, *command, "sk 37").exception) == (
            "'sk 37' may be 00-90-33-00-00-25 Desk 37; write a serial number"
        )
        assert str(gitupd(site, *command, "Desk").exception).startswith(
            "'Desk' may be any of 00-90-33-00-00-01 Desk 1,"
        )
    assert "00-90-33-00-00-25" in str(gitupd(site, "certificates", "show", "sk 37").exception), "this looks only"
    assert gitupd(site, "touch", "Desk 5", "10.0.0.5", "00-90-33-00-00-07").stdout == "touched 2 devices\n"
    nobody = "no device has the serial number, name or address 'Nobody'; see: gitupd devices"
    assert str(gitupd(site, "forget", "Desk 5", "Nobody").exception) == nobody
    assert gitupd(site, "device", "Desk 5").exit_code == 0
    assert gitupd(site, "forget", "desk 5").stdout == "forgot 1 device\n"
    assert "Desk 15" in str(gitupd(site, "forget", "Desk 5").exception), "what else it is a part of is not forgotten"
