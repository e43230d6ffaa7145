"""Whom two commits are compared for: devices that never called, and those that stand for all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gitupd.config.loader import load
from gitupd.core.caller import Request, Serial
from gitupd.core.comparison.rendering import Rendering
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.identity import PRESUMED
from gitupd.core.situation import Basis
from gitupd.service.comparison.fleets import fleet_of_site, imagined_fleet
from gitupd.service.imagining import Imagining
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gitupd.core.firmware import Builds
    from gitupd.core.snapshot import Snapshot

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TWO = {
    "phases.yaml": "phases: {staging: {order: 1}, update: {order: 2}}",
    "environments.yaml": "environments: {default: {}, berlin: {}}",
    "classes.yaml": "extends: none\nclasses: {phone: {models: [IP1, IP2, IP3]}, gw: {models: [IP9]}}",
}


def snapshot(files: Mapping[str, str]) -> Snapshot:
    return load({path: text.encode() for path, text in files.items()})


def side(files: Mapping[str, str], builds: Builds | None = None) -> Imagining:
    return Imagining(Basis(snapshot(files), builds), NOON)


def said(devices: Iterable[Device], *names: str) -> list[Any]:
    return [tuple(device.request and device.request.arguments.get(name) for name in names) for device in devices]


def test_one_device_is_imagined_for_each_combination_that_can_be_told_apart() -> None:
    fleet = imagined_fleet(side(TWO), side({**TWO, "snippets/update-ip2-all.txt": "x"}))
    assert (fleet.count, fleet.imagined, fleet.decisions, fleet.remarks) == (12, True, None, ())
    assert sorted(said(fleet.devices, "phase", "env", "type")) == sorted(
        (phase, environment, model)
        for phase in ("update", "staging")
        for environment in ("default", "berlin")
        for model in ("IP1", "IP2", "IP9")
    )
    assert len({device.serial for device in fleet.devices}) == 12


def test_a_model_is_told_apart_where_it_is_named() -> None:
    def models(**more: str) -> set[str]:
        files = {**TWO, **{name.replace("__", "/") + ".yaml": text for name, text in more.items()}}
        return {model for (model,) in said(imagined_fleet(side(TWO), side(files)).devices, "type")}

    exempt = "no_firmware: [IP2, IP7]\nfile_names: {}\nno_bootcode: [IP9]\n"
    assert models(policies__firmware=exempt) == {"IP1", "IP9"}
    assert models(policies__firmware=f"{exempt}firmware: '1'") == {"IP1", "IP2", "IP9"}
    assert models(policies__firmware="applies: [{class: IP3}, {environment: berlin}]") == {"IP1", "IP3", "IP9"}
    assert models(queries="queries: {mine: {command: x, applies: [{class: gw}]}}") == {"IP1", "IP9"}
    beyond = imagined_fleet(side(TWO), side({**TWO, "classes.yaml": f"{TWO['classes.yaml']}\nmodels: [IP7]"}))
    assert beyond.count == 8
    alone = {**TWO, "classes.yaml": f"{TWO['classes.yaml']}\nmodels: [IP7]", "snippets/all-ip7-all.txt": "x"}
    assert ("IP7",) in said(imagined_fleet(side(TWO), side(alone)).devices, "type")


def test_imagined_devices_have_executed_the_first_commit_and_run_what_it_wants() -> None:
    files = {**TWO, "snippets/all-all-all.txt": "x", "policies/firmware.yaml": "firmware: '137213'\nbootcode: firmware"}
    base = side(files)
    for device in imagined_fleet(base, base).devices:
        assert device.request is not None
        poll = base.again(device.request, device)
        last = device.request.arguments["phase"] == "update"
        assert Rendering(poll, poll).is_executed == last
        assert device.request.arguments["PROT"] == device.request.arguments["BOOT"] == "137213"
        assert device.request.arguments["polling"] == ("0" if last else "5")


def test_imagined_devices_call_as_is_required() -> None:
    files = {**TWO, "policies/transport.yaml": "https: required\nclient_certificate: required\nhttps_port: 8443"}
    for device in imagined_fleet(side(files), side(TWO)).devices:
        assert device.request is not None
        assert (device.request.endpoint.scheme, device.request.endpoint.port) == ("https", 8443)
        assert device.identity is PRESUMED


def test_devices_that_are_named_by_serial_numbers_come_besides() -> None:
    files = {
        **TWO,
        "devices.yaml": "devices: {00-90-33-00-00-01: {type: IP2, phase: staging}, 00-90-33-00-00-02: {name: no type}}",
        "snippets/all-all-00_90_33_00_00_03.txt": "x",
        "snippets/all-gw-00_90_33_00_00_04.txt": "x",
        "snippets/all-ip3-00_90_33_00_00_05.txt": "x",
    }
    named = [each for each in imagined_fleet(side(TWO), side(files)).devices if each.serial.digits.startswith("009033")]
    assert said(named, "sn", "type", "phase") == [
        ("00-90-33-00-00-01", "IP2", "staging"),
        ("00-90-33-00-00-03", "IP1", "update"),
        ("00-90-33-00-00-04", "IP9", "update"),
        ("00-90-33-00-00-05", "IP3", "update"),
    ]


def test_there_are_no_more_imagined_devices_than_can_be_compared() -> None:
    environments = ", ".join(f"e{number}: {{}}" for number in range(2_000))
    files = {**TWO, "environments.yaml": f"environments: {{{environments}}}", "snippets/all-ip2-all.txt": "x"}
    fleet = imagined_fleet(side(files), side(files))
    assert fleet.count == 5_000
    assert fleet.remarks == ("7,000 more combinations were left out",)
    assert {phase for (phase,) in said(fleet.devices, "phase")} == {"update"}


def test_devices_of_a_site_are_those_that_called_and_those_that_will(tmp_path: Path) -> None:
    site = Site.create(tmp_path / "site")
    endpoint = Endpoint("http", "upd.example", 80)
    called = Request({"type": "IP1", "sn": "00-90-33-00-00-01"}, endpoint)
    site.inventory.save_sightings(
        [
            Device(Serial("009033000001"), model="IP1", request=called, first_seen=NOON, last_seen=NOON),
            Device(Serial("009033000002"), first_seen=NOON, last_seen=NOON),
        ]
    )
    base = snapshot(TWO)
    listed = "1: {type: IP9}", "2: {type: IP2, phase: update, hardware_id: own}", "3: {type: IP3, name: To come}"
    named = ", ".join(f"00-90-33-00-00-0{each}" for each in listed)
    head = snapshot({**TWO, "devices.yaml": f"devices: {{{named}, 00-90-33-00-00-04: {{}}}}"})
    devices = list(fleet_of_site(site, base, head).devices)
    site.close()
    assert [device.request == called for device in devices] == [True, False, False]
    assert said(devices[1:], "sn", "type", "phase", "polling", "hwid") == [
        ("00-90-33-00-00-02", "IP2", "update", None, "own"),
        ("00-90-33-00-00-03", "IP3", "staging", "5", "IP3-00-00-03"),
    ]
    assert devices[2].name == "To come"
