"""Builds, and the commands that bring a device to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gitupd.core.actions import Do, Warn
from gitupd.core.endpoint import Endpoint
from gitupd.core.firmware import Builds, parse_version
from gitupd.core.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.situation import Situation


HERE = Endpoint("http", "upd.example", 80)


@pytest.mark.parametrize(
    ("version", "builds"),
    [
        ("13r2 IP222[13.4250], Bootcode[131286], HW[1300]", Builds("134250", "131286")),
        ("13r2 [x] IP222[13A146], Bootcode[13.1], HW[]", Builds("13A146", "13.1")),
        ("13r2 IP222[13 4250], Bootcode[131286], HW[1300]", Builds(None, "131286")),
        ("13r2 IP222[], Bootcode[131286], HW[1300]", Builds(None, "131286")),
        ("13r2 IP222[1], Bootcode[2\n], HW[1300]", Builds("1", None)),
        ("13r2 IP222[], Bootcode[ ], HW[1300]", None),
        ("13r2 IP222[1], Bootcode[2]", None),
        ("", None),
    ],
)
def test_versions(version: str, builds: Builds | None) -> None:
    assert parse_version(version) == builds


@pytest.mark.parametrize(
    ("firmware", "model", "urls"),
    [
        (
            "firmware: 137213\nbootcode: firmware",
            "IP222",
            ["prot /fw/137213/ ser 137213", "boot /fw/137213/ ser 137213"],
        ),
        (
            "firmware: 13A146\nstorage: '{model}/{filetype}/{filename}'",
            "IP29-2",
            ["prot /IP29-2/prot/ip29.bin ser 13A146"],
        ),
        ("bootcode: '1'\nstorage: '{filename}?{build}'", "IP222", ["boot /boot222.bin?1 ser 1"]),
        ("firmware: '1'\nstorage: '{filename}'", "MyPBXa", ["prot /mypbx.apk ser 1"]),
        ("firmware: '1'\nbootcode: '1'", "swphone", []),
        ("firmware: '1'\napplies: [{class: gw}]", "IP222", []),
        ("firmware: '1'\napplies: [{class: phone}, {environment: default}]", "IP222", ["prot /fw/1/ ser 1"]),
        ("firmware: none", "IP222", []),
    ],
)
def test_firmware_requests(situation: Callable[..., Situation], firmware: str, model: str, urls: list[str]) -> None:
    query = f"type={model}&sn=00-90-33-30-00-af&hwid=h&ip=i"
    asked = situation({"policies/firmware.yaml": firmware}, query, HERE)
    commands = [each.command for each in plan(asked) if isinstance(each, Do)]
    told = [each.removeprefix("mod cmd UP0 ").replace("http://upd.example", "") for each in commands if " ser " in each]
    assert [each for each in told if each.startswith(("prot", "boot"))] == urls
    assert commands.count("iresetn") == (2 if urls else 1)


@pytest.mark.parametrize(
    ("firmware", "builds", "loaded", "unknown"),
    [
        ("firmware: master\nbootcode: none", Builds("1", None), ["prot"], None),
        ("firmware: master\nbootcode: master", Builds("1", None), ["prot"], "boot code"),
        ("firmware: master\nbootcode: master", Builds(None, "2"), ["boot"], "firmware"),
        ("firmware: master\nbootcode: firmware", Builds(None, "2"), [], "firmware and boot code"),
        ("firmware: '7'\nbootcode: master", None, ["prot"], "boot code"),
        ("firmware: '7'\nbootcode: firmware", None, ["prot", "boot"], None),
    ],
)
def test_a_build_that_is_not_known_does_not_hold_up_the_other(
    situation: Callable[..., Situation], firmware: str, builds: Builds | None, loaded: list[str], unknown: str | None
) -> None:
    policy = {"policies/firmware.yaml": f"master: {{url: http://m/x}}\n{firmware}"}
    asked = replace(situation(policy, "type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=i", HERE), builds=builds)
    actions = list(plan(asked))
    commands = [each.command.split()[3] for each in actions if isinstance(each, Do) and " UP0 " in each.command]
    assert [each for each in commands if each in ("prot", "boot")] == loaded
    warnings = [each.text for each in actions if isinstance(each, Warn)]
    assert warnings == (
        [f"which {unknown} the master device runs is not known, so none is requested"] if unknown else []
    )
